import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { placeOf } from "#policy/health";
import type { PipelineWorld } from "./pipeline-world.ts";
import { bodyOf, gatedWorld, onlyRecord, sure, unsure, whole } from "./gated-world.ts";

const long = "The tower was built in the year 1889, when the exhibition opened, and it has stood there ever since.";

function breakDown(world: PipelineWorld, provider: string): void {
  const place = placeOf({ provider, model: "m", credential: `${provider}#1` }, "generate");
  for (let n = 0; n < 20; n += 1) {
    const visit = world.health.begin(place, world.clock.nowMs(), () => String(n));
    visit.failed(failure("upstream_failed", "down"), world.clock.nowMs(), 0.5);
  }
}

describe("A rule that trusts the last target", () => {
  it("gives its answer whatever it scores, and nobody is paid to judge it", async () => {
    const world = gatedWorld({ rule: { trustLast: true, estimator: "judge", judge: "j/m" } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole(long));
    await world.settle();
    expect(world.request(1).request.headers["authorization"]).toBe("Bearer sk-j");
    world.request(1).json(whole("N"));
    await world.settle();
    world.request(2).json(whole("Another."));
    await served;
    expect(world.sent).toHaveLength(3);
    expect(exchange.status).toBe(200);
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence_score: null, confidence: { decision: "observed" } });
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "escalated", "x-hedgerow-confidence": "none" });
    expect(onlyRecord(world).attempts[1]?.judgement?.why).toContain("trusted by the rule");
  });

  it("still tells what its tokens say, which is free, and asks nobody before it in vain", async () => {
    const world = gatedWorld({ rule: { trustLast: true } });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await world.settle();
    expect(bodyOf(world.request(1))).toMatchObject({ logprobs: true });
    world.request(1).json(whole("B", unsure));
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({
      confidence_score: expect.any(Number) as number,
      confidence: { decision: "observed" },
    });
    const sureWorld = gatedWorld({ rule: { trustLast: true } });
    const first = await sureWorld.chat();
    sureWorld.request(0).json(whole("A", sure));
    await first.done;
    expect(JSON.parse(first.exchange.text)).toMatchObject({ confidence: { decision: "accepted" } });
  });

  it("is trusted, too, where the others were doubted and who is left has broken down meanwhile", async () => {
    const world = gatedWorld({ rule: { trustLast: true }, targets: ["a/m", "b/m", "c/m"] });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await world.settle();
    breakDown(world, "c");
    world.request(1).json(whole("B", unsure));
    await served;
    expect(world.sent).toHaveLength(2);
    expect(JSON.parse(exchange.text)).toMatchObject({ confidence: { decision: "observed" } });
  });

  it("is not the first, because the others are down: nobody was doubted before it", async () => {
    const world = gatedWorld({ rule: { trustLast: true } });
    const { exchange, done: served } = await world.chat();
    breakDown(world, "b");
    world.request(0).json(whole("A", unsure));
    await served;
    expect(exchange.status).toBe(422);
  });

  it("is not the first of a route that stands alone in the plan, because the rest was down before", async () => {
    const world = gatedWorld({ rule: { trustLast: true } });
    breakDown(world, "b");
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await served;
    expect(exchange.status).toBe(422);
  });

  it("does not give what a hard gate refused", async () => {
    const world = gatedWorld({ rule: { trustLast: true }, targets: ["a/m"] });
    const { exchange, done: served } = await world.chat({ response_format: { type: "json_object" } });
    world.request(0).json(whole("no JSON", sure));
    await served;
    for (const bug of world.bugs) throw bug;
    expect(exchange.status).toBe(422);
  });
});

describe("A gate", () => {
  it("judges one answer, and says so to whoever asks for several before anybody is paid", async () => {
    const world = gatedWorld();
    const { exchange, done: served } = await world.chat({ n: 2 });
    await served;
    expect(exchange.status).toBe(400);
    expect(JSON.parse(exchange.text)).toMatchObject({ error: { code: "invalid_request", param: "n" } });
    expect(world.sent).toEqual([]);
    expect(onlyRecord(world)).toMatchObject({ decision: "refused", attempts: [] });
  });

  it("asks nobody else once the price of an answer is not known, where the call may cost only so much", async () => {
    const world = gatedWorld({
      rule: { exhausted: "best", maxCostNanoUsd: 1_000_000_000 },
      provider: (id) => (id === "a" ? { models: new Map() } : {}),
    });
    const { exchange, done: served } = await world.chat();
    world.request(0).json(whole("A", unsure));
    await served;
    expect(world.sent).toHaveLength(1);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "doubted" });
  });
});
