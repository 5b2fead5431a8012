import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { gatedWorld, onlyRecord, bodyOf, stream, told, unsure, sure, whole } from "./gated-world.ts";

const long = "The tower was built in the year 1889, when the exhibition opened, and it has stood there ever since.";

describe("A second answer", () => {
  const rule = { estimator: "agreement" as const, second: "c/m" };

  it("is asked at the same time, and makes a sure answer of one that says the same", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    expect(world.sent.map(({ request }) => request.headers["authorization"])).toEqual(["Bearer sk-c", "Bearer sk-a"]);
    expect(bodyOf(world.request(1))).not.toHaveProperty("logprobs");
    world.request(1).json(whole("(B)"));
    await world.settle();
    expect(exchange.ended).toBe(false);
    world.request(0).json(whole("b."));
    await served;
    expect(exchange.text).toContain('"content":"(B)"');
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { estimator: "agreement", decision: "accepted" } });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-attempts": "1", "x-hedgerow-decision": "answered" });
    const record = onlyRecord(world);
    expect(record.attempts).toMatchObject([
      { target: "a/m", judgement: { key: { signals: "agreement" } } },
      { target: "c/m", role: "second", outcome: "answered" },
    ]);
    // Both are paid.
    expect(record.costNanoUsd).toBe(2 * (record.attempts[0]?.costNanoUsd ?? 0));
  });

  it("that differs leads to the next target, which is compared with both", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("B"));
    world.request(1).json(whole("A"));
    await world.settle();
    expect(world.sent).toHaveLength(3);
    world.request(2).json(whole("B"));
    await served;
    expect(exchange.text).toContain('"content":"B"');
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "escalated", "x-hedgerow-provider": "b" });
  });

  it("is asked afterwards where the rule is automatic and there are no log-probabilities, and not where there are", async () => {
    const world = gatedWorld({ rule: { second: "c/m" } });
    const first = await world.chat();
    expect(world.sent).toHaveLength(1);
    world.request(0).json(whole("A"));
    await world.settle();
    world.request(1).json(whole("A"));
    await first.done;
    expect(JSON.parse(first.exchange.text)).toMatchObject({ confidence: { estimator: "agreement" } });
    const second = await world.chat();
    world.request(2).json(whole("A", sure));
    await second.done;
    expect(world.sent).toHaveLength(3);
  });

  it("that fails is no signal and no failure, and is told in a warning", async () => {
    const world = gatedWorld({ rule: { ...rule, uncalibrated: "observe" }, targets: ["a/m"] });
    const { exchange, done: served } = await world.chat();
    world.request(0).json({ error: { message: "down" } }, 500);
    world.request(1).json(whole("A"));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence_score: null });
    expect(onlyRecord(world).warnings).toEqual(["second: c/m gave no answer"]);
  });

  it("is not asked where the route's promises forbid that it sees the call", async () => {
    const world = gatedWorld({
      rule: { ...rule, uncalibrated: "observe" },
      targets: ["a/m"],
      route: { constraints: { dataClass: "health" } },
      provider: (id) => (id === "c" ? {} : { dataClasses: ["health"] }),
    });
    const { done: served } = await world.chat();
    expect(world.sent).toHaveLength(1);
    world.request(0).json(whole("A"));
    await served;
    expect(onlyRecord(world).warnings[0]).toContain("second: c/m is not asked");
  });

  it("is cancelled with the call, and recorded", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    exchange.leave();
    expect(world.sent.map(({ cancelled }) => cancelled)).toEqual([true, true]);
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "aborted", attempts: [{ target: "a/m" }, { role: "second" }] });
  });

  it("is let go where a hard gate decides, and costs what it was asked", async () => {
    const world = gatedWorld({ rule, targets: ["a/m"] });
    const { exchange, done: served } = await world.chat();
    world.request(1).json(whole(""));
    await served;
    expect(exchange.status).toBe(422);
    expect(world.request(0).cancelled).toBe(true);
    expect(onlyRecord(world).attempts).toMatchObject([
      { outcome: "doubted", judgement: { estimator: "gate", score: 0 } },
      { role: "second", outcome: "outrun", usage: { estimated: true } },
    ]);
  });

  it("works beside a stream, whose client sees nothing of it", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat({ stream: true });
    stream(world.request(1), [["B", sure]]);
    stream(world.request(0), [["B", sure]]);
    await served;
    expect(exchange.text.match(/"content":"B"/g)).toHaveLength(1);
    expect(exchange.text).toContain('"estimator":"agreement"');
  });
});

