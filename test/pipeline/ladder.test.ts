import { describe, expect, it } from "vitest";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { chunk, completion, done, finishChunk, PipelineWorld } from "./pipeline-world.ts";

const remotes = ["a", "b", "c", "d"] as const;

/** Remote targets of four operators, and a model of one's own as the last resort. */
function edgeWorld(remote: readonly string[] = remotes.slice(0, 2), more = {}): PipelineWorld {
  return new PipelineWorld(
    [...remote.map((id) => sampleProvider(id, { operator: id })), sampleProvider("local", { operator: "ours" })],
    [
      sampleRoute("main", [], {
        targets: [
          ...remote.map((provider) => ({ provider, model: "m", lastResort: false })),
          { provider: "local", model: "small", lastResort: true },
        ],
        ...more,
      }),
    ],
  );
}

const whoIsAsked = (world: PipelineWorld, from: number): readonly string[] =>
  world.sent.slice(from).map(({ request }) => request.headers["authorization"] ?? "");

/** Whoever is asked cannot be reached but for one's own model, until it has answered. */
async function withoutNetwork(world: PipelineWorld, ask = world.chat()): Promise<Awaited<typeof ask>["exchange"]> {
  let at = world.sent.length;
  const { exchange, done } = await ask;
  while (!exchange.ended) {
    const sent = world.request(at);
    at += 1;
    if (sent.request.headers["authorization"] === "Bearer sk-local") sent.json(completion("from the cupboard"));
    else sent.fail("unresolvable");
    await world.settle();
  }
  await done;
  return exchange;
}

