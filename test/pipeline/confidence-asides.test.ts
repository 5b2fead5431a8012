import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { bodyOf, gatedWorld, onlyRecord, stream, sure, whole } from "./gated-world.ts";

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

  it("that has no log-probabilities says it in a word, which counts for little", async () => {
    const world = gatedWorld({ rule: { ...rule, min: 0.55 }, targets: ["a/m"] });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    world.request(1).json({ error: { message: "logprobs are not supported by this model", param: "logprobs" } }, 400);
    await world.settle();
    expect(bodyOf(world.request(2))).not.toHaveProperty("logprobs");
    world.request(2).json(whole("Yes"));
    await served;
    const { confidence_score: score } = JSON.parse(exchange.text) as { readonly confidence_score: number };
    expect(score).toBeGreaterThan(0.55);
    expect(score).toBeLessThan(0.85);
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

describe("A classifier", () => {
  const rule = {
    estimator: "auto" as const,
    judge: "j/m",
    decision: { url: "http://classifier.example/classify", key: new Secret("sk-c"), right: 1, timeoutMs: 2_000 },
  };
  const told = (right: number) => ({
    data: [{ index: 0, label: "LABEL_1", probs: [1 - right, right], num_classes: 2 }],
  });

  it("scores an answer before a judge is asked, by a calibration of its own", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    expect(world.request(1).request).toMatchObject({
      origin: "http://classifier.example",
      path: "/classify",
      headers: { authorization: "Bearer sk-c" },
    });
    world.request(1).json(told(0.9999));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { estimator: "decision", decision: "accepted" } });
    expect(onlyRecord(world).attempts[0]?.judgement?.key.signals).toBe("decision");
    expect(onlyRecord(world).attempts).toHaveLength(1);
  });

  it("that doubts sends the call on", async () => {
    const world = gatedWorld({ rule });
    const { done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    world.request(1).json(told(0.3));
    await world.settle();
    world.request(2).json(whole(long));
    await world.settle();
    world.request(3).json(told(0.9999));
    await served;
    expect(onlyRecord(world)).toMatchObject({ decision: "escalated" });
  });

  it.each([
    ["says nothing in time", undefined, "it did not answer in time"],
    ["fails", 503, "it answered 503"],
    ["says nonsense", 200, "it told no probabilities of classes"],
  ])("that %s is no signal, which is said, and the rest are asked", async (_what, status, why) => {
    const world = gatedWorld({ rule, targets: ["a/m"] });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    if (status === undefined) await world.advance(2_000);
    else world.request(1).json({ some: "thing" }, status);
    await world.settle();
    expect(world.request(1).cancelled).toBe(status === undefined);
    expect(world.request(2).request.headers["authorization"]).toBe("Bearer sk-j");
    world.request(2).json(whole("Y", Math.log(0.9999)));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { estimator: "judge" } });
    expect(onlyRecord(world).warnings).toEqual([`decision: the classifier is no signal: ${why}`]);
  });

  it("alone, and down, leaves no score", async () => {
    const world = gatedWorld({ rule: { ...rule, estimator: "decision", uncalibrated: "observe" } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    world.request(1).fail("connection_lost");
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence_score: null });
    expect(onlyRecord(world).warnings[0]).toContain("it could not be reached");
  });

  it("is not asked where tokens tell, nor of a last target that is trusted", async () => {
    const told = gatedWorld({ rule });
    const first = await told.chat();
    told.request(0).json(whole("A", sure));
    await first.done;
    expect(told.sent).toHaveLength(1);
    const trusting = gatedWorld({ rule: { ...rule, estimator: "decision", trustLast: true }, targets: ["a/m"] });
    const second = await trusting.chat();
    trusting.request(0).json(whole(long));
    await second.done;
    expect(trusting.sent).toHaveLength(1);
    expect(second.exchange.status).toBe(200);
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

  it("is never one that a request names", async () => {
    const world = gatedWorld({ rule });
    const named = { url: "http://attacker.example/classify", right: 1 };
    const { exchange, done: served } = await world.chat({ hedgerow: { confidence: { decision: named } } });
    await served;
    expect(exchange.status).toBe(400);
    expect(exchange.text).toContain("hedgerow.confidence.decision");
    expect(world.sent).toEqual([]);
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
