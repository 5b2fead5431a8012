import { traitsOf, type Failure } from "#domain/failure";
import type { AttemptRecord, CallRecord } from "#domain/record";

/** What a worker's `/metrics` adds up: plain JSON, so that it travels between processes. */
export type MetricsSample = readonly SampledFamily[];

export interface SampledFamily {
  readonly name: FamilyName;
  readonly series: readonly { readonly labels: readonly string[]; readonly values: readonly number[] }[];
}

export interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** How the workers' values become one. */
  readonly merge: "sum" | "max";
}

const counter = { type: "counter", merge: "sum" } as const;
const gauge = { type: "gauge", merge: "sum", labels: [] } as const;
const histogram = { type: "histogram", merge: "sum" } as const;

const families = {
  hedgerow_calls_total: { ...counter, help: "Calls by how they ended.", labels: ["route", "decision", "code"] },
  hedgerow_refusals_total: { ...counter, help: "Requests turned away before they were calls.", labels: ["code"] },
  hedgerow_attempts_total: { ...counter, help: "Attempts by outcome.", labels: ["target", "outcome", "failure"] },
  hedgerow_failovers_total: {
    ...counter,
    help: "Steps of calls to another target: availability, the one before had no answer; confidence, it was doubted.",
    labels: ["route", "cause"],
  },
  hedgerow_judged_answers_total: {
    ...counter,
    help: "Answers for callers that a gate looked at, by its verdict.",
    labels: ["route", "verdict"],
  },
  hedgerow_reviews_opened_total: { ...counter, help: "Calls that a person is asked about.", labels: ["route"] },
  hedgerow_tokens_total: { ...counter, help: "Tokens, in disjoint buckets.", labels: ["target", "bucket"] },
  hedgerow_cost_usd_total: { ...counter, help: "Cost of attempts with a known price.", labels: ["target"] },
  hedgerow_unpriced_attempts_total: {
    ...counter,
    help: "Attempts that used tokens of an unknown price.",
    labels: ["target"],
  },
  hedgerow_call_duration_seconds: { ...histogram, help: "Whole calls.", labels: ["route"] },
  hedgerow_first_content_seconds: {
    ...histogram,
    help: "From the acceptance of a call to its first content.",
    labels: ["route"],
  },
  hedgerow_metrics_overflow_total: {
    ...counter,
    help: "Values booked under the label `other` because a family was full.",
    labels: ["family"],
  },
  hedgerow_shed_calls_total: {
    ...counter,
    help: "Calls refused before they were read, by the class of their key and what there was too much of.",
    labels: ["class", "cause"],
  },
  hedgerow_queued_calls_total: {
    ...counter,
    help: "Calls that waited for a place at an account, by how that ended: served, refused or gone.",
    labels: ["outcome"],
  },
  hedgerow_queue_waiting: { ...gauge, help: "Calls that wait for a place at an account." },
  hedgerow_calls_in_flight: { ...gauge, help: "Calls being served." },
  hedgerow_breaker_state: {
    ...gauge,
    merge: "max",
    labels: ["scope"],
    help: "0 closed, 1 busy, 2 half open, 3 waits, 4 open, 5 out of use; of the worker where it is worst.",
  },
  hedgerow_breaker_openings_total: { ...counter, help: "Times a breaker opened.", labels: ["scope"] },
  hedgerow_credential_in_flight: { ...gauge, labels: ["scope"], help: "Calls on their way, by credential and model." },
  hedgerow_credential_limit: {
    ...gauge,
    labels: ["scope"],
    help: "Calls at once that a credential takes for a model, as learned so far.",
  },
  hedgerow_calibration_state: {
    ...gauge,
    merge: "max",
    labels: ["answers"],
    help: "0 as fitted, 1 on labels older than 30 days, 2 drifted: nothing is promised for these answers.",
  },
  hedgerow_calibration_labels: {
    ...gauge,
    merge: "max",
    labels: ["answers"],
    help: "Effective number of labels behind a calibration.",
  },
  hedgerow_workers: { ...gauge, help: "Workers in this sum." },
  hedgerow_journal_healthy: { ...gauge, help: "Workers whose journal takes records." },
  hedgerow_journal_records_total: { ...counter, help: "Records on disk.", labels: [] },
  hedgerow_journal_failures_total: { ...counter, help: "Times the journal's disk failed.", labels: [] },
  hedgerow_journal_dropped_total: { ...counter, help: "Records the journal could not take.", labels: [] },
  hedgerow_journal_queued_bytes: { ...gauge, help: "Records that wait for the disk." },
  hedgerow_payloads_written_total: { ...counter, help: "Sampled payloads on disk.", labels: [] },
  hedgerow_payloads_dropped_total: {
    ...counter,
    help: "Sampled payloads that were not written: too many at once, or the disk failed, or the journal's did.",
    labels: [],
  },
  hedgerow_forwarding_waiting_records: { ...gauge, help: "Records that wait for the collector." },
  hedgerow_forwarding_refused_records: {
    ...gauge,
    help: "Records that the collector refused, set aside until the next start.",
  },
  hedgerow_forwarding_dropped_total: {
    ...counter,
    help: "Records that left the outbox unforwarded because too many waited; the store has them.",
    labels: [],
  },
  hedgerow_shared_up: {
    ...gauge,
    help: "1 while limits are counted with all nodes, 0 while the server is out of reach.",
  },
  hedgerow_shared_nodes: { ...gauge, help: "Nodes that count together, as last said by the server." },
  hedgerow_shared_borrow_seconds: { ...histogram, help: "Questions to the server of shared limits.", labels: [] },
  hedgerow_store_up: { ...gauge, help: "1 while records reach the database that nodes share, 0 while they do not." },
  hedgerow_store_behind_seconds: { ...gauge, help: "How long ago the records were made that it may not have yet." },
  hedgerow_store_waiting_bytes: { ...gauge, help: "Of the journal that the database does not have yet." },
  hedgerow_telemetry_waiting_spans: { ...gauge, help: "Spans that wait for the collector of OpenTelemetry." },
  hedgerow_telemetry_spans_total: {
    ...counter,
    help: "Spans by what became of them: sent, refused by the collector, dropped for want of room.",
    labels: ["outcome"],
  },
  hedgerow_resident_bytes: { ...gauge, help: "Memory of the workers." },
  hedgerow_event_loop_lag_seconds: {
    ...gauge,
    merge: "max",
    help: "99th percentile since the last look, of the slowest worker.",
  },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

/** What a family is, for whoever writes it in another form than Prometheus'. */
export function familyOf(name: FamilyName): Family {
  return families[name];
}

/** Names that may be labels: what a caller made up is none of them. */
export interface LabelNames {
  /** `answered`: it led to an answer, so that there is something behind it. */
  route(written: string, answered: boolean): string;
  target(written: string, answered: boolean): string;
}

const asWritten: LabelNames = { route: (written) => written, target: (written) => written };

/** Seconds. From a refusal to the longest answer; model calls live between 0.1 s and 60 s. */
export const bucketBounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600] as const;
/** Series of one family; whatever comes later is booked as `other`, so no caller can fill the memory with names. */
const maxSeries = 1000;
const longestLabel = 120;

