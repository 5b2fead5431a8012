import type { TelemetrySettings } from "#control/config/compile-context";
import type { Configuration } from "#control/config/configuration";
import { ForwardingPace, type PostEnd } from "#control/forwarding/forwarding-pace";
import { CallMetrics } from "#control/telemetry/call-metrics";
import { gatewayMetrics } from "#control/telemetry/gateway-metrics";
import { nanosOf, senderOf, type OtlpSender } from "#control/telemetry/otlp";
import { providerFacts } from "#control/telemetry/provider-facts";
import { isSentAgain, metricsRequest, rejectedIn, tracesRequest } from "#control/telemetry/requests";
import { batchSpans, SpanQueue } from "#control/telemetry/span-queue";
import { spansOf, type FindProvider } from "#control/telemetry/spans";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { labelNames } from "./label-names.ts";
import type { Log } from "./log.ts";
import type { LabelNames, MetricsSample, SampledFamily } from "./metrics.ts";
import { post, type Posted } from "./post.ts";
import { processResource } from "./process-resource.ts";
import { sameSettings } from "./same-settings.ts";
import { traitsFromCatalogue } from "./traits-from-catalogue.ts";

export interface TelemetryOptions {
  readonly log: Log;
  readonly configuration: Configuration;
  readonly wallMs: () => number;
  /** Attributes of this process, under the configuration's own. */
  readonly resource?: Readonly<Record<string, string>>;
  /** Shortens waits, in tests. */
  readonly pace?: number;
}

export function openTelemetry(log: Log, configuration: Configuration): TelemetryExport {
  return new TelemetryExport({ log, configuration, wallMs: Date.now, resource: processResource() });
}

/** What the workers have counted together. */
type CountsOf = () => Promise<MetricsSample>;

const longestWaitMs = 60_000;
const complainEveryMs = 60_000;
const finishMs = 2_000;
const answerLength = 16 * 1024;
type Signal = "traces" | "metrics";

/**
 * Sends spans and metrics, which it makes of records, to a collector of OpenTelemetry. Spans wait in memory, so many and no
 * more; metrics do not wait, because the next are of all that was counted. Nobody waits for it, and nothing is kept over a
 * restart: the records are in the store.
 */
