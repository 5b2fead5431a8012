import { describe, expect, it } from "vitest";
import { attemptSpanId, readTraceContext, traceIdOf } from "#domain/trace";
import type { Snapshot } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld, type Asked } from "./pipeline-world.ts";

const id = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";
const traceparent = `00-${id}-${parent}-01`;

function worldOf(more: Partial<Snapshot> = {}): PipelineWorld {
  const providers = [sampleProvider("a"), sampleProvider("b", { operator: "other" })];
  return new PipelineWorld(providers, [sampleRoute("main", ["a/m", "b/m"])], more);
}

/** A call that fails at its first target and is answered by its second. */
async function failedOver(world: PipelineWorld, headers: Asked["headers"] = {}) {
  const body = { model: "main", messages: [{ role: "user", content: "hi" }] };
  const { done } = await world.ask({ headers, body });
  await world.advance(5);
  world.request(0).json({ error: { message: "x" } }, 500);
  await world.advance(2_000);
  world.request(1).json(completion("hello"));
  await done;
  const [record] = world.records;
  if (record === undefined) throw new Error("no record");
  return { record, sent: world.sent.map(({ request }) => request.headers) };
}

describe("Trace context", () => {
  it("of a call is in its record, and goes to no provider unasked", async () => {
    const { record, sent } = await failedOver(worldOf(), { traceparent, tracestate: "rojo=1" });
    expect(record.trace).toEqual({ id, parent, sampled: true, state: "rojo=1" });
    for (const headers of sent) expect(Object.keys(headers).filter((name) => name.startsWith("trace"))).toEqual([]);
  });

  it("leaves nothing where there is none, or a broken one", async () => {
    for (const headers of [{}, { traceparent: "00-abc-def-01" }, { tracestate: "rojo=1" }]) {
      const { record } = await failedOver(worldOf(), headers);
      expect(record).not.toHaveProperty("trace");
    }
  });

  it("is in the record of a call that was turned away", async () => {
    const world = worldOf();
    const { done } = await world.ask({ headers: { traceparent }, upload: Promise.resolve({ kind: "gone" }) });
    await done;
    expect(world.records[0]).toMatchObject({ decision: "aborted", trace: { id } });
  });

  it("reaches providers where that is wished, each attempt under the span that its record gives", async () => {
    const { record, sent } = await failedOver(worldOf({ tracing: { share: 1 } }), {
      traceparent,
      tracestate: "rojo=1",
    });
    expect(record.attempts).toHaveLength(2);
    for (const [at, { target, startedMs }] of record.attempts.entries()) {
      const span = attemptSpanId(record.id, target, startedMs);
      expect(sent[at]).toMatchObject({ traceparent: `00-${id}-${span}-01`, tracestate: "rojo=1" });
    }
    expect(sent[0]?.["traceparent"]).not.toBe(sent[1]?.["traceparent"]);
  });

  it("begins here where the call brought none: kept or not by the share that is kept", async () => {
    for (const share of [0, 1]) {
      const { record, sent } = await failedOver(worldOf({ tracing: { share } }));
      expect(record).not.toHaveProperty("trace");
      for (const headers of sent) {
        expect(readTraceContext(headers)).toMatchObject({ id: traceIdOf(record.id), sampled: share === 1 });
      }
    }
  });
});