/** Counts what records say. One for each worker. */
export class Metrics {
  readonly #series = new Map<FamilyName, Map<string, { labels: readonly string[]; values: number[] }>>();
  readonly #names: LabelNames;

  constructor(names = asWritten) {
    this.#names = names;
  }

  observe(written: CallRecord): void {
    const route = this.#names.route(written.route, written.committed);
    const record = route === written.route ? written : { ...written, route };
    this.#add("hedgerow_calls_total", [route, record.decision, record.code ?? ""], 1);
    // For a shadow nobody waited, and nothing was decided.
    if (record.decision !== "shadow") {
      this.#timesOf(record);
      this.#decisionsOf(record);
    }
    for (const attempt of record.attempts) {
      const { usage } = attempt;
      const target = this.#names.target(attempt.target, attempt.outcome === "answered");
      this.#add("hedgerow_attempts_total", [target, attempt.outcome, attempt.failure ?? ""], 1);
      if (attempt.costNanoUsd !== undefined) this.#add("hedgerow_cost_usd_total", [target], attempt.costNanoUsd / 1e9);
      if (usage === undefined) continue;
      if (attempt.costNanoUsd === undefined) this.#add("hedgerow_unpriced_attempts_total", [target], 1);
      for (const [bucket, tokens] of Object.entries(usage)) {
        if (typeof tokens === "number" && tokens > 0) this.#add("hedgerow_tokens_total", [target, bucket], tokens);
      }
    }
  }

