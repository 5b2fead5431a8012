import { afterEach, describe, expect, it, vi } from "vitest";
import type { TelemetrySettings } from "#control/config/compile-context";
import type { Configuration } from "#control/config/configuration";
import { Secret } from "#domain/secret";
import { defaultRetention } from "#domain/retention";
import { emptyUsage } from "#domain/usage";
import { TelemetryExport } from "#planes/export-telemetry";
import { readRetryAfter } from "#planes/post";
import { renderMetrics, type MetricsSample } from "#planes/metrics";
import { attemptRecord, callRecord } from "../world/sample-record.ts";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { Collector, plainOf } from "./collector.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const snapshot = sampleSnapshot(
  [sampleProvider("openai", { kind: "openai" })],
  [sampleRoute("default", ["openai/gpt-5.4"])],
);

function configured(url: string | undefined, more: Partial<TelemetrySettings> = {}): Configuration {
  const usual = { headers: [], everyMs: 20, timeoutMs: 5_000, traces: true, metrics: false, share: 1 };
  const telemetry =
    url === undefined ? {} : { telemetry: { ...usual, url, resource: { "service.name": "edge" }, ...more } };
  const server = { host: "127.0.0.1", port: 0, workers: 1, retention: defaultRetention, data: "", ...telemetry };
  return { kind: "configured", from: "test", snapshot, server, warnings: [] };
}

interface Setting {
  readonly collector: Collector;
  readonly said: string[];
  readonly open: (more?: Partial<TelemetrySettings>, counts?: () => MetricsSample) => TelemetryExport;
}

async function setting(): Promise<Setting> {
  const collector = await Collector.start();
  cleanups.push(() => collector.stop());
  const said: string[] = [];
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  return {
    collector,
    said,
    open(more = {}, counts = () => []) {
      const log = { info: say("info"), warn: say("warn"), error: say("error") };
      const resource = { "service.instance.id": "one" };
      const configuration = configured(collector.url, more);
      const telemetry = new TelemetryExport({ log, configuration, resource, wallMs: Date.now, pace: 0.05 });
      telemetry.connect(() => Promise.resolve(counts()));
      cleanups.push(() => telemetry.finish());
      return telemetry;
    },
  };
}

const named = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => callRecord(`req_${from + at}`));
const outcomes = (telemetry: TelemetryExport) =>
  renderMetrics(telemetry.families())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

