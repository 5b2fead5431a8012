import type { CallOptions } from "#domain/call";
import type { PlannedTarget, Target } from "#domain/plan";

/** What was learned of a target's speed: milliseconds to the first content, and how many calls say so. */
export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly calls: number;
  readonly tokensPerS?: number;
}

export type LatencyOf = (target: Target) => Latency | undefined;

/** Targets in the order that the caller wishes, or as they are; what is unknown comes last, ties stay in their order. */
export function arrange(
  targets: readonly Target[],
  { provider: wish, sort: own }: CallOptions,
  latencyOf: LatencyOf | undefined,
): readonly PlannedTarget[] | undefined {
  const sort = own ?? wish?.sort;
  const order = wish?.order;
  if ((sort === undefined || sort === "quality") && order === undefined) return undefined;
  const figureOf = figures[sort ?? "quality"];
  const ranked = targets.map((target) => {
    const at = order?.indexOf(target.provider) ?? -1;
    return { target, at: at === -1 ? Number.MAX_SAFE_INTEGER : at, figure: figureOf(target, latencyOf) };
  });
  const sorted = ranked.toSorted((a, b) => a.at - b.at || compare(a.figure?.value, b.figure?.value));
  return sorted.map(({ target, at, figure }, place) => {
    const number = `number ${place + 1} as the request orders them`;
    if (at !== Number.MAX_SAFE_INTEGER || sort === undefined || sort === "quality") return { target, why: number };
    return {
      target,
      why: `number ${place + 1} by ${sort}: ${figure?.words ?? "unknown, so behind those that are known"}`,
    };
  });
}

interface Figure {
  /** The lower, the better. */
  readonly value: number;
  readonly words: string;
}

type FigureOf = (target: Target, latencyOf: LatencyOf | undefined) => Figure | undefined;

const figures: Readonly<Record<NonNullable<CallOptions["sort"]>, FigureOf>> = {
  quality: () => undefined,
  price: ({ traits }) => {
    const { input, output } = traits?.price ?? {};
    if (input === undefined) return undefined;
    // Prompts are usually some three times as long as answers. What has a price of input only, writes nothing.
    const words = `${input / 1e9} USD in, ${output === undefined ? "none" : output / 1e9} out a million tokens`;
    return { value: input * 3 + (output ?? 0), words };
  },
  latency: (target, latencyOf) => {
    const latency = latencyOf?.(target);
    if (latency === undefined) return undefined;
    const { p50Ms, calls } = latency;
    return { value: p50Ms, words: `${Math.round(p50Ms)} ms to first content in the middle of ${calls} calls` };
  },
  throughput: (target, latencyOf) => {
    const { tokensPerS, calls } = latencyOf?.(target) ?? {};
    if (tokensPerS === undefined) return undefined;
    return { value: -tokensPerS, words: `${Math.round(tokensPerS)} tokens a second over ${calls} calls` };
  },
};

function compare(a: number | undefined, b: number | undefined): number {
  return (a ?? Number.POSITIVE_INFINITY) === (b ?? Number.POSITIVE_INFINITY)
    ? 0
    : (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY);
}