describe("A judge", () => {
  const rule = { estimator: "judge" as const, judge: "j/m" };
  const verdict = (yes: number): object => ({
    ...whole("Y", Math.log(yes)),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Y" },
        logprobs: {
          content: [
            {
              token: "Y",
              logprob: Math.log(yes),
              top_logprobs: [
                { token: "Y", logprob: Math.log(yes) },
                { token: "N", logprob: Math.log(1 - yes) },
              ],
            },
          ],
        },
        finish_reason: "stop",
      },
    ],
  });

  it("is asked about a whole answer, which is quoted, and its certainty is the score", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    const asked = bodyOf(world.request(1));
    expect(asked).toMatchObject({ model: "m", temperature: 0, logprobs: true });
    expect(asked).not.toHaveProperty("hedgerow");
    expect(JSON.stringify(asked)).toContain(long);
    world.request(1).json(verdict(0.9999));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { estimator: "judge", decision: "accepted" } });
    expect(onlyRecord(world).attempts).toMatchObject([{ target: "a/m" }, { target: "j/m", role: "judge" }]);
  });

  it("that doubts sends the call on", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    world.request(1).json(verdict(0.2));
    await world.settle();
    world.request(2).json(whole(long));
    await world.settle();
    world.request(3).json(verdict(0.9999));
    await served;
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "escalated", "x-hedgerow-attempts": "2" });
  });

  it("is cancelled within the client's leaving", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    exchange.leave();
    expect(world.request(1).cancelled).toBe(true);
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "aborted" });
  });
});

describe("A caller's own check", () => {
  const rule = {
    estimator: "verifier" as const,
    verifier: { url: "http://check.example/verify?x=1", key: new Secret("sk-check"), timeoutMs: 2_000 },
  };

  it("decides by itself", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    const { request } = world.request(1);
    expect(request).toMatchObject({
      origin: "http://check.example",
      path: "/verify?x=1",
      headers: { authorization: "Bearer sk-check" },
    });
    expect(bodyOf(world.request(1))).toMatchObject({ target: "a/m", route: "main", answer: long });
    world.request(1).json({ correct: true });
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence_score: 1, confidence: { estimator: "verifier" } });
  });

  it("that says no sends the call on", async () => {
    const world = gatedWorld({ rule });
    const { done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    world.request(1).json({ correct: false });
    await world.settle();
    expect(world.request(2).request.headers["authorization"]).toBe("Bearer sk-b");
    world.request(2).json(whole(long));
    await world.settle();
    world.request(3).json({ valid: true });
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "escalated" });
  });

  it.each([
    ["says nothing in time", undefined],
    ["fails", 500],
    ["says nonsense", 200],
  ])("that %s is no signal", async (_what, status) => {
    const world = gatedWorld({ rule: { ...rule, uncalibrated: "observe" } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    if (status !== undefined) world.request(1).json({ some: "thing" }, status);
    await world.advance(2_000);
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence_score: null, confidence: { decision: "observed" } });
    expect(onlyRecord(world).warnings).toEqual(["verifier: it gave no verdict"]);
    if (status === undefined) expect(world.request(1).cancelled).toBe(true);
  });

  it("is let go when the client leaves", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    exchange.leave();
    expect(world.request(1).cancelled).toBe(true);
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "aborted" });
  });
});

