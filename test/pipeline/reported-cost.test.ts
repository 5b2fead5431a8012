import { expect, it } from "vitest";
import type { ModelTraits } from "#domain/model";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

const usd = (perMillion: number) => perMillion * 1e9;
const from = { source: "test", date: "2026-11-21" };
const traits: ModelTraits = {
  ...sampleTraits("maker/m", 100_000),
  price: {
    input: usd(2),
    output: usd(10),
    inputAudio: usd(20),
    modes: [{ name: "fast", asked: { service_tier: "priority" }, input: usd(4), output: usd(20), from }],
    from,
  },
};

/** The one record of a call whose answer carries these fields. */
async function recordOf(fields: object) {
  const provider = { ...sampleProvider("a"), models: new Map([["m", traits]]) };
  const world = new PipelineWorld([provider], [sampleRoute("main", ["a/m"])]);
  const call = await world.chat();
  world.request(0).json({ ...completion("hello"), ...fields });
  await call.done;
  const [record] = world.records;
  return record;
}

const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

it("keeps what the provider says it charges beside what the price comes to", async () => {
  const record = await recordOf({ usage: { ...usage, cost_in_usd_ticks: 25_000_000 } });
  // 1,000 × $2 + 100 × $10 per million; 25,000,000 ticks of 10⁻¹⁰ USD.
  expect(record).toMatchObject({ costNanoUsd: 3_000_000, usage: { reportedCostNanoUsd: 2_500_000 } });
  expect(record?.attempts).toMatchObject([{ costNanoUsd: 3_000_000, usage: { reportedCostNanoUsd: 2_500_000 } }]);
  expect((await recordOf({ usage }))?.usage).not.toHaveProperty("reportedCostNanoUsd");
});

it("prices audio and a special service by their own rates, and leaves what has none without a cost", async () => {
  const audio = { ...usage, prompt_tokens_details: { audio_tokens: 400 } };
  // 600 × $2 + 400 × $20 + 100 × $10 per million.
  expect(await recordOf({ usage: audio })).toMatchObject({ costNanoUsd: 10_200_000 });
  expect(await recordOf({ usage, service_tier: "priority" })).toMatchObject({ costNanoUsd: 6_000_000 });
  expect(await recordOf({ usage, service_tier: "flex" })).not.toHaveProperty("costNanoUsd");
});
