import { describe, expect, it } from "vitest";
import type { Route } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "../pipeline/pipeline-world.ts";

/** Three shops of one operator and two others, the three first, as a list by name would have them. */
const shops = [
  sampleProvider("direct", { operator: "anthropic" }),
  sampleProvider("on-aws", { operator: "anthropic" }),
  sampleProvider("on-azure", { operator: "anthropic" }),
  sampleProvider("bedrock", { operator: "aws" }),
  sampleProvider("vertex", { operator: "google" }),
];

interface Tally {
  readonly calls: number;
  readonly answered: number;
  readonly attempts: number;
  readonly firstTargets: readonly string[];
}

/** Calls one after another, one a second, while one operator is down. */
async function throughOutage(route: Partial<Route>, calls: number): Promise<Tally> {
  const providers = shops.map((shop, at) => ({ ...shop, origin: `http://127.0.0.${at + 1}:1` }));
  const down = new Set(providers.slice(0, 3).map(({ origin }) => origin));
  const targets = providers.map(({ id }) => `${id}/claude`);
  const world = new PipelineWorld(providers, [sampleRoute("main", targets, route)]);
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
    const calls = 200;
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
