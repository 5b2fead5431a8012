import { describe, expect, it } from "vitest";
import { failure, type FailureKind } from "#domain/failure";
import { brokenTargets } from "#pipeline/broken-targets";
import { Health } from "#policy/health";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

const snapshot = sampleSnapshot(
  [sampleProvider("a"), sampleProvider("b")],
  [sampleRoute("one", ["a/m", "a/n", "b/m"]), sampleRoute("two", ["a/m"])],
);

function parked(kind: FailureKind, provider = "a"): Health {
  const health = new Health();
  for (let n = 0; n < 5; n += 1) {
    health.failed({ provider, model: "m", credential: `${provider}#1` }, failure(kind, "x"), 0);
  }
  return health;
}

const told = (health: Health, nowMs = 0): readonly string[] =>
  brokenTargets(health, snapshot, nowMs).map(({ target }) => target.id);

describe("what is broken", () => {
  it("is all that routes ask of an endpoint that is down, and one model where only that fails", () => {
    expect(told(parked("unreachable"))).toEqual(["a/m", "a/n"]);
    expect(told(parked("upstream_failed"))).toEqual(["a/m"]);
  });

  it("is nothing that refuses, nor what no provider of the configuration is", () => {
    expect(told(parked("rate_limited"))).toEqual([]);
    expect(told(parked("upstream_overloaded"))).toEqual([]);
    expect(told(parked("credential_rejected"))).toEqual([]);
    expect(told(parked("unreachable", "gone"))).toEqual([]);
  });

  it("is looked for once a second", () => {
    const health = new Health();
    expect(told(health, 0)).toEqual([]);
    for (let n = 0; n < 5; n += 1) {
      health.failed({ provider: "b", model: "m", credential: "b#1" }, failure("unreachable", "x"), 1);
    }
    expect(told(health, 999)).toEqual([]);
    expect(told(health, 1000)).toEqual(["b/m"]);
  });
});

it("chooses the backups of one route by what a call of another learned", async () => {
  const operators = { direct: "anthropic", foundry: "anthropic", bedrock: "aws", openai: "openai" };
  const providers = Object.entries(operators).map(([id, operator]) => sampleProvider(id, { operator }));
  const world = new PipelineWorld(providers, [
    sampleRoute("solo", ["direct/m"]),
    sampleRoute("main", ["openai/m", "foundry/m", "bedrock/m"]),
  ]);
  const asked = async (model: string, statuses: readonly number[]): Promise<void> => {
    const { done } = await world.chat({ model });
    for (const status of statuses) {
      const request = world.request(world.sent.length - 1);
      if (status === 0) request.fail("unreachable");
      else request.json(status === 200 ? completion("hi") : { error: { message: "x" } }, status);
      await world.advance(status === 200 ? 0 : 600);
    }
    await done;
  };
  await asked("main", [500, 200]);
  expect(world.records.at(-1)?.attempts.map(({ provider }) => provider)).toEqual(["openai", "foundry"]);
  for (let call = 0; call < 3; call += 1) await asked("solo", [0, 0]);
  await asked("main", [500, 200]);
  expect(world.records.at(-1)?.attempts.map(({ provider }) => provider)).toEqual(["openai", "bedrock"]);
});
