import { describe, expect, it } from "vitest";
import type { CallRecord } from "#domain/record";
import type { Route } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

const providers = [
  sampleProvider("direct", { operator: "anthropic", owner: "gcp" }),
  sampleProvider("foundry", { operator: "anthropic", owner: "azure" }),
  sampleProvider("bedrock", { operator: "aws", owner: "aws" }),
];

/** The record of one call: the requests that are made one after another are answered so. */
async function recorded(route: Partial<Route>, statuses: readonly number[], body: object = {}): Promise<CallRecord> {
  const targets = ["direct/claude", "foundry/claude", "bedrock/claude"];
  const world = new PipelineWorld(providers, [sampleRoute("main", targets, route)]);
  const { done } = await world.chat(body);
  for (const [at, status] of statuses.entries()) {
    world.request(at).json(status === 200 ? completion("hello") : { error: { message: "x" } }, status);
    await world.settle();
  }
  await done;
  const [record] = world.records;
  if (record === undefined) throw new Error("no record");
  return record;
}

describe("the record of a plan", () => {
  it("says why the first was asked, of which graph and groups it is, and no more where all is well", async () => {
    const record = await recorded({}, [200]);
    expect(record.graph).toBe("000000000000");
    expect(record.plan).toEqual({
      chosen: [{ target: "direct/claude", why: "first in the order given" }],
      skipped: [],
    });
    expect(record.attempts[0]?.groups).toEqual(expect.arrayContaining(["provider:direct", "operator:anthropic"]));
    expect(JSON.stringify([record.plan, record.graph]).length).toBeLessThan(200);
  });

  it("says of each backup how it is apart from what failed, and of who was passed over what it shares", async () => {
    const record = await recorded({ spread: "operator" }, [500, 200]);
    expect(record).toMatchObject({
      decision: "recovered",
      plan: {
        chosen: [
          { target: "direct/claude", why: "first in the order given" },
          {
            target: "bedrock/claude",
            why: "operator:aws is apart from the failed one, direct/claude (upstream failed)",
          },
        ],
        skipped: [
          {
            target: "foundry/claude",
            why: "shares operator:anthropic with the failed one, direct/claude (upstream failed)",
          },
        ],
      },
    });
  });

  it("names what a constraint left out, and does not name as left out who was asked in the end", async () => {
    const left = await recorded({}, [200], { provider: { ignore: ["direct"] } });
    expect(left.plan).toEqual({
      chosen: [{ target: "foundry/claude", why: "first in the order given" }],
      skipped: [{ target: "direct/claude", why: "the request leaves this provider out" }],
    });
    const all = await recorded({}, [500, 500, 200]);
    expect(all.plan?.chosen.map(({ target }) => target)).toEqual(["direct/claude", "bedrock/claude", "foundry/claude"]);
    expect(all.plan?.skipped).toEqual([]);
  });

  it("is short, however long the reasons are", async () => {
    const order = Array.from({ length: 40 }, (_, at) => sampleProvider(`p${at}`, { jurisdiction: "x".repeat(400) }));
    const names = order.map(({ id }) => `${id}/m`);
    const world = new PipelineWorld(
      [...order, sampleProvider("eu", { jurisdiction: "EU" })],
      [sampleRoute("main", [...names, "eu/m"], { constraints: { jurisdictions: ["EU"] } })],
    );
    const { done } = await world.chat();
    world.request(0).json(completion("hello"));
    await done;
    const plan = world.records[0]?.plan;
    expect(plan?.chosen.map(({ target }) => target)).toEqual(["eu/m"]);
    expect(plan?.skipped).toHaveLength(20);
    expect(Math.max(...(plan?.skipped ?? []).map(({ why }) => why.length))).toBe(241);
  });
});
