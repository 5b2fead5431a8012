import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HedgeRule, ProviderSpec, Route } from "#domain/snapshot";
import { placeOf } from "#policy/health";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { chunk, completion, done, finishChunk, PipelineWorld, type SentRequest } from "./pipeline-world.ts";

const rule: HedgeRule = { share: 0.02, sideEffects: false };
const usualMs = 1_000;

const providers = (second: Partial<ProviderSpec> = { operator: "beta" }): readonly ProviderSpec[] => [
  sampleProvider("a", { operator: "alpha" }),
  sampleProvider("b", second),
];

interface Setting {
  readonly hedge?: Partial<HedgeRule>;
  readonly second?: Partial<ProviderSpec>;
  readonly route?: Partial<Route>;
  readonly calls?: number;
  readonly samples?: number;
}

/** A route whose first target is known to take a second, with enough traffic for one hedge. */
function hedgedWorld({ hedge = {}, second, route = {}, calls = 50, samples = 50 }: Setting = {}): PipelineWorld {
  const world = new PipelineWorld(providers(second), [
    sampleRoute("main", ["a/m", "b/m"], { hedge: { ...rule, ...hedge }, ...route }),
  ]);
  for (let n = 0; n < calls; n += 1) world.plane.retryBudgets.of("main").deposit(world.clock.nowMs());
  for (const key of ["a/m", "a/m in one piece"]) {
    for (let n = 0; n < samples; n += 1) world.plane.speeds.note(key, { firstContentMs: usualMs }, world.clock.nowMs());
  }
  return world;
}

const answer = (sent: SentRequest, ...words: readonly string[]): void => {
  sent.head();
  for (const word of words) sent.bytes(chunk(word));
  sent.bytes(finishChunk + done).end();
};

