import { expect, it } from "vitest";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { chunk, done, finishChunk, PipelineWorld } from "./pipeline-world.ts";

it("learns how soon targets begin from streamed answers, and serves who asks for the fastest or for a ceiling", async () => {
  const world = new PipelineWorld(
    [sampleProvider("slow"), sampleProvider("fast")],
    [sampleRoute("main", ["slow/m", "fast/m"])],
  );
  const call = async (body: object, waitMs: number): Promise<string> => {
    const { exchange, done: served } = await world.chat({ stream: true, ...body });
    const request = world.request(world.sent.length - 1).head();
    await world.advance(waitMs);
    request.bytes(chunk("hi") + finishChunk + done).end();
    await served;
    return String(exchange.fields["x-hedgerow-provider"]);
  };
  expect(await call({ hedgerow: { sort: "latency" } }, 2000)).toBe("slow");
  for (let at = 1; at < 20; at += 1) await call({}, 2000);
  for (let at = 0; at < 20; at += 1) await call({ provider: { order: ["fast"] } }, 300);
  await world.advance(10_000);
  expect(await call({}, 2000)).toBe("slow");
  expect(await call({ hedgerow: { sort: "latency" } }, 300)).toBe("fast");
  expect(await call({ hedgerow: { max_latency_ms: 1000 } }, 300)).toBe("fast");
  const { plan } = world.records.at(-1) ?? {};
  expect(plan?.skipped).toEqual([
    { target: "slow/m", why: "begins within 2000 ms for 95 % of 21 calls, and 1000 ms were asked for" },
  ]);
});
