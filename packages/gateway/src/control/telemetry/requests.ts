import type { OtlpMetric } from "./otlp-metrics.ts";
import { schemaUrl, type OtlpSender } from "./otlp.ts";

/** The body of a post of spans, whose text each is. */
export function tracesRequest({ resource, scope }: OtlpSender, spans: readonly string[]): string {
  const head = `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},`;
  return `${head}"spans":[${spans.join(",")}],"schemaUrl":"${schemaUrl}"}]}]}`;
}

export function metricsRequest({ resource, scope }: OtlpSender, metrics: readonly OtlpMetric[]): string {
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics, schemaUrl }] }] });
}

/** What a collector did not take of what it took (OTLP's partial success), in its own words. */
export interface Rejected {
  readonly count: number;
  readonly why: string;
}

/** Undefined where the answer says that all was taken, or cannot be read: a 200 is a 200. */
export function rejectedIn(answer: string): Rejected | undefined {
  let said: unknown;
  try {
    said = JSON.parse(answer);
  } catch {
    return undefined;
  }
  const partial = field(said, "partialSuccess");
  const count = Number(field(partial, "rejectedSpans") ?? field(partial, "rejectedDataPoints") ?? 0);
  const why = field(partial, "errorMessage");
  const words = typeof why === "string" ? why : "";
  // A message without rejections is a warning.
  if (!(count > 0) && words === "") return undefined;
  return { count: Number.isSafeInteger(count) && count > 0 ? count : 0, why: words.slice(0, 500) };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** Statuses after which OTLP wants the same to be sent again; after any other it never will be taken. */
const again: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function isSentAgain(status: number): boolean {
  return again.has(status);
}
