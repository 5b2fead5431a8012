import type { OtlpAttribute } from "./otlp.ts";

/** A metric of OTLP, as JSON says it. */
export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  readonly sum?: {
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
    readonly dataPoints: readonly NumberPoint[];
  };
  readonly gauge?: { readonly dataPoints: readonly NumberPoint[] };
  readonly histogram?: { readonly aggregationTemporality: number; readonly dataPoints: readonly HistogramPoint[] };
}

interface Point {
  readonly attributes: readonly OtlpAttribute[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
}

export interface NumberPoint extends Point {
  readonly asDouble: number;
}

export interface HistogramPoint extends Point {
  readonly count: string;
  readonly sum: number;
  /** One more than bounds: the last is for what is beyond. */
  readonly bucketCounts: readonly string[];
  readonly explicitBounds: readonly number[];
}

/** Since the beginning, not since the last time. */
export const cumulative = 2;

/** What a series counts, from when. */
export interface CountedSince {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

export function histogramPoint(
  {
    counts,
    sum,
    bounds,
  }: { readonly counts: readonly number[]; readonly sum: number; readonly bounds: readonly number[] },
  attributes: readonly OtlpAttribute[],
  since: CountedSince,
): HistogramPoint {
  return {
    attributes,
    ...since,
    count: String(counts.reduce((all, count) => all + count, 0)),
    sum,
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  };
}
