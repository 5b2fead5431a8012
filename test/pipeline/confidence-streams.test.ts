import { describe, expect, it } from "vitest";
import { finish, gatedWorld, onlyRecord, stream, sure, told, unsure, whole } from "./gated-world.ts";
import { HeldRoom } from "#pipeline/held-room";
import { LiveCalls } from "#pipeline/live-calls";
import { done } from "./pipeline-world.ts";

describe("A held stream", () => {
  it("sends nothing before the verdict, then all of it, with the score in the last event", async () => {
    const world = gatedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    world.request(0).head().bytes(told("B", unsure));
    await world.settle();
    expect(exchange.text).toBe("");
    world
      .request(0)
      .bytes(finish + done)
      .end();
    await world.settle();
    expect(exchange.text).toBe("");
    stream(world.request(1), [["B", sure]]);
    await served;
    expect(exchange.status).toBe(200);
    expect(exchange.fields).toMatchObject({
      "x-hedgerow-decision": "escalated",
      "x-hedgerow-confidence": expect.stringMatching(/^0\.9/) as string,
    });
    expect(exchange.text.match(/"content":"B"/g)).toHaveLength(1);
    expect(exchange.text).not.toContain('"token"');
    expect(exchange.text).toContain('"confidence_score":0.9');
    expect(exchange.text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect(onlyRecord(world)).toMatchObject({ decision: "escalated", committed: true });
  });

  it("goes elsewhere where it is cut while it is held", async () => {
    const world = gatedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    world.request(0).head().bytes(told("A", sure)).fail("connection_lost");
    await world.settle();
    stream(world.request(1), [["B", sure]]);
    await served;
    expect(exchange.text).toContain('"content":"B"');
    expect(exchange.text).not.toContain('"content":"A"');
    expect(onlyRecord(world)).toMatchObject({ decision: "recovered" });
  });

  it("is kept alive, and from then on says its errors in the stream", async () => {
    const world = gatedWorld({ targets: ["a/m"] });
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(15_000);
    expect(exchange.status).toBe(200);
    expect(exchange.text).toMatch(/^: ?\S*\n\n$/);
    expect(exchange.fields).toMatchObject({
      "x-hedgerow-route": "main",
      "content-type": "text/event-stream; charset=utf-8",
    });
    expect(exchange.fields).not.toHaveProperty("x-hedgerow-provider");
    const once = exchange.text.length;
    await world.advance(15_000);
    expect(exchange.text).toHaveLength(2 * once);
    stream(world.request(0), [["A", unsure]]);
    await served;
    expect(exchange.text).toContain("low_confidence");
    expect(exchange.text).not.toContain("[DONE]");
    expect(exchange.ended).toBe(true);
    expect(onlyRecord(world)).toMatchObject({
      decision: "refused",
      code: "low_confidence",
      status: 200,
      committed: false,
    });
    const length = exchange.text.length;
    await world.advance(60_000);
    expect(exchange.text).toHaveLength(length);
  });

  it("is given after it was kept alive, with what is known late in its last event", async () => {
    const world = gatedWorld({ targets: ["a/m"] });
    const { exchange, done: served } = await world.chat({ stream: true, hedgerow: { metadata: true } });
    await world.advance(15_000);
    stream(world.request(0), [["A", sure]]);
    await served;
    expect(exchange.text).toContain('"content":"A"');
    expect(exchange.text).toContain('"provider":"a"');
    expect(exchange.text).toContain('"confidence_score":0.9');
  });

  it("beats for nobody: not while the client takes nothing, not once it is gone", async () => {
    const world = gatedWorld({ targets: ["a/m"] });
    const { exchange, done: served } = await world.chat({ stream: true });
    exchange.takes = false;
    await world.advance(15_000);
    const once = exchange.text;
    await world.advance(15_000);
    expect(exchange.text).toBe(once);
    exchange.drain();
    await world.advance(15_000);
    expect(exchange.text).toBe(once + once);
    exchange.leave();
    await served;
    expect(world.request(0).cancelled).toBe(true);
    await world.advance(60_000);
    expect(exchange.text).toBe(once + once);
    expect(onlyRecord(world)).toMatchObject({ decision: "aborted" });
  });

  it("may be larger than what is held before other streams' first content, and not larger than an answer", async () => {
    const world = gatedWorld({ targets: ["a/m"] });
    const { exchange, done: served } = await world.chat({ stream: true });
    world.request(0).head();
    for (let n = 0; n < 100; n += 1) world.request(0).bytes(told(`${"x".repeat(2_000)} `, sure));
    world
      .request(0)
      .bytes(finish + done)
      .end();
    await served;
    expect(exchange.text.length).toBeGreaterThan(200_000);
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

describe("The room for answers that wait", () => {
  it("is the worker's: who finds none is told to come again, and nothing unjudged goes out", async () => {
    const live = new LiveCalls(new HeldRoom(12 * told("A", sure).length));
    const world = gatedWorld({ plane: { live } });
    const first = await world.chat({ stream: true });
    const second = await world.chat({ stream: true });
    world.request(0).head();
    for (let at = 0; at < 6; at += 1) world.request(0).bytes(told("A", sure));
    const before = live.room.bytes;
    world.request(1).head();
    for (let at = 0; at < 6; at += 1) world.request(1).bytes(told("B", sure));
    await second.done;
    expect(second.exchange.status).toBe(503);
    expect(second.exchange.text).toContain("overloaded");
    expect(second.exchange.text).not.toContain('"B"');
    // What the refused call had is free again.
    expect(live.room.bytes).toBe(before);
    world
      .request(0)
      .bytes(finish + done)
      .end();
    await first.done;
    expect(first.exchange.text.match(/"content":"A"/g)).toHaveLength(6);
    expect(live.room.bytes).toBe(0);
    expect(world.bugs).toEqual([]);
  });
});
