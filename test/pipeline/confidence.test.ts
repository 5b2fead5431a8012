import { describe, expect, it } from "vitest";
import type { NewReview } from "#domain/review";
import { LogprobSupport } from "#policy/logprob-support";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { bodyOf, gatedWorld, onlyRecord, reviewsInto, sure, unsure, whole, type Setting } from "./gated-world.ts";
import { PipelineWorld } from "./pipeline-world.ts";

describe("A route with a rule", () => {
  it("asks for log-probabilities, gives a sure answer without them and says how sure it is", async () => {
    const world = gatedWorld();
    const { exchange, done: served } = await world.chat();
    expect(bodyOf(world.request(0))).toMatchObject({ logprobs: true });
    world.request(0).json(whole("B", sure));
    await served;
    const answer = JSON.parse(exchange.text) as Record<string, unknown>;
    expect(answer["choices"]).toMatchObject([{ message: { content: "B" }, logprobs: null }]);
    expect(answer["confidence_score"]).toBeGreaterThan(0.85);
    expect(answer["confidence"]).toMatchObject({
      raw: expect.closeTo(0.9999, 6) as number,
      estimator: "logprobs",
      calibration: { state: "prior", n: 0, guarantee: null },
      decision: "accepted",
      threshold: 0.85,
      mode: "per_answer",
    });
    expect(answer["confidence"]).not.toHaveProperty("low_confidence");
    expect(exchange.fields).toMatchObject({
      "x-hedgerow-confidence": expect.stringMatching(/^0\.9/) as string,
      "x-hedgerow-decision": "answered",
    });
    const record = onlyRecord(world);
    expect(record).toMatchObject({ decision: "answered", status: 200, committed: true });
    expect(record.attempts).toMatchObject([
      {
        outcome: "answered",
        judgement: {
          verdict: "accepted",
          key: { route: "main", model: "v/m", tier: 0, shape: "label", signals: "logprobs" },
        },
      },
    ]);
  });

  it("costs a route without one nothing: nothing is asked for, nothing is told", async () => {
    const world = gatedWorld({ route: {} });
    const plain = new PipelineWorld([sampleProvider("a")], [sampleRoute("main", ["a/m"])]);
    const { exchange, done: served } = await plain.chat();
    expect(bodyOf(plain.request(0))).not.toHaveProperty("logprobs");
    plain.request(0).json(whole("B", unsure));
    await served;
    expect(JSON.parse(exchange.text)).not.toHaveProperty("confidence_score");
    expect(exchange.fields).not.toHaveProperty("x-hedgerow-confidence");
    expect(onlyRecord(plain).attempts[0]).not.toHaveProperty("judgement");
    expect(world.sent).toEqual([]);
  });

  it("asks the next target where the first is doubted: escalated, and no failure of anybody", async () => {
    const world = gatedWorld({ route: { maxAttempts: 1 } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await world.settle();
    world.request(1).json(whole("B", sure));
    await served;
    expect(exchange.status).toBe(200);
    expect(exchange.text).toContain('"content":"B"');
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "escalated", "x-hedgerow-attempts": "2" });
    const record = onlyRecord(world);
    expect(record).toMatchObject({ decision: "escalated" });
    expect(record.attempts).toMatchObject([
      { target: "a/m", outcome: "doubted", agrees: false, judgement: { verdict: "doubted", key: { tier: 0 } } },
      { target: "b/m", outcome: "answered", judgement: { verdict: "accepted", key: { tier: 1 } } },
    ]);
    expect(record.attempts[0]).not.toHaveProperty("failure");
    expect(record.costNanoUsd).toBeGreaterThan(0);
  });

  it("judges what a caller alone wants judged, and lets the caller keep its own log-probabilities", async () => {
    const world = new PipelineWorld([sampleProvider("a")], [sampleRoute("main", ["a/m"])]);
    const { exchange, done: served } = await world.chat({ logprobs: true, hedgerow: { min_confidence: 0.4 } });
    world.request(0).json(whole("B", unsure));
    await served;
    const answer = JSON.parse(exchange.text) as { readonly confidence: object };
    expect(answer).toMatchObject({ choices: [{ logprobs: { content: [{ token: "B" }] } }] });
    expect(answer.confidence).toMatchObject({ threshold: 0.4, decision: "accepted" });
  });

  it("says null where there is nothing to judge by, and does not let it pass unless the rule observes", async () => {
    const world = gatedWorld({ targets: ["a/m"], rule: { uncalibrated: "observe" } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A long answer of several words, which nobody told a probability of anything about."));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({
      confidence_score: null,
      confidence: { score: null, raw: null, estimator: "none", decision: "observed" },
    });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-confidence": "none" });
    const strict = gatedWorld({ targets: ["a/m"] });
    const second = await strict.chat();
    strict.request(0).json(whole("A long answer of several words, which nobody told a probability of anything about."));
    await second.done;
    expect(second.exchange.status).toBe(422);
  });

  it("asks once more without log-probabilities where they are refused, and remembers it", async () => {
    const world = gatedWorld({
      targets: ["a/m"],
      rule: { uncalibrated: "observe" },
      plane: { logprobSupport: new LogprobSupport() },
    });
    const first = await world.chat();
    world
      .request(0)
      .json(
        { error: { message: "Unrecognized request argument supplied: logprobs", type: "invalid_request_error" } },
        400,
      );
    await world.settle();
    expect(bodyOf(world.request(1))).not.toHaveProperty("logprobs");
    world.request(1).json(whole("B"));
    await first.done;
    expect(first.exchange.status).toBe(200);
    expect(first.exchange.fields).toMatchObject({ "x-hedgerow-attempts": "1", "x-hedgerow-decision": "answered" });
    expect(onlyRecord(world).attempts).toMatchObject([{ outcome: "failed", status: 400 }, { outcome: "answered" }]);
    const second = await world.chat();
    expect(bodyOf(world.request(2))).not.toHaveProperty("logprobs");
    world.request(2).json(whole("B"));
    await second.done;
  });
});