  #decisionsOf({ route, attempts, review }: CallRecord): void {
    for (const cause of failoversOf(attempts)) this.#add("hedgerow_failovers_total", [route, cause], 1);
    for (const { role, judgement } of attempts) {
      if (role !== undefined || judgement === undefined) continue;
      this.#add("hedgerow_judged_answers_total", [route, judgement.verdict], 1);
    }
    if (review !== undefined) this.#add("hedgerow_reviews_opened_total", [route], 1);
  }

  #timesOf({ route, durationMs, attempts }: CallRecord): void {
    this.#time("hedgerow_call_duration_seconds", [route], durationMs);
    const content = attempts.find(
      ({ role, outcome }) => role === undefined && (outcome === "answered" || outcome === "broken"),
    );
    if (content?.firstContentMs === undefined) return;
    this.#time("hedgerow_first_content_seconds", [route], content.firstContentMs);
  }

  observeRefusal(failure: Failure): void {
    this.#add("hedgerow_refusals_total", [traitsOf(failure).code], 1);
  }

  /** The counts so far, with values of the moment beside them. */
  sample(now: Readonly<Partial<Record<FamilyName, number>>>): MetricsSample {
    const sampled: SampledFamily[] = [...this.#series].map(([name, series]) => ({
      name,
      series: [...series.values()],
    }));
    for (const [name, value] of Object.entries(now) as [FamilyName, number][]) {
      sampled.push({ name, series: [{ labels: [], values: [value] }] });
    }
    return sampled;
  }

  #add(name: FamilyName, labels: readonly string[], by: number): void {
    const { values } = this.#of(name, labels, 1);
    values[0] = (values[0] ?? 0) + by;
  }

  /** A histogram's values: a count for each bound, one for beyond, and the sum of seconds. */
  #time(name: FamilyName, labels: readonly string[], ms: number): void {
    const { values } = this.#of(name, labels, bucketBounds.length + 2);
    const seconds = ms / 1000;
    const found = bucketBounds.findIndex((bound) => seconds <= bound);
    const at = found === -1 ? bucketBounds.length : found;
    values[at] = (values[at] ?? 0) + 1;
    const sumAt = bucketBounds.length + 1;
    values[sumAt] = (values[sumAt] ?? 0) + seconds;
  }

  #of(name: FamilyName, written: readonly string[], length: number): { readonly values: number[] } {
    let family = this.#series.get(name);
    if (family === undefined) this.#series.set(name, (family = new Map()));
    // Series are kept under names cut to length, so what is found under the names as written is the series.
    const met = family.get(written.join("\0"));
    if (met !== undefined) return met;
    const labels = written.map((label) => cleanLabel(label));
    const known = family.get(labels.join("\0"));
    if (known !== undefined) return known;
    const full = family.size >= maxSeries;
    if (full && name !== "hedgerow_metrics_overflow_total") this.#add("hedgerow_metrics_overflow_total", [name], 1);
    const kept = full ? labels.map(() => "other") : labels;
    const key = kept.join("\0");
    const existing = family.get(key);
    if (existing !== undefined) return existing;
    const fresh = { labels: kept, values: Array.from({ length }, () => 0) };
    family.set(key, fresh);
    return fresh;
  }
}

/** Why another target was asked. */
type FailoverCause = "availability" | "confidence";

/**
 * Each step of a call from one target to another, by its cause: the one before had no answer, or one that was doubted. A
 * second try at the same target is none, nor is a hedge beside one that was only slow.
 */
function failoversOf(attempts: readonly AttemptRecord[]): readonly FailoverCause[] {
  const forCaller = attempts.filter(({ role }) => role === undefined);
  return forCaller.flatMap((attempt, at) => {
    const next = forCaller[at + 1];
    if (next === undefined || next.target === attempt.target) return [];
    // An answer that was doubted and given in the end, as the best there was, has `answered`.
    if (attempt.outcome === "doubted" || attempt.judgement?.verdict === "doubted") return ["confidence"];
    return attempt.outcome === "failed" || attempt.outcome === "blocked" ? ["availability"] : [];
  });
}

/** Adds samples of several workers up, series by series. */
export function mergeSamples(samples: readonly MetricsSample[]): MetricsSample {
  const merged = new Map<FamilyName, Map<string, { labels: readonly string[]; values: number[] }>>();
  for (const { name, series } of samples.flat()) {
    let family = merged.get(name);
    if (family === undefined) merged.set(name, (family = new Map()));
    const join = families[name].merge === "max" ? Math.max : (a: number, b: number) => a + b;
    for (const { labels, values } of series) {
      const key = labels.join("\0");
      const known = family.get(key);
      if (known === undefined) family.set(key, { labels, values: [...values] });
      else known.values = known.values.map((value, index) => join(value, values[index] ?? 0));
    }
  }
  return [...merged].map(([name, series]) => ({ name, series: [...series.values()] }));
}

/** Prometheus text, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function renderMetrics(sample: MetricsSample): string {
  let text = "";
  for (const { name, series } of sample.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const family: Family = families[name];
    text += `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`;
    for (const { labels, values } of series) {
      const written = labels.map((value, index) => `${family.labels[index]}="${escapeLabel(value)}"`);
      text +=
        family.type === "histogram" ? renderHistogram(name, written, values) : line(name, written, values[0] ?? 0);
    }
  }
  return text;
}

function renderHistogram(name: string, labels: readonly string[], values: readonly number[]): string {
  let text = "";
  let count = 0;
  for (const [index, bound] of [...bucketBounds, "+Inf"].entries()) {
    count += values[index] ?? 0;
    text += line(`${name}_bucket`, [...labels, `le="${bound}"`], count);
  }
  return (
    text + line(`${name}_sum`, labels, values[bucketBounds.length + 1] ?? 0) + line(`${name}_count`, labels, count)
  );
}

function line(name: string, labels: readonly string[], value: number): string {
  return labels.length === 0 ? `${name} ${value}\n` : `${name}{${labels.join(",")}} ${value}\n`;
}

/** No half characters and no control characters: two that look alike on the wire would be one series twice. */
export function cleanLabel(written: string, longest = longestLabel): string {
  return written
    .slice(0, longest)
    .toWellFormed()
    .replaceAll(/[^\P{Cc}\n]/gu, " ");
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