describe("The export of telemetry", () => {
  it("posts every span once, in bounded batches, with the headers and who sends", async () => {
    const { collector, open } = await setting();
    const telemetry = open({ headers: [{ name: "x-api-key", value: new Secret("canary") }] });
    telemetry.observe(named(0, 700));
    await soon(() => expect(collector.spans).toHaveLength(1400));
    expect(collector.faults).toEqual([]);
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(1400);
    const [first] = collector.received;
    expect(first?.headers["x-api-key"]).toBe("canary");
    expect(first?.resource).toEqual({ "service.name": "edge", "service.instance.id": "one" });
    expect(collector.received.every(({ path }) => path === "/v1/traces")).toBe(true);
    await soon(() => expect(outcomes(telemetry)).toContain('hedgerow_telemetry_spans_total{outcome="sent"} 1400'));
  });

  it("keeps what the collector cannot take now, waits as it is told, and says so once on each side", async () => {
    const { collector, said, open } = await setting();
    for (const status of [503, 429, 502, 504]) collector.replies.push({ status, headers: { "retry-after": "1" } });
    const telemetry = open();
    telemetry.observe(named(0, 3));
    await soon(() => expect(collector.spans).toHaveLength(6));
    await soon(() => expect(said.filter((line) => line.includes("again"))).toHaveLength(1));
    expect(said.filter((line) => line.startsWith("error"))).toHaveLength(1);
    expect(outcomes(telemetry)).toContain('hedgerow_telemetry_spans_total{outcome="refused"} 0');
  });

  it("outlives a collector that is down, and drops the oldest where too many wait, and counts them", async () => {
    const { collector, said, open } = await setting();
    const { port } = collector;
    await collector.stop();
    const telemetry = open();
    telemetry.observe(named(0, 5_000));
    await soon(() => expect(said.some((line) => line.startsWith("error"))).toBe(true));
    expect(outcomes(telemetry)).toEqual(
      expect.arrayContaining([
        "hedgerow_telemetry_waiting_spans 8192",
        'hedgerow_telemetry_spans_total{outcome="dropped"} 1808',
      ]),
    );
    const back = await Collector.start(port);
    cleanups.push(() => back.stop());
    await soon(() => expect(back.spans).toHaveLength(8192));
    expect(back.faults).toEqual([]);
    // The newest are there.
    expect(back.spans.some(({ attributes }) => plainOf(attributes)["hedgerow.call.id"] === "req_4999")).toBe(true);
  });

  it("drops what the collector will never take, and goes on", async () => {
    const { collector, said, open } = await setting();
    collector.replies.push({ status: 400 });
    const telemetry = open();
    telemetry.observe(named(0, 1));
    await soon(() => expect(outcomes(telemetry)).toContain('hedgerow_telemetry_spans_total{outcome="refused"} 2'));
    telemetry.observe(named(1, 2));
    await soon(() => expect(collector.spans).toHaveLength(2));
    expect(said.filter((line) => line.includes("refuses"))).toHaveLength(1);
  });

  it("takes a partial success for what it is: nothing is sent again, and what was not taken is counted", async () => {
    const { collector, said, open } = await setting();
    const body = JSON.stringify({ partialSuccess: { rejectedSpans: "1", errorMessage: "too old" } });
    collector.replies.push({ status: 200, body }, { status: 200, body: "not json" });
    const telemetry = open();
    telemetry.observe(named(0, 2));
    await soon(() => expect(outcomes(telemetry)).toContain('hedgerow_telemetry_spans_total{outcome="refused"} 1'));
    expect(outcomes(telemetry)).toContain('hedgerow_telemetry_spans_total{outcome="sent"} 3');
    expect(said.filter((line) => line.includes("did not take all traces"))).toHaveLength(1);
    telemetry.observe(named(2, 3));
    await soon(() => expect(collector.spans).toHaveLength(6));
  });

  it("sends metrics that count since the beginning, by the conventions' names and bounds, and the gateway's own", async () => {
    const { collector, open } = await setting();
    let calls = 1;
    const telemetry = open({ metrics: true }, () => [
      { name: "hedgerow_calls_total", series: [{ labels: ["default", "answered", ""], values: [calls] }] },
      { name: "hedgerow_workers", series: [{ labels: [], values: [2] }] },
    ]);
    const usage = { ...emptyUsage, inputUncached: 100, output: 20 };
    const failed = attemptRecord({ outcome: "failed", failure: "upstream_overloaded", endedMs: 11 });
    const { usage: _none, firstContentMs: _never, ...unanswered } = failed;
    telemetry.observe([callRecord("req_1", { attempts: [unanswered, attemptRecord({ usage })] })]);
    await soon(() => expect(collector.metrics.size).toBe(7));
    const made = (target: string) => attemptRecord({ usage, target, outcome: "failed", failure: "upstream_failed" });
    telemetry.observe([callRecord("req_2", { attempts: [attemptRecord({ usage }), made("openai/made-up")] })]);
    calls = 2;
    await soon(() => expect(collector.metrics.get("hedgerow_calls_total")?.sum?.dataPoints[0]?.asDouble).toBe(2));
    expect(collector.faults).toEqual([]);
    expect(collector.metrics.get("hedgerow_workers")?.gauge?.dataPoints).toMatchObject([{ asDouble: 2 }]);
    const usagePoints = collector.metrics.get("gen_ai.client.token.usage")?.histogram?.dataPoints ?? [];
    const of = (model: string, type: string) =>
      usagePoints.find(({ attributes }) => {
        const said = plainOf(attributes);
        return said["gen_ai.request.model"] === model && said["gen_ai.token.type"] === type;
      });
    expect(of("gpt-5.4", "input")).toMatchObject({ count: "2", sum: 200 });
    expect(of("gpt-5.4", "output")).toMatchObject({ count: "2", sum: 40 });
    expect(of("gpt-5.4", "input")?.explicitBounds.slice(0, 4)).toEqual([1, 4, 16, 64]);
    // What a caller made up is no label.
    expect(of("other", "input")).toMatchObject({ count: "1" });
    expect(of("made-up", "input")).toBeUndefined();
    const durations = collector.metrics.get("gen_ai.client.operation.duration")?.histogram?.dataPoints ?? [];
    expect(durations.map(({ attributes, count }) => [plainOf(attributes)["error.type"], count])).toEqual([
      ["upstream_overloaded", "1"],
      [undefined, "2"],
      ["upstream_failed", "1"],
    ]);
    const starts = new Set(
      [...collector.received].flatMap(({ metrics }) =>
        metrics.flatMap(({ histogram }) => histogram?.dataPoints.map((point) => point.startTimeUnixNano) ?? []),
      ),
    );
    expect(starts.size).toBe(1);
  });

  it("sends what waits before the end, but waits no longer than two seconds for a collector that says nothing", async () => {
    const { collector, open } = await setting();
    const telemetry = open({ everyMs: 3_600_000, metrics: true });
    telemetry.observe(named(0, 2));
    await telemetry.finish();
    expect(collector.spans).toHaveLength(4);
    expect(collector.metrics.size).toBeGreaterThan(0);
    const other = open({ everyMs: 3_600_000 });
    collector.silent = true;
    other.observe(named(2, 4));
    const beganMs = performance.now();
    await other.finish();
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  it("follows a new configuration at once: another address, nothing any more, something again", async () => {
    const { collector, open } = await setting();
    const other = await Collector.start();
    cleanups.push(() => other.stop());
    const telemetry = open();
    telemetry.apply(configured(other.url));
    telemetry.observe(named(0, 1));
    await soon(() => expect(other.spans).toHaveLength(2));
    telemetry.apply(configured(undefined));
    telemetry.observe(named(1, 2));
    expect(telemetry.families()).toEqual([]);
    telemetry.apply(configured(other.url, { share: 0 }));
    telemetry.observe(named(2, 3));
    telemetry.apply(configured(other.url));
    telemetry.observe(named(3, 4));
    await soon(() => expect(other.spans).toHaveLength(4));
    expect(collector.spans).toEqual([]);
  });
});

describe("Retry-After", () => {
  it("is seconds or a date, and else nothing", () => {
    const nowMs = Date.parse("2026-11-21T10:00:00Z");
    expect(readRetryAfter("3", nowMs)).toBe(3_000);
    expect(readRetryAfter("Sat, 21 Nov 2026 10:00:05 GMT", nowMs)).toBe(5_000);
    expect(readRetryAfter("Sat, 21 Nov 2026 09:00:00 GMT", nowMs)).toBe(0);
    for (const none of [null, "", "soon", "-1", "1e9"]) expect(readRetryAfter(none, nowMs)).toBeUndefined();
  });
});