describe("The ladder from remote to one's own model to a refusal", () => {
  it("ends at one's own model, and says that the answer is degraded", async () => {
    const world = edgeWorld();
    const exchange = await withoutNetwork(world);
    expect(exchange.status).toBe(200);
    expect(exchange.text).toContain("from the cupboard");
    expect(exchange.fields).toMatchObject({
      "x-hedgerow-decision": "degraded",
      "x-hedgerow-provider": "local",
      "x-hedgerow-attempts": "3",
    });
    expect(world.records[0]).toMatchObject({ decision: "degraded", status: 200 });
  });

  it("reaches one's own model although the attempts, or the retry budget, are used up before", async () => {
    const world = edgeWorld(remotes, { maxAttempts: 2 });
    expect((await withoutNetwork(world)).fields).toMatchObject({
      "x-hedgerow-decision": "degraded",
      "x-hedgerow-attempts": "3",
    });
    const poor = edgeWorld(remotes);
    const budget = poor.plane.retryBudgets.of("main");
    while (budget.open(poor.clock.nowMs()) !== undefined);
    expect((await withoutNetwork(poor)).fields).toMatchObject({
      "x-hedgerow-decision": "degraded",
      "x-hedgerow-attempts": "2",
    });
  });

  it("says so at the head of a stream", async () => {
    const world = edgeWorld(["a"]);
    const { exchange, done: served } = await world.chat({ stream: true });
    world.request(0).fail("unreachable");
    await world.settle();
    world
      .request(1)
      .head()
      .bytes(chunk("from") + finishChunk + done)
      .end();
    await served;
    expect(exchange.text).toContain("from");
    expect(exchange.fields["x-hedgerow-decision"]).toBe("degraded");
  });

  it("is not climbed down for what no other target would do better with", async () => {
    const world = edgeWorld();
    const { exchange, done } = await world.chat();
    world.request(0).json({ error: { type: "invalid_request_error", message: "bad field" } }, 400);
    await done;
    expect(world.sent).toHaveLength(1);
    expect(exchange.status).toBe(400);
  });

  it("asks one's own model at once where all others could not be reached a moment ago", async () => {
    const world = edgeWorld();
    await withoutNetwork(world);
    const before = world.sent.length;
    const exchange = await withoutNetwork(world);
    expect(whoIsAsked(world, before)).toEqual(["Bearer sk-local"]);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-decision": "degraded", "x-hedgerow-attempts": "1" });
    expect(world.records[1]?.plan?.chosen).toMatchObject([
      { target: "local/small", why: "asked at once: nobody else could be reached a moment ago" },
    ]);
  });

  it("looks for the others now and then, one call at a time, and is climbed again by itself", async () => {
    const world = edgeWorld();
    await withoutNetwork(world);
    let looked = 0;
    for (let second = 0; second < 20; second += 1) {
      await world.advance(1_000);
      const before = world.sent.length;
      await withoutNetwork(world);
      const asked = whoIsAsked(world, before);
      expect(asked.length).toBeLessThanOrEqual(2);
      if (asked.length === 2) looked += 1;
    }
    expect(looked).toBeGreaterThanOrEqual(3);
    expect(looked).toBeLessThanOrEqual(5);
    // The network is back: within one interval of looking, a call is answered by a remote target again.
    let answered = "";
    for (let second = 0; second < 7 && answered === ""; second += 1) {
      await world.advance(1_000);
      const { exchange, done } = await world.chat();
      world.sent.at(-1)?.json(completion("hello"));
      await done;
      if (exchange.fields["x-hedgerow-decision"] !== "degraded")
        answered = String(exchange.fields["x-hedgerow-provider"]);
    }
    expect(["a", "b"]).toContain(answered);
    // And so is every call from then on.
    const { exchange, done: next } = await world.chat();
    world.sent.at(-1)?.json(completion("hello"));
    await next;
    expect(exchange.fields).toMatchObject({ "x-hedgerow-provider": answered, "x-hedgerow-decision": "answered" });
  });

  it("asks those of whom nothing is known before those that could not be reached", async () => {
    const world = edgeWorld(["a", "b"]);
    const { done } = await world.chat();
    world.request(0).fail("connect_timeout");
    await world.settle();
    world.request(1).json(completion("b"));
    await done;
    const { exchange, done: next } = await world.chat();
    world.request(2).json(completion("b"));
    await next;
    expect(exchange.fields).toMatchObject({ "x-hedgerow-provider": "b", "x-hedgerow-decision": "answered" });
  });

  it("does not take a provider that refuses for one that cannot be reached", async () => {
    const world = edgeWorld(["a"]);
    for (let n = 0; n < 3; n += 1) {
      const { done } = await world.chat();
      world.sent.at(-1)?.json({ error: { message: "busy" } }, 500);
      await world.settle();
      world.sent.at(-1)?.json(completion("local"));
      await done;
    }
    expect(whoIsAsked(world, 0)).toEqual(Array.from({ length: 3 }, () => ["Bearer sk-a", "Bearer sk-local"]).flat());
  });

  it("refuses with the reason where one's own model fails as well", async () => {
    const world = edgeWorld(["a"]);
    const { exchange, done } = await world.chat();
    world.request(0).fail("unresolvable");
    await world.settle();
    world.request(1).fail("unreachable");
    await done;
    expect(exchange.status).toBe(503);
    expect(JSON.parse(exchange.text)).toMatchObject({
      error: {
        metadata: {
          code: "no_capacity",
          attempts: [
            { target: "a/m", failure: "unresolvable" },
            { target: "local/small", failure: "unreachable" },
          ],
        },
      },
    });
  });

  it("leaves routes without a model of one's own as they are", async () => {
    const world = new PipelineWorld(
      [sampleProvider("a", { operator: "a" }), sampleProvider("b", { operator: "b" })],
      [sampleRoute("main", ["a/m", "b/m"])],
    );
    const { exchange, done } = await world.chat();
    world.request(0).fail("unresolvable");
    await world.settle();
    world.request(1).json(completion("b"));
    await done;
    expect(exchange.fields["x-hedgerow-decision"]).toBe("recovered");
    const { done: next } = await world.chat();
    expect(whoIsAsked(world, 2)).toEqual(["Bearer sk-a"]);
    world.request(2).json(completion("a"));
    await next;
  });
});
