import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OtlpSpan } from "#control/telemetry/spans";
import { callSpanId, readTraceContext, traceIdOf } from "#domain/trace";
import { Collector, plainOf } from "../telemetry/collector.ts";
import { parseExposition } from "../telemetry/exposition.ts";
import { fails, ok, startUpstream } from "../upstream/start-upstream.ts";
import { eventually, Place } from "./gateway-process.ts";

let place: Place;
let collector: Collector;

beforeEach(async () => {
  place = new Place();
  collector = await Collector.start();
});

afterEach(async () => {
  await place.clear();
  await collector.stop();
});

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";
/** Far more than the route waits before it asks somebody else. */
const slowMs = 60_000;
const canary = "canary-prompt-of-a-caller";

/** A call that is answered; gives its id. */
async function ask(url: string, model: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: canary }] }),
  });
  expect(await answer.text()).toContain("[DONE]");
  return answer.headers.get("x-request-id") ?? "";
}

const spansOfCall = (id: string): readonly OtlpSpan[] => {
  const call = collector.spans.find(({ spanId }) => spanId === callSpanId(id));
  if (call === undefined) throw new Error("the call's span has not come yet");
  return [call, ...collector.spans.filter(({ parentSpanId }) => parentSpanId === call.spanId)];
};
const outcomesOf = (spans: readonly OtlpSpan[]) =>
  spans.slice(1).map(({ attributes }) => plainOf(attributes)["hedgerow.attempt.outcome"]);

describe("a gateway with a collector", { timeout: 180_000 }, () => {
  it("sends a trace for each call: failed over, hedged, the caller's own, and tells providers their spans", async () => {
    await using broken = await startUpstream(fails(500));
    await using slow = await startUpstream(ok("late", { delayMs: slowMs }));
    await using good = await startUpstream(ok("an answer of a model"));
    const provider = (name: string, url: string) =>
      `  ${name}: { kind: openai-compatible, url: "${url}/v1", key: sk-canary-0000000000, operator: ${name} }`;
    place.write(`
server: { port: 0, workers: 2 }
providers:
${provider("broken", broken.url)}
${provider("slow", slow.url)}
${provider("good", good.url)}
routes:
  failing: { targets: [broken/m, good/m] }
  hedged: { targets: [slow/m, good/m], hedge: { after: 200ms, share: 1 } }
telemetry:
  otlp: { url: "${collector.url}", headers: { x-key: canary-of-the-collector }, every: 200ms }
  propagate: true
`);
    const gateway = place.start();
    const url = await gateway.ready();
    const own = await ask(url, "failing");
    const callers = await ask(url, "failing", { traceparent: `00-${trace}-${parent}-01`, tracestate: "rojo=1" });
    const unsampled = await ask(url, "failing", { traceparent: `00-${trace}-${parent}-00` });
    const hedged = await ask(url, "hedged");
    await eventually(async () => {
      expect(outcomesOf(spansOfCall(own))).toEqual(["failed", "answered"]);
      expect(outcomesOf(spansOfCall(callers))).toContain("answered");
      expect(outcomesOf(spansOfCall(hedged))).toEqual(["outrun", "answered"]);
      await Promise.resolve();
    });
    expect(spansOfCall(own)[0]).toMatchObject({ traceId: traceIdOf(own), kind: 2, status: {} });
    expect(spansOfCall(own)[1]).toMatchObject({ kind: 3, status: { code: 2 } });
    const [call, ...attempts] = spansOfCall(callers);
    expect(call).toMatchObject({ traceId: trace, parentSpanId: parent, traceState: "rojo=1" });
    expect(plainOf(call?.attributes ?? [])).toMatchObject({
      "gen_ai.request.model": "failing",
      "gen_ai.response.model": "m",
      "hedgerow.route": "failing",
    });
    // What the good provider was told is the span of the attempt that asked it.
    const told = good.log.entries.map(({ headers }) => readTraceContext(headers));
    const answered = attempts.find(({ attributes }) => plainOf(attributes)["hedgerow.provider"] === "good");
    expect(told).toContainEqual({ id: trace, parent: answered?.spanId, sampled: true, state: "rojo=1" });
    expect(told).toContainEqual({ id: trace, parent: expect.any(String) as string, sampled: false });
    expect(() => spansOfCall(unsampled)).toThrow("has not come");

    const exposed = parseExposition(await (await fetch(`${url}/metrics`)).text());
    expect(exposed.map(({ name }) => name)).toContain("hedgerow_telemetry_spans_total");
    expect(await gateway.stop()).toBe(0);
    // The last post is of all that was counted, by workers that have ended.
    const calls = collector.metrics.get("hedgerow_calls_total")?.sum?.dataPoints ?? [];
    expect(calls.reduce((sum, { asDouble }) => sum + asDouble, 0)).toBe(4);
    const durations = collector.metrics.get("gen_ai.client.operation.duration")?.histogram?.dataPoints ?? [];
    expect(durations.length).toBeGreaterThan(1);
    expect(collector.faults).toEqual([]);
    for (const { headers, resource } of collector.received) {
      expect(headers["x-key"]).toBe("canary-of-the-collector");
      expect(resource).toMatchObject({ "service.name": "hedgerow" });
    }
    const sent = JSON.stringify([collector.spans, [...collector.metrics.values()]]);
    for (const secret of [canary, "an answer of a model", "sk-canary", "canary-of-the-collector"]) {
      expect(sent).not.toContain(secret);
    }
    expect(gateway.stderr).not.toContain("canary");
  });

  it("answers as ever while the collector is gone, says so once, and sends what waited when it is back", async () => {
    await using good = await startUpstream(ok("an answer"));
    place.write(`
server: { port: 0, workers: 1 }
providers:
  good: { kind: openai-compatible, url: "${good.url}/v1", key: sk-canary-0000000000 }
routes:
  main: { targets: [good/m] }
`);
    Object.assign(place.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "from-the-environment" });
    const { port } = collector;
    await collector.stop();
    const gateway = place.start();
    const url = await gateway.ready();
    const ids = [await ask(url, "main"), await ask(url, "main")];
    await eventually(async () => {
      expect(gateway.stderr).toContain("telemetry does not reach the collector");
      await Promise.resolve();
    });
    collector = await Collector.start(port);
    await eventually(async () => {
      for (const id of ids) expect(outcomesOf(spansOfCall(id))).toEqual(["answered"]);
      await Promise.resolve();
    });
    expect(collector.received[0]?.resource).toMatchObject({ "service.name": "from-the-environment" });
    // Nobody wished that providers are told.
    expect(
      good.log.entries.flatMap(({ headers }) => Object.keys(headers)).filter((name) => name.startsWith("trace")),
    ).toEqual([]);
    expect(await gateway.stop()).toBe(0);
    expect(gateway.stderr.split("telemetry does not reach the collector")).toHaveLength(2);
    expect(collector.faults).toEqual([]);
  });
});
