import { describe, expect, it } from "vitest";
import type { ModelTraits } from "#domain/model";
import type { RouteTarget } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

const traits = (tools: boolean): ModelTraits => ({
  name: `vendor/${tools ? "able" : "plain"}`,
  capabilities: { tools },
  from: { source: "test", date: "2026-11-21" },
});
const providers = [
  sampleProvider("a", { models: new Map([["m", traits(true)]]) }),
  sampleProvider("b", { models: new Map([["m", traits(false)]]) }),
  sampleProvider("c", { models: new Map([["m", traits(true)]]) }),
];

/** Who is asked when the first target fails. */
async function backupOf(world: PipelineWorld, body: object = {}): Promise<string | undefined> {
  const { done } = await world.chat(body);
  world.request(0).fail("connection_lost");
  await world.settle();
  world.sent[1]?.json(completion("hello"));
  await done;
  return world.records.at(-1)?.attempts[1]?.provider;
}

const withSecond = (second: RouteTarget) => {
  const route = sampleRoute("main", ["a/m", "b/m", "c/m"]);
  return { ...route, targets: route.targets.map((each) => (each.provider === "b" ? second : each)) };
};
const plain = { provider: "b", model: "m", lastResort: false };

describe("a backup that cannot call tools, where the first target can", () => {
  it("is passed over when the first fails, and the record says why", async () => {
    const world = new PipelineWorld(providers, [withSecond(plain)]);
    expect(await backupOf(world)).toBe("c");
    expect(JSON.stringify(world.records.at(-1)?.plan)).toContain("tools: the backup cannot call tools");
  });

  it("is asked where the route allows it by name", async () => {
    const world = new PipelineWorld(providers, [withSecond({ ...plain, despite: ["critical"] })]);
    expect(await backupOf(world)).toBe("b");
  });

  it("is asked where the caller names it", async () => {
    const world = new PipelineWorld(providers, [withSecond(plain)]);
    expect(await backupOf(world, { model: undefined, models: ["a/m", "b/m"] })).toBe("b");
  });
});