describe("A stream that is decided early", () => {
  const words = (n: number, logprob: number): [string, number][] =>
    Array.from({ length: n }, (_, at): [string, number] => [`word${at} `, logprob]);

  it("is told at its end what is thought of it, where it is only annotated, and never goes elsewhere", async () => {
    const world = gatedWorld({ rule: { stream: "annotate" } });
    const { exchange, done: served } = await world.chat({ stream: true });
    world.request(0).head().bytes(told("A", unsure));
    await world.settle();
    expect(exchange.text).toContain('"content":"A"');
    world
      .request(0)
      .bytes(
        'data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
      )
      .end();
    await served;
    expect(world.sent).toHaveLength(1);
    expect(exchange.text).toContain('"low_confidence":true');
    expect(onlyRecord(world)).toMatchObject({ decision: "doubted", committed: true });
  });

  it("is let through once its first tokens are sure", async () => {
    const world = gatedWorld({ rule: { stream: "prefix" } });
    const { exchange, done: served } = await world.chat({ stream: true });
    const sent = world.request(0).head();
    for (const [token, logprob] of words(15, -0.000_01)) sent.bytes(told(token, logprob));
    await world.settle();
    expect(exchange.text).toBe("");
    sent.bytes(told("sixteen ", -0.000_01));
    await world.settle();
    expect(exchange.text).toContain("word0 ");
    expect(exchange.text).toContain("sixteen");
    expect(exchange.fields["x-hedgerow-confidence"]).toMatch(/^0\.9/);
    stream(sent, [["more", unsure]]);
    await served;
    expect(exchange.text).toContain('"confidence_score":0.9');
    expect(onlyRecord(world).attempts[0]).toMatchObject({ judgement: { key: { signals: "logprobs+prefix" } } });
  });

  it("is let go once they are not, and what it used is estimated", async () => {
    const world = gatedWorld({ rule: { stream: "prefix" } });
    const { exchange, done: served } = await world.chat({ stream: true });
    const sent = world.request(0).head();
    for (const [token, logprob] of words(16, unsure)) sent.bytes(told(token, logprob));
    await world.settle();
    expect(sent.cancelled).toBe(true);
    expect(exchange.text).toBe("");
    stream(world.request(1), [["B", sure]]);
    await served;
    expect(exchange.text).toContain('"content":"B"');
    expect(onlyRecord(world)).toMatchObject({
      decision: "escalated",
      attempts: [
        { outcome: "doubted", usage: { estimated: true }, judgement: { verdict: "doubted" } },
        { outcome: "answered" },
      ],
    });
  });

  it("is let go where it is held and cannot pass any more", async () => {
    const world = gatedWorld();
    const { done: served } = await world.chat({ stream: true, max_tokens: 40 });
    const sent = world.request(0).head();
    for (const [token, logprob] of words(16, -3)) sent.bytes(told(token, logprob));
    await world.settle();
    expect(sent.cancelled).toBe(true);
    stream(world.request(1), [["B", sure]]);
    await served;
    const [first] = onlyRecord(world).attempts;
    expect(first).toMatchObject({ outcome: "doubted", judgement: { key: { signals: "logprobs+stopped" } } });
    expect(first?.judgement?.why).toContain("stopped early");
  });

  it("is not let go where the best answer may be wanted, or where nobody knows how long it gets", async () => {
    for (const setting of [{ rule: { exhausted: "best" as const } }, {}]) {
      const world = gatedWorld(setting);
      const body = setting.rule === undefined ? {} : { max_tokens: 40 };
      const { done: served } = await world.chat({ stream: true, ...body });
      const sent = world.request(0).head();
      for (const [token, logprob] of words(16, -3)) sent.bytes(told(token, logprob));
      await world.settle();
      expect(sent.cancelled).toBe(false);
      stream(sent, []);
      await world.settle();
      stream(world.request(1), [["B", sure]]);
      await served;
    }
  });

  it("is held, whatever the rule says, where it may call a tool that cannot be undone", async () => {
    const world = gatedWorld({ rule: { stream: "annotate", irreversibleTools: ["pay"] }, targets: ["a/m"] });
    const tools = [{ type: "function", function: { name: "pay", parameters: { type: "object" } } }];
    const { exchange, done: served } = await world.chat({ stream: true, tools });
    stream(world.request(0), [["A", sure]]);
    await served;
    expect(exchange.status).toBe(200);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-confidence": expect.stringMatching(/^0\.9/) as string });
  });
});

