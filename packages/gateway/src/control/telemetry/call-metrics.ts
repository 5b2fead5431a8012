import type { AttemptRecord, CallRecord } from "#domain/record";
import { completionTokens, promptTokens } from "#domain/usage";
import { attributesOf, type Attributes, type OtlpAttribute } from "./otlp.ts";
import { cumulative, histogramPoint, type CountedSince, type OtlpMetric } from "./otlp-metrics.ts";
import { operationNames, type FindProvider } from "./spans.ts";

/** Names, units and bounds as the GenAI conventions advise them. */
const instruments = {
  "gen_ai.client.token.usage": {
    description: "Number of input and output tokens used.",
    unit: "{token}",
    bounds: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
  },
  "gen_ai.client.operation.duration": {
    description: "Duration of attempts at providers.",
    unit: "s",
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  },
  "gen_ai.client.operation.time_to_first_chunk": {
    description: "From the beginning of an attempt to the first content of its stream.",
    unit: "s",
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  },
} as const;

type InstrumentName = keyof typeof instruments;

/** Of each metric; what comes later is counted under the model `other` of the provider `other`. */
const mostSeries = 1000;

interface Series {
  readonly attributes: readonly OtlpAttribute[];
  readonly counts: number[];
  sum: number;
}

export interface CallMetricsOptions {
  readonly providers: FindProvider;
  /** The target as it may be a label: what a caller made up is none. */
  readonly labelOf: (attempt: AttemptRecord) => string;
}

/** What providers were asked and used, counted since the beginning from records. */
export class CallMetrics {
  readonly #series = new Map<InstrumentName, Map<string, Series>>();

  observe(record: CallRecord, { providers, labelOf }: CallMetricsOptions): void {
    for (const attempt of record.attempts) {
      const provider = providers(attempt.provider);
      const label = labelOf(attempt);
      const what = {
        "gen_ai.operation.name": operationNames[record.operation],
        "gen_ai.provider.name": provider?.name ?? "other",
        "gen_ai.request.model": label.slice(label.indexOf("/") + 1),
        "server.address": provider?.address,
        "server.port": provider?.port,
      };
      this.#attempt(attempt, record.streamed, what);
    }
  }

  #attempt(attempt: AttemptRecord, streamed: boolean, what: Attributes): void {
    const { startedMs, endedMs, firstContentMs, usage, outcome } = attempt;
    const isError = outcome === "failed" || outcome === "blocked" || outcome === "broken";
    const error = isError ? { "error.type": attempt.failure ?? outcome } : {};
    this.#add("gen_ai.client.operation.duration", { ...what, ...error }, Math.max(0, endedMs - startedMs) / 1000);
    if (streamed && firstContentMs !== undefined) {
      this.#add("gen_ai.client.operation.time_to_first_chunk", what, (firstContentMs - startedMs) / 1000);
    }
    if (usage === undefined) return;
    this.#add("gen_ai.client.token.usage", { ...what, "gen_ai.token.type": "input" }, promptTokens(usage));
    this.#add("gen_ai.client.token.usage", { ...what, "gen_ai.token.type": "output" }, completionTokens(usage));
  }

  #add(name: InstrumentName, what: Attributes, value: number): void {
    let all = this.#series.get(name);
    if (all === undefined) this.#series.set(name, (all = new Map()));
    const { bounds } = instruments[name];
    let key = JSON.stringify(Object.values(what));
    if (!all.has(key) && all.size >= mostSeries) key = "other";
    let series = all.get(key);
    if (series === undefined) {
      const attributes = attributesOf(key === "other" ? rest(what) : what);
      series = { attributes, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
      all.set(key, series);
    }
    const found = bounds.findIndex((bound) => value <= bound);
    const at = found === -1 ? bounds.length : found;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
    series.sum += value;
  }

  collect(since: CountedSince): readonly OtlpMetric[] {
    return [...this.#series].map(([name, all]) => {
      const { description, unit, bounds } = instruments[name];
      return {
        name,
        description,
        unit,
        histogram: {
          aggregationTemporality: cumulative,
          dataPoints: [...all.values()].map((series) =>
            histogramPoint({ ...series, bounds }, series.attributes, since),
          ),
        },
      };
    });
  }
}

function rest(what: Attributes): Attributes {
  return {
    "gen_ai.operation.name": "other",
    "gen_ai.provider.name": "other",
    "gen_ai.request.model": "other",
    ...("gen_ai.token.type" in what ? { "gen_ai.token.type": "other" } : {}),
  };
}