export class TelemetryExport {
  readonly #options: TelemetryOptions;
  readonly #startNanos: string;
  readonly #queue = new SpanQueue();
  readonly #calls = new CallMetrics();
  readonly #stopped = new AbortController();
  #settings: TelemetrySettings | undefined;
  #sender: OtlpSender = senderOf({});
  #providers: FindProvider = () => undefined;
  #configuration: Configuration;
  #names: LabelNames | undefined;
  #pace = new ForwardingPace(longestWaitMs);
  #counts: CountsOf | undefined;
  #wake: (() => void) | undefined;
  #waits = false;
  #finishing = false;
  #down = false;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  #sent = 0;
  #refused = 0;
  #running: Promise<void> | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#startNanos = nanosOf(options.wallMs());
    this.#configuration = options.configuration;
    this.apply(options.configuration);
  }

  /** A configuration that is served from now on. */
  apply(configuration: Configuration): void {
    const { telemetry } = configuration.server;
    this.#configuration = configuration;
    if (telemetry !== undefined) this.#providers = providerFacts(configuration.snapshot);
    if (sameSettings(telemetry, this.#settings)) return;
    this.#settings = telemetry;
    this.#pace = new ForwardingPace(longestWaitMs);
    this.#down = false;
    if (telemetry === undefined) return;
    this.#sender = senderOf({ ...this.#options.resource, ...telemetry.resource });
    // The rest of an address may be a secret.
    this.#options.log.info("telemetry is sent", { to: new URL(telemetry.url).origin });
    this.#begin();
  }

  /** The workers run, and can be asked what they have counted: from now on something is sent. */
  connect(counts: CountsOf): void {
    this.#counts = counts;
    this.#begin();
  }

  #begin(): void {
    if (this.#settings === undefined || this.#counts === undefined) return;
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Records that came into the store, each once. */
  observe(records: readonly CallRecord[]): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    const names = (this.#names ??= labelNames(() => this.#configuration.snapshot, traitsFromCatalogue()));
    const labelOf = ({ target, outcome }: AttemptRecord): string => names.target(target, outcome === "answered");
    for (const record of records) {
      if (settings.traces) this.#queue.put(spansOf(record, { providers: this.#providers, share: settings.share }));
      if (settings.metrics) this.#calls.observe(record, { providers: this.#providers, labelOf });
    }
    if (!this.#waits && this.#queue.size >= batchSpans) this.#wake?.();
  }

  /** What became of spans, as families of `/metrics`; none where nothing is sent. */
  families(): readonly SampledFamily[] {
    if (this.#settings === undefined) return [];
    return [
      { name: "hedgerow_telemetry_waiting_spans", series: [{ labels: [], values: [this.#queue.size] }] },
      {
        name: "hedgerow_telemetry_spans_total",
        series: [
          counted("sent", this.#sent),
          counted("refused", this.#refused),
          counted("dropped", this.#queue.dropped),
        ],
      },
    ];
  }

  /** Sends what waits and the last counts, for two seconds at the most. */
  async finish(): Promise<void> {
    this.#finishing = true;
    if (this.#running === undefined) return;
    const expired = setTimeout(() => this.#stopped.abort(), finishMs);
    this.#wake?.();
    await this.#running;
    clearTimeout(expired);
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const isLast = this.#finishing;
      const waitMs = await this.#turn();
      if (isLast) return;
      this.#waits = waitMs > 0;
      const idleMs = this.#settings?.everyMs ?? complainEveryMs;
      if (!this.#finishing) await this.#sleep((waitMs > 0 ? waitMs : idleMs) * (this.#options.pace ?? 1));
    }
  }

  /** Sends all that waits. Gives how long the collector wants peace, or has to have it. */
  async #turn(): Promise<number> {
    const settings = this.#settings;
    if (settings === undefined) return 0;
    for (let batch = this.#queue.next(); batch.length > 0; batch = this.#queue.next()) {
      const end = await this.#post("traces", tracesRequest(this.#sender, batch));
      if (end.kind !== "failed") {
        this.#queue.done(batch);
        const refused = end.kind === "refused" ? batch.length : end.rejected;
        this.#refused += refused;
        this.#sent += batch.length - refused;
      }
      const then = this.#after(end, batch.length);
      if (then > 0) return then;
    }
    return settings.metrics ? this.#after(await this.#post("metrics", await this.#metrics()), 1) : 0;
  }

  async #metrics(): Promise<string> {
    const since = { startTimeUnixNano: this.#startNanos, timeUnixNano: nanosOf(this.#options.wallMs()) };
    const counts = [...((await this.#counts?.()) ?? []), ...this.families()];
    return metricsRequest(this.#sender, [...this.#calls.collect(since), ...gatewayMetrics(counts, since)]);
  }

  async #post(signal: Signal, body: string): Promise<Ended> {
    const settings = this.#settings;
    // Switched off while a turn went on.
    if (settings === undefined) return { kind: "refused", status: 0 };
    const posted = await post({
      url: `${settings.url}/v1/${signal}`,
      headers: {
        ...Object.fromEntries(settings.headers.map(({ name, value }) => [name, value.reveal()])),
        "content-type": "application/json",
      },
      body,
      timeoutMs: settings.timeoutMs,
      signal: this.#stopped.signal,
      answerLength,
    });
    return this.#endOf(signal, posted);
  }

  #endOf(signal: Signal, posted: Posted): Ended {
    if (posted.kind === "failed") return posted;
    const { status, retryAfterMs, text } = posted;
    if (status >= 200 && status < 300) {
      const rejected = rejectedIn(text);
      if (rejected !== undefined) this.#complain(`the collector did not take all ${signal}`, { ...rejected });
      return { kind: "taken", rejected: signal === "traces" ? (rejected?.count ?? 0) : 0 };
    }
    if (isSentAgain(status)) {
      const why = `the collector answered ${status}`;
      return { kind: "failed", why, ...(retryAfterMs === undefined ? {} : { waitMs: retryAfterMs }) };
    }
    this.#complain(`the collector refuses ${signal}; they are dropped`, { status });
    return { kind: "refused", status };
  }

  /** Says when the collector goes and when it is back. What it refuses is gone all the same: OTLP wants it so. */
  #after(end: Ended, spans: number): number {
    const { log } = this.#options;
    if (end.kind !== "failed") {
      if (this.#down) log.info("telemetry reaches the collector again", { dropped: this.#queue.dropped });
      this.#down = false;
      this.#pace.after({ kind: "taken" }, spans, 0);
      return 0;
    }
    if (!this.#down && !this.#finishing) {
      log.error("telemetry does not reach the collector; spans wait, the oldest are dropped where there are too many", {
        why: end.why,
        waiting: this.#queue.size,
      });
    }
    this.#down = true;
    return this.#pace.after(end, spans, Math.random()).waitMs;
  }

  #complain(
    message: string,
    fields: { readonly status?: number; readonly count?: number; readonly why?: string },
  ): void {
    if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    this.#options.log.warn(message, fields);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}

function counted(outcome: string, value: number): SampledFamily["series"][number] {
  return { labels: [outcome], values: [value] };
}

type Ended =
  | { readonly kind: "taken"; readonly rejected: number }
  | Extract<PostEnd, { readonly kind: "refused" | "failed" }>;