describe("A shadow", () => {
  it("asks the next target after an accepted answer, in a record of its own", async () => {
    const world = gatedWorld({ rule: { shadow: 0.02 } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", sure));
    await served;
    expect(exchange.ended).toBe(true);
    expect(world.sent).toHaveLength(2);
    expect(world.live.count).toBe(1);
    world.request(1).json(whole("(a)", sure));
    await world.settle();
    expect(world.live.count).toBe(0);
    const [call, shadow] = world.records;
    expect(call).toMatchObject({ decision: "answered" });
    expect(shadow).toMatchObject({
      decision: "shadow",
      committed: false,
      shadow: { of: call?.id, propensity: 0.02 },
      attempts: [{ target: "b/m", outcome: "answered", agrees: true, judgement: { estimator: "logprobs" } }],
    });
    expect(shadow?.id).not.toBe(call?.id);
    expect(world.bugs).toEqual([]);
  });

  it("is not asked after a doubt, by bad luck, or while the gateway stops, and stops with it", async () => {
    const doubted = gatedWorld({ rule: { shadow: 1, exhausted: "best" }, targets: ["a/m"] });
    const first = await doubted.chat();
    doubted.request(0).json(whole("A", unsure));
    await first.done;
    expect(doubted.sent).toHaveLength(1);
    const unlucky = gatedWorld({ rule: { shadow: 0.02 }, plane: { random: () => 0.02 } });
    const second = await unlucky.chat();
    unlucky.request(0).json(whole("A", sure));
    await second.done;
    expect(unlucky.sent).toHaveLength(1);
    const stopping = gatedWorld({ rule: { shadow: 1 } });
    const third = await stopping.chat();
    stopping.request(0).json(whole("A", sure));
    await third.done;
    stopping.live.startDraining();
    expect(stopping.request(1).cancelled).toBe(true);
    await stopping.live.idle();
    expect(stopping.records).toMatchObject([
      { decision: "answered" },
      { decision: "shadow", attempts: [{ outcome: "failed" }] },
    ]);
  });
});

describe("A hedge on falling confidence", () => {
  const falling = [
    ["perhaps ", -1.5],
    ["it ", -1.5],
    ["is ", -1.5],
    ["so ", -1.5],
  ] as const;

  it("asks the next target beside while the first still talks, and gives its answer once that is doubted", async () => {
    const world = gatedWorld({ rule: { hedgeBelow: 0.5 } });
    const { exchange, done: served } = await world.chat({ stream: true });
    const first = world.request(0).head();
    for (const [token, logprob] of falling.slice(0, 3)) first.bytes(told(token, logprob));
    await world.settle();
    expect(world.sent).toHaveLength(1);
    first.bytes(told("so ", -1.5));
    await world.settle();
    expect(world.sent).toHaveLength(2);
    stream(world.request(1), [["B", sure]]);
    await world.settle();
    expect(exchange.text).toBe("");
    stream(first, []);
    await served;
    expect(world.sent).toHaveLength(2);
    expect(exchange.text).toContain('"content":"B"');
    expect(exchange.text).not.toContain("perhaps");
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "escalated", "x-hedgerow-attempts": "2" });
    const record = onlyRecord(world);
    expect(record.attempts).toMatchObject([
      { target: "a/m", outcome: "doubted" },
      { target: "b/m", outcome: "answered", judgement: { key: { tier: 1 } } },
    ]);
    expect(record.plan?.chosen[1]?.why).toContain("whose confidence fell");
  });

  it("is called off where the first is sure after all", async () => {
    const world = gatedWorld({ rule: { hedgeBelow: 0.5, min: 0.2 } });
    const { exchange, done: served } = await world.chat({ stream: true });
    const first = world.request(0).head();
    for (const [token, logprob] of falling) first.bytes(told(token, logprob));
    await world.settle();
    expect(world.sent).toHaveLength(2);
    stream(first, [["sure", sure]]);
    await served;
    expect(world.request(1).cancelled).toBe(true);
    expect(exchange.text).toContain("perhaps");
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "answered" });
    expect(onlyRecord(world).attempts).toMatchObject([{ outcome: "answered" }, { target: "b/m", outcome: "outrun" }]);
  });

  it("takes the call over where the first is cut, and ends with the call", async () => {
    const world = gatedWorld({ rule: { hedgeBelow: 0.5 } });
    const { exchange, done: served } = await world.chat({ stream: true });
    const first = world.request(0).head();
    for (const [token, logprob] of falling) first.bytes(told(token, logprob));
    await world.settle();
    first.fail("connection_lost");
    await world.settle();
    expect(world.sent).toHaveLength(2);
    exchange.leave();
    expect(world.request(1).cancelled).toBe(true);
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "aborted" });
  });
});

describe("A hedge on silence, in front of a gate", () => {
  it("judges whoever has content first, and goes on where that is doubted", async () => {
    const world = gatedWorld({
      targets: ["a/m", "b/m", "c/m"],
      route: { hedge: { share: 1, sideEffects: false, afterMs: 1_000 } },
    });
    for (let n = 0; n < 50; n += 1) world.plane.retryBudgets.of("main").deposit(world.clock.nowMs());
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(1_000);
    expect(world.sent).toHaveLength(2);
    stream(world.request(1), [["B", unsure]]);
    await world.settle();
    expect(world.request(0).cancelled).toBe(true);
    stream(world.request(2), [["C", sure]]);
    await served;
    expect(exchange.text).toContain('"content":"C"');
    expect(onlyRecord(world).attempts.map(({ target, outcome }) => [target, outcome])).toEqual([
      ["a/m", "outrun"],
      ["b/m", "doubted"],
      ["c/m", "answered"],
    ]);
  });
});