describe("When nobody is sure", () => {
  const ask = async (setting: Setting, first = unsure, second = -0.5) => {
    const world = gatedWorld(setting);
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", first));
    await world.settle();
    world.request(1).json(whole("B", second));
    await served;
    return { world, exchange };
  };

  it("refuses: manual intervention is required, with the scores there were", async () => {
    const { world, exchange } = await ask({});
    expect(exchange.status).toBe(422);
    const { error } = JSON.parse(exchange.text) as {
      readonly error: { readonly message: string; readonly metadata: object };
    };
    expect(error.message).toContain("manual intervention is required");
    expect(error.message).toMatch(/a\/m: 0\.\d+ is below 0\.85; b\/m: 0\.\d+ is below 0\.85/);
    expect(error.metadata).toMatchObject({
      code: "low_confidence",
      attempts: [{ failure: "doubted" }, { failure: "doubted" }],
    });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "refused", "x-should-retry": "false" });
    expect(onlyRecord(world)).toMatchObject({
      decision: "refused",
      code: "low_confidence",
      status: 422,
      committed: false,
    });
  });

  it("gives the surest where the rule says so, and says that it is doubted", async () => {
    const { world, exchange } = await ask({ rule: { exhausted: "best" } }, -0.1, unsure);
    expect(JSON.parse(exchange.text)).toMatchObject({
      choices: [{ message: { content: "A" } }],
      confidence: { decision: "doubted", low_confidence: true },
    });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "doubted", "x-hedgerow-provider": "a" });
    const record = onlyRecord(world);
    expect(record).toMatchObject({ decision: "doubted", status: 200, committed: true });
    expect(record.attempts[0]?.judgement?.verdict).toBe("doubted");
    expect(record.attempts.map(({ outcome, agrees }) => [outcome, agrees])).toEqual([
      ["answered", undefined],
      ["doubted", false],
    ]);
  });

  it("asks a person where the rule says so, and gives the caller the review and the best answer", async () => {
    const reviews: NewReview[] = [];
    const plane = reviewsInto(reviews);
    const { world, exchange } = await ask({ rule: { exhausted: "review" }, plane });
    expect(exchange.status).toBe(422);
    const [review] = reviews;
    expect(review?.candidates.map(({ target, text }) => [target, text])).toEqual([
      ["b/m", "B"],
      ["a/m", "A"],
    ]);
    expect(JSON.parse(review?.candidates[0]?.answer ?? "")).toMatchObject({ confidence: { decision: "doubted" } });
    const { error } = JSON.parse(exchange.text) as {
      readonly error: { readonly message: string; readonly metadata: object };
    };
    expect(error.message).toContain(review?.id);
    expect(error.metadata).toMatchObject({
      review_id: review?.id,
      best_answer: { choices: [{ message: { content: "B" } }] },
    });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "doubted" });
    expect(onlyRecord(world)).toMatchObject({ decision: "doubted", code: "low_confidence", review: review?.id });
  });

  it("tells a caller who can wait where the decision will be", async () => {
    const plane = reviewsInto([]);
    const world = gatedWorld({ targets: ["a/m"], rule: { exhausted: "review" }, plane });
    const { exchange, done: served } = await world.chat({ hedgerow: { confidence: { pending: true } } });
    world.request(0).json(whole("A", unsure));
    await served;
    expect(exchange.status).toBe(202);
    const body = JSON.parse(exchange.text) as Record<string, unknown>;
    expect(body).toMatchObject({
      object: "hedgerow.review",
      status: "pending",
      url: `/v1/reviews/${String(body["review_id"])}`,
    });
    expect(onlyRecord(world)).toMatchObject({
      decision: "doubted",
      status: 202,
      committed: false,
      review: body["review_id"],
    });
  });

  it("says so where no person can be asked", async () => {
    const { exchange } = await ask({ rule: { exhausted: "review" } });
    expect(exchange.status).toBe(422);
    expect(exchange.text).toContain("no review could be opened");
  });

  it("takes a failure after a doubt for no error", async () => {
    const world = gatedWorld({ rule: { exhausted: "best" }, route: { maxAttempts: 1 } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await world.settle();
    world.request(1).json({ error: { message: "down" } }, 500);
    await served;
    expect(exchange.status).toBe(200);
    expect(exchange.text).toContain('"content":"A"');
    expect(onlyRecord(world)).toMatchObject({ decision: "doubted" });
  });

  it("gives the best scored answer when the time is over, whatever the rule says", async () => {
    const world = gatedWorld({ route: { timeouts: { totalMs: 10_000 } } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await world.advance(10_000);
    await served;
    expect(exchange.status).toBe(200);
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { decision: "deadline", low_confidence: true } });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "deadline" });
    expect(onlyRecord(world)).toMatchObject({ decision: "deadline" });
  });

  it("asks nobody else once the call has cost what it may", async () => {
    const world = gatedWorld({ rule: { exhausted: "best", maxCostNanoUsd: 1 } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await served;
    expect(world.sent).toHaveLength(1);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "doubted" });
  });

  it("never gives the call of a tool that cannot be undone because it is the best there is", async () => {
    const world = gatedWorld({ targets: ["a/m"], rule: { exhausted: "best", min: 0.1, irreversibleTools: ["pay*"] } });
    const tool = { type: "function", function: { name: "pay_out", parameters: { type: "object" } } };
    const { exchange, done: served } = await world.chat({ tools: [tool] });
    const call = { id: "t1", type: "function", function: { name: "pay_out", arguments: "{}" } };
    world.request(0).json({
      ...whole("", sure),
      choices: [
        { index: 0, message: { role: "assistant", content: null, tool_calls: [call] }, finish_reason: "tool_calls" },
      ],
    });
    await served;
    expect(exchange.status).toBe(422);
  });
});
