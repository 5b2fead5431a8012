import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Judgement } from "#domain/confidence";
import { failure } from "#domain/failure";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { emptyUsage } from "#domain/usage";
import { mergeSamples, Metrics, renderMetrics } from "./metrics.ts";

const record: CallRecord = {
  version: 1,
  id: "req_1",
  at: "2026-11-21T12:00:00.000Z",
  snapshot: "0123456789ab",
  caller: "anonymous",
  dialect: "openai-chat",
  operation: "generate",
  route: "default",
  requestedModel: "default",
  streamed: true,
  decision: "recovered",
  committed: true,
  status: 200,
  requestBytes: 1,
  answerBytes: 1,
  durationMs: 700,
  warnings: [],
  attempts: [
    {
      target: "a/x",
      provider: "a",
      model: "x",
      credential: "a#1",
      outcome: "failed",
      failure: "upstream_overloaded",
      startedMs: 0,
      endedMs: 10,
    },
    {
      target: "b/y",
      provider: "b",
      model: "y",
      credential: "b#1",
      outcome: "answered",
      startedMs: 10,
      firstContentMs: 20,
      endedMs: 700,
      usage: { ...emptyUsage, inputUncached: 5, output: 7 },
      costNanoUsd: 2_000_000_000,
    },
  ],
};

function unpriced({ target, provider, model, credential, outcome, startedMs, endedMs, usage }: AttemptRecord) {
  const attempt = { target, provider, model, credential, outcome, startedMs, endedMs };
  return usage === undefined ? attempt : { ...attempt, usage };
}

function judged(verdict: Judgement["verdict"]): Judgement {
  return {
    score: 0.5,
    raw: 0.5,
    estimator: "logprobs",
    features: [],
    key: { tenant: "", route: "default", model: "y", tier: 0, shape: "short", signals: "logprobs" },
    calibration: { state: "prior", n: 0, version: "v" },
    threshold: 0.85,
    mode: "per_answer",
    verdict,
    why: "as if",
  };
}

function rendered(metrics: Metrics): readonly string[] {
  return renderMetrics(metrics.sample({})).split("\n");
}

