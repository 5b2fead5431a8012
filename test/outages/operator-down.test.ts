import { describe, expect, it } from "vitest";
import type { Route } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "../pipeline/pipeline-world.ts";

/** Three shops of one operator and two others, the three first, as a list by name would have them. */
const shops = [
  sampleProvider("direct", { operator: "anthropic", origin: "http://127.0.0.1:1" }),
  sampleProvider("on-aws", { operator: "anthropic", origin: "http://127.0.0.2:1" }),
  sampleProvider("on-azure", { operator: "anthropic", origin: "http://127.0.0.3:1" }),
  sampleProvider("bedrock", { operator: "aws", origin: "http://127.0.0.4:1" }),
  sampleProvider("vertex", { operator: "google", origin: "http://127.0.0.5:1" }),
];

interface Tally {
  readonly calls: number;
  readonly answered: number;
  readonly attempts: number;
  readonly firstTargets: readonly string[];
}

/** Calls one after another, one a second, while one operator is down. */
async function throughOutage(route: Partial<Route>, calls: number): Promise<Tally> {
  const down = new Set(shops.slice(0, 3).map(({ origin }) => origin));
  const targets = shops.map(({ id }) => `${id}/claude`);
  const world = new PipelineWorld(shops, [sampleRoute("main", targets, route)]);
  let handled = 0;
  for (let call = 0; call < calls; call += 1) {
    const { done } = await world.chat();
    while (handled < world.sent.length) {
      const request = world.request(handled);
      handled += 1;
      if (down.has(request.request.origin)) request.json({ error: { message: "down" } }, 500);
      else request.json(completion("hello"));
      await world.settle();
    }
    await done;
    await world.advance(1_000);
  }
  return {
    calls,
    answered: world.records.filter(({ decision }) => decision !== "failed").length,
    attempts: handled,
    firstTargets: (world.records[0]?.attempts ?? []).map(({ target }) => target),
  };
}

describe("three shops of one operator down", () => {
  it("leaves the operator after the first evidence, where an ordered list goes on from shop to shop", async () => {
    const calls = 60;
    const list = await throughOutage({ spread: "none" }, calls);
    const spread = await throughOutage({}, calls);
    const bySuccess = await throughOutage({ order: "success" }, calls);
    for (const [name, { answered, attempts }] of Object.entries({ list, spread, bySuccess })) {
      const each = (attempts / answered).toFixed(3);
      console.info(`${name}: ${answered} of ${calls} calls answered, ${each} attempts per success`);
    }
    expect(spread.firstTargets).toEqual(["direct/claude", "bedrock/claude"]);
    expect(list.firstTargets).toEqual(["direct/claude", "on-aws/claude", "on-azure/claude"]);
    expect([spread.answered, bySuccess.answered]).toEqual([calls, calls]);
    expect(list.answered).toBeLessThan(calls);
    expect(spread.attempts / spread.answered).toBeLessThan(list.attempts / list.answered);
    // By success the first failure is enough to ask somebody else first from then on.
    expect(bySuccess.attempts).toBeLessThanOrEqual(calls + 3);
  });
});