describe("Hedging", () => {
  it("is off where the route does not ask for it", async () => {
    const world = new PipelineWorld(providers(), [sampleRoute("main", ["a/m", "b/m"])]);
    const { done: served } = await world.chat({ stream: true });
    await world.advance(10_000);
    expect(world.sent).toHaveLength(1);
    answer(world.request(0), "hi");
    await served;
  });

  it("asks another operator's target once the first is later than 95 of 100 calls; the first content wins", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs - 1);
    expect(world.sent).toHaveLength(1);
    await world.advance(1);
    expect(world.sent).toHaveLength(2);
    const [slow, quick] = [world.request(0), world.request(1)];
    slow.head();
    await world.advance(200);
    quick.head().bytes(chunk("quick"));
    // At once, not after the answer.
    expect(slow.cancelled).toBe(true);
    quick.bytes(finishChunk + done).end();
    await served;
    expect(exchange.text).toContain("quick");
    expect(exchange.fields).toMatchObject({
      "x-hedgerow-provider": "b",
      "x-hedgerow-attempts": "2",
      "x-hedgerow-decision": "recovered",
    });
    const [record] = world.records;
    expect(world.records).toHaveLength(1);
    expect(record).toMatchObject({ decision: "recovered", committed: true });
    expect(record?.attempts).toMatchObject([
      { target: "a/m", outcome: "outrun", startedMs: 0, endedMs: 1_200 },
      { target: "b/m", outcome: "answered", startedMs: usualMs },
    ]);
    expect(record?.attempts[0]?.usage).toMatchObject({ estimated: true, output: 0 });
    expect(record?.attempts[0]?.usage?.inputUncached).toBeGreaterThan(0);
    expect(record?.plan?.chosen[1]?.why).toBe("hedge: no content within 1000 ms, as 95 of 100 calls have it");
  });

  it("records what both cost, and the sum of it", async () => {
    const traits = {
      ...sampleTraits("v/m", 1_000),
      price: { input: 3e9, output: 15e9, from: { source: "test", date: "2026-11-21" } },
    };
    const models = new Map([["m", traits]]);
    const world = new PipelineWorld(
      [sampleProvider("a", { operator: "alpha", models }), sampleProvider("b", { operator: "beta", models })],
      [sampleRoute("main", ["a/m", "b/m"], { hedge: { ...rule, afterMs: 100, share: 1 } })],
    );
    const { done: served } = await world.chat();
    await world.advance(100);
    world.request(1).json(completion("second"));
    await served;
    const [first, second] = world.records[0]?.attempts ?? [];
    expect(first?.costNanoUsd).toBeGreaterThan(0);
    expect(second?.costNanoUsd).toBeGreaterThan(0);
    expect(world.records[0]?.costNanoUsd).toBe((first?.costNanoUsd ?? 0) + (second?.costNanoUsd ?? 0));
  });

  it("cancels the second where the first comes after all, which is then an ordinary answer", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(1_500);
    const [late, second] = [world.request(0), world.request(1)];
    late.head().bytes(chunk("late"));
    expect(second.cancelled).toBe(true);
    late.bytes(finishChunk + done).end();
    await served;
    expect(exchange.text).toContain("late");
    expect(exchange.fields).toMatchObject({ "x-hedgerow-attempts": "2", "x-hedgerow-decision": "answered" });
    expect(world.records[0]).toMatchObject({
      decision: "answered",
      attempts: [
        { target: "a/m", outcome: "answered" },
        { target: "b/m", outcome: "outrun" },
      ],
    });
  });

  it("hedges whole answers by the time that whole answers take", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat();
    await world.advance(usualMs);
    expect(world.sent).toHaveLength(2);
    world.request(1).json(completion("second"));
    expect(world.request(0).cancelled).toBe(true);
    await served;
    expect(JSON.parse(exchange.text)).toMatchObject({ choices: [{ message: { content: "second" } }] });
    expect(world.records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(["outrun", "answered"]);
  });

  it("counts nothing against who was slower, and gives its slot back", async () => {
    const world = hedgedWorld();
    const place = placeOf({ provider: "a", model: "m", credential: "a#1" });
    const { done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    expect(world.health.inFlight(place)).toBe(1);
    answer(world.request(1), "quick");
    await served;
    expect(world.health.inFlight(place)).toBe(0);
    expect(world.health.readiness(place, world.clock.nowMs())).toEqual({ kind: "ready" });
    expect(world.health.recentAt(place).outlook(world.clock.nowMs())).toEqual(
      new PipelineWorld(providers(), []).health.recentAt(place).outlook(world.clock.nowMs()),
    );
  });

  it("takes the answer of the second where the first fails in the meantime", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    world.request(0).fail("connection_lost");
    await world.settle();
    expect(world.sent).toHaveLength(2);
    answer(world.request(1), "quick");
    await served;
    expect(exchange.text).toContain("quick");
    expect(world.records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(["failed", "answered"]);
  });

  it("goes on to others where both fail", async () => {
    const world = new PipelineWorld(
      [...providers(), sampleProvider("c", { operator: "gamma" })],
      [sampleRoute("main", ["a/m", "b/m", "c/m"], { hedge: { ...rule, afterMs: 100, share: 1 } })],
    );
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(100);
    world.request(1).fail("connection_lost");
    world.request(0).head(500, { "content-type": "application/json" }).bytes("{}").end();
    await world.settle();
    answer(world.request(2), "third");
    await served;
    expect(exchange.text).toContain("third");
    expect(world.records[0]?.attempts.map(({ target }) => target)).toEqual(["a/m", "b/m", "c/m"]);
  });

  it("asks nobody else, and lets the second go, where the caller's own request is refused", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    const body = JSON.stringify({ error: { type: "invalid_request_error", message: "bad field" } });
    world.request(0).head(400, { "content-type": "application/json" }).bytes(body).end();
    await served;
    expect(world.request(1).cancelled).toBe(true);
    expect(world.sent).toHaveLength(2);
    expect(exchange.status).toBe(400);
  });

  it("cancels both when the client goes", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    exchange.leave();
    await served;
    expect(world.sent.map(({ cancelled }) => cancelled)).toEqual([true, true]);
    expect(world.records).toMatchObject([{ decision: "aborted", attempts: [{ target: "a/m" }, { target: "b/m" }] }]);
  });

  it("stops the upstream that answers when the client takes no more, and not the other", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    exchange.takes = false;
    world.request(0).head().bytes(chunk("one"));
    await world.settle();
    expect(world.request(0).paused).toBe(true);
    exchange.drain();
    expect(world.request(0).paused).toBe(false);
    world
      .request(0)
      .bytes(finishChunk + done)
      .end();
    await served;
  });

  it.each<readonly [string, Setting, object]>([
    ["too few calls have told how long the first usually takes", { samples: 49 }, {}],
    ["the route's share of hedges is used up", { calls: 48 }, {}],
    ["the call has tools", {}, { tools: [{ type: "function", function: { name: "pay" } }] }],
    ["the other target has the same operator", { second: { operator: "alpha" } }, {}],
    ["nobody says who runs the other target", { second: {} }, {}],
    ["a cancelled answer of the other is billed in full", { second: { kind: "groq", operator: "beta" } }, {}],
    ["only one attempt is allowed", { route: { maxAttempts: 1 } }, {}],
    [
      "the other is a last resort",
      {
        route: {
          targets: [
            { provider: "a", model: "m", lastResort: false },
            { provider: "b", model: "m", lastResort: true },
          ],
        },
      },
      {},
    ],
  ])("does not begin where %s", async (_, setting, body) => {
    const world = hedgedWorld(setting);
    const { done: served } = await world.chat({ stream: true, ...body });
    await world.advance(5 * usualMs);
    expect(world.sent).toHaveLength(1);
    answer(world.request(0), "hi");
    await served;
  });

  it("begins for calls with tools where the route allows it", async () => {
    const world = hedgedWorld({ hedge: { sideEffects: true } });
    const { done: served } = await world.chat({
      stream: true,
      tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
    });
    await world.advance(usualMs);
    expect(world.sent).toHaveLength(2);
    answer(world.request(1), "hi");
    await served;
  });

  it("does not begin where the retry budget is empty", async () => {
    const world = hedgedWorld({ hedge: { share: 1 } });
    const budget = world.plane.retryBudgets.of("main");
    while (budget.open(world.clock.nowMs()) !== undefined);
    const { done: served } = await world.chat({ stream: true });
    // The budget is one of the last ten seconds.
    await world.advance(usualMs);
    expect(world.sent).toHaveLength(1);
    answer(world.request(0), "hi");
    await served;
  });

  it("asks no more than the share of the calls twice", async () => {
    const world = hedgedWorld({ calls: 0, hedge: { afterMs: 100, share: 0.02 } });
    for (let n = 0; n < 200; n += 1) {
      const before = world.sent.length;
      const { done: served } = await world.chat({ stream: true });
      await world.advance(100);
      answer(world.request(world.sent.length - 1), "hi");
      await served;
      expect(world.sent.length - before).toBeLessThanOrEqual(2);
    }
    expect(world.sent).toHaveLength(204);
  });

  it("gives the client exactly one provider's answer, whatever the two do and when", async () => {
    const happening = fc.record({
      who: fc.constantFrom(0, 1),
      what: fc.constantFrom("head", "word", "word", "word", "finish", "cut", "refuse", "nothing"),
      afterMs: fc.constantFrom(0, 1, 50, 400),
    });
    const seen = { both: 0, answered: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 4, maxLength: 14 }), fc.boolean(), async (story, leaves) => {
        const world = hedgedWorld({ hedge: { afterMs: 40, share: 1 }, route: { maxAttempts: 2 } });
        const { exchange, done: served } = await world.chat({ stream: true });
        const heads = new Set<number>();
        for (const { who, what, afterMs } of story) {
          await world.advance(afterMs);
          const sent = world.sent[who];
          if (sent === undefined) continue;
          act(sent, { what, name: who === 0 ? "alpha" : "beta", isNew: !heads.has(who) });
          if (what !== "nothing" && what !== "cut") heads.add(who);
        }
        if (leaves) exchange.leave();
        await world.advance(700_000);
        await served;
        const spoke = ["alpha", "beta"].filter((name) => exchange.text.includes(name));
        expect(spoke.length).toBeLessThanOrEqual(1);
        expect(exchange.text.split("[DONE]").length).toBeLessThanOrEqual(2);
        expect(exchange.ended || exchange.destroyed).toBe(true);
        expect(world.bugs).toEqual([]);
        expect(world.records).toHaveLength(1);
        const { attempts } = world.records[0]!;
        const outcomes = attempts.map(({ outcome }) => outcome);
        // An answer without a word in it is none to give while another may come.
        const given = attempts.filter((each) => each.outcome !== "outrun" && each.firstContentMs !== undefined);
        expect(given.length).toBeLessThanOrEqual(1);
        expect(outcomes).toHaveLength(world.sent.length);
        for (const each of ["a", "b"]) {
          expect(world.health.inFlight(placeOf({ provider: each, model: "m", credential: `${each}#1` }))).toBe(0);
        }
        if (world.sent.length === 2) seen.both += 1;
        if (outcomes.includes("answered")) seen.answered += 1;
      }),
      { numRuns: 150 },
    );
    expect(seen.both).toBeGreaterThan(20);
    expect(seen.answered).toBeGreaterThan(10);
  });
});

function act(sent: SentRequest, { what, name, isNew }: { what: string; name: string; isNew: boolean }): void {
  const begin = (): SentRequest => (isNew ? sent.head() : sent);
  switch (what) {
    case "head":
      begin();
      return;
    case "word":
      begin().bytes(chunk(name));
      return;
    case "finish":
      begin()
        .bytes(finishChunk + done)
        .end();
      return;
    case "cut":
      sent.fail("connection_lost");
      return;
    case "refuse":
      if (isNew) sent.json({ error: { message: "busy", type: "server_error" } }, 500);
      return;
    default:
  }
}