describe("metrics", () => {
  it("counts calls, attempts, tokens by bucket and cost from records", () => {
    const metrics = new Metrics();
    metrics.observe(record);
    metrics.observe(record);
    metrics.observeRefusal(failure("unauthenticated", "no"));
    expect(rendered(metrics)).toEqual(
      expect.arrayContaining([
        'hedgerow_calls_total{route="default",decision="recovered",code=""} 2',
        'hedgerow_attempts_total{target="a/x",outcome="failed",failure="upstream_overloaded"} 2',
        'hedgerow_attempts_total{target="b/y",outcome="answered",failure=""} 2',
        'hedgerow_tokens_total{target="b/y",bucket="inputUncached"} 10',
        'hedgerow_tokens_total{target="b/y",bucket="output"} 14',
        'hedgerow_cost_usd_total{target="b/y"} 4',
        'hedgerow_refusals_total{code="unauthenticated"} 1',
      ]),
    );
  });

  it("counts judged answers, and what was asked for confidence apart from what was asked for want of an answer", () => {
    const metrics = new Metrics();
    const [failed, answered] = record.attempts;
    if (failed === undefined || answered === undefined) throw new Error("two attempts are needed");
    const doubted: AttemptRecord = { ...answered, outcome: "doubted", judgement: judged("doubted") };
    const accepted: AttemptRecord = { ...answered, target: "c/z", judgement: judged("accepted") };
    const judge: AttemptRecord = { ...answered, target: "d/judge", role: "judge" };
    metrics.observe({ ...record, decision: "escalated", attempts: [failed, failed, doubted, judge, accepted] });
    // Given as the best there was: it was doubted all the same.
    const best: AttemptRecord = { ...doubted, outcome: "answered" };
    const last: AttemptRecord = { ...doubted, target: "c/z" };
    metrics.observe({ ...record, decision: "doubted", review: "rev_1", attempts: [best, last] });
    metrics.observe({ ...record, attempts: [{ ...failed, outcome: "outrun" }, answered] });
    metrics.observe({ ...record, decision: "shadow", attempts: [doubted, accepted] });
    const lines = rendered(metrics).filter((line) => /^hedgerow_(failovers|judged|reviews)/u.test(line));
    expect(lines).toEqual([
      'hedgerow_failovers_total{route="default",cause="availability"} 1',
      'hedgerow_failovers_total{route="default",cause="confidence"} 2',
      'hedgerow_judged_answers_total{route="default",verdict="doubted"} 3',
      'hedgerow_judged_answers_total{route="default",verdict="accepted"} 1',
      'hedgerow_reviews_opened_total{route="default"} 1',
    ]);
  });

  it("has no figure that the page of endpoints leaves out", () => {
    const written = readFileSync(new URL("metrics.ts", import.meta.url), "utf8");
    const names = [...written.matchAll(/^ {2}(hedgerow_\w+):/gmu)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(20);
    const page = readFileSync(new URL("../../../../docs/endpoints.md", import.meta.url), "utf8");
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it("gives histograms as Prometheus reads them: cumulative buckets, the last one infinite", () => {
    const metrics = new Metrics();
    metrics.observe(record);
    metrics.observe({ ...record, durationMs: 9_999_000 });
    expect(rendered(metrics)).toEqual(
      expect.arrayContaining([
        "# TYPE hedgerow_call_duration_seconds histogram",
        'hedgerow_call_duration_seconds_bucket{route="default",le="0.5"} 0',
        'hedgerow_call_duration_seconds_bucket{route="default",le="1"} 1',
        'hedgerow_call_duration_seconds_bucket{route="default",le="600"} 1',
        'hedgerow_call_duration_seconds_bucket{route="default",le="+Inf"} 2',
        'hedgerow_call_duration_seconds_sum{route="default"} 9999.7',
        'hedgerow_call_duration_seconds_count{route="default"} 2',
      ]),
    );
  });

  it("counts tokens of an unknown price as such, never as free", () => {
    const metrics = new Metrics();
    const attempts = record.attempts.filter(({ outcome }) => outcome === "answered").map(unpriced);
    metrics.observe({ ...record, attempts });
    const lines = rendered(metrics);
    expect(lines).toContain('hedgerow_unpriced_attempts_total{target="b/y"} 1');
    expect(lines.join("\n")).not.toContain("hedgerow_cost_usd_total");
  });

  it("keeps a bound on names: what comes after it is booked as `other`, and that is counted", () => {
    const metrics = new Metrics();
    for (let index = 0; index < 1500; index += 1) metrics.observe({ ...record, route: `r${index}`, attempts: [] });
    const lines = rendered(metrics).filter((line) => line.startsWith("hedgerow_calls_total"));
    expect(lines).toHaveLength(1001);
    expect(lines).toContain('hedgerow_calls_total{route="other",decision="other",code="other"} 500');
    expect(rendered(metrics)).toContain('hedgerow_metrics_overflow_total{family="hedgerow_calls_total"} 500');
  });

  it("escapes what a caller may have written into a label", () => {
    const metrics = new Metrics();
    metrics.observe({ ...record, route: 'a"b\\c\nd', attempts: [] });
    expect(rendered(metrics).join("\n")).toContain('route="a\\"b\\\\c\\nd"');
  });

  it("adds workers up, but takes the worst event loop", () => {
    const [one, two] = [new Metrics(), new Metrics()];
    one.observe(record);
    two.observe(record);
    two.observe({ ...record, route: "other route" });
    const text = renderMetrics(
      mergeSamples([
        one.sample({ hedgerow_workers: 1, hedgerow_event_loop_lag_seconds: 0.2 }),
        two.sample({ hedgerow_workers: 1, hedgerow_event_loop_lag_seconds: 0.1 }),
      ]),
    );
    expect(text).toContain('hedgerow_calls_total{route="default",decision="recovered",code=""} 2\n');
    expect(text).toContain('hedgerow_calls_total{route="other route",decision="recovered",code=""} 1\n');
    expect(text).toContain('hedgerow_call_duration_seconds_count{route="default"} 2\n');
    expect(text).toContain("hedgerow_workers 2\n");
    expect(text).toContain("hedgerow_event_loop_lag_seconds 0.2\n");
  });
});
