import { RecentlyUsed } from "#domain/recently-used";
import type { Latency } from "./wishes.ts";

/** One streamed answer, or a wait for one that was given up: then what was waited is the least it would have been. */
export interface SpeedSample {
  readonly firstContentMs: number;
  readonly tokensPerS?: number;
}

interface Kept extends SpeedSample {
  readonly atMs: number;
}

interface Window {
  /** A ring: the oldest is overwritten. */
  readonly samples: Kept[];
  next: number;
  /** Samples since `latency` was worked out. */
  fresh: number;
  latency: Latency | undefined;
  knownAtMs: number;
}

const mostSamples = 200;
/** Of fewer, the 95th percentile is the slowest one or two. */
const fewestSamples = 20;
const longestAgeMs = 30 * 60_000;
/** What is known is worked out anew after so many samples, or so long. */
const samplesPerLook = 10;
const lookEveryMs = 10_000;
const maxTargets = 1024;

/** How fast targets begin to answer, and go on, in the last half hour and by their last 200 calls. Time is an argument. */
export class Speeds {
  readonly #windows = new RecentlyUsed<Window>(maxTargets);

  note(target: string, sample: SpeedSample, nowMs: number): void {
    let window = this.#windows.use(target);
    if (window === undefined) this.#windows.set(target, (window = newWindow()));
    window.samples[window.next] = { ...sample, atMs: nowMs };
    window.next = (window.next + 1) % mostSamples;
    window.fresh += 1;
  }

  /** Undefined while fewer than 20 calls of the last half hour say something. */
  of(target: string, nowMs: number): Latency | undefined {
    const window = this.#windows.peek(target);
    if (window === undefined) return undefined;
    if (window.fresh >= samplesPerLook || nowMs - window.knownAtMs >= lookEveryMs) {
      window.latency = latencyOf(window.samples.filter(({ atMs }) => atMs > nowMs - longestAgeMs));
      window.fresh = 0;
      window.knownAtMs = nowMs;
    }
    return window.latency;
  }
}

function newWindow(): Window {
  return { samples: [], next: 0, fresh: 0, latency: undefined, knownAtMs: Number.NEGATIVE_INFINITY };
}

function latencyOf(samples: readonly SpeedSample[]): Latency | undefined {
  if (samples.length < fewestSamples) return undefined;
  const waits = samples.map(({ firstContentMs }) => firstContentMs).toSorted((a, b) => a - b);
  const rates = samples.flatMap(({ tokensPerS }) => tokensPerS ?? []).toSorted((a, b) => a - b);
  return {
    p50Ms: quantile(waits, 0.5),
    p95Ms: quantile(waits, 0.95),
    calls: samples.length,
    ...(rates.length < fewestSamples ? {} : { tokensPerS: quantile(rates, 0.5) }),
  };
}

/** The smallest value that so large a share of the sorted values does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
