import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Moments at which calls come, in any unit, ascending; at least two that differ. */
export type Arrivals = readonly number[];

export type ArrivalsRead =
  | { readonly kind: "read"; readonly arrivals: Arrivals }
  | { readonly kind: "unreadable"; readonly why: string };

const maxBytes = 512 * 1024 * 1024;

/** A trace with a column `TIMESTAMP` (Azure's LLM traces) or JSON lines with a `timestamp` (Mooncake's), packed or not. */
export function readArrivals(path: string): ArrivalsRead {
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes).toString("utf8");
  } catch (error) {
    return { kind: "unreadable", why: `${path} cannot be read: ${(error as Error).message}` };
  }
  const [head = "", ...rows] = text.split(/\r?\n/u).filter((line) => line !== "");
  const arrivals = head.startsWith("{") ? [head, ...rows].map(fromJson) : rows.map(fromColumn(head));
  const bad = arrivals.findIndex((each) => !Number.isFinite(each));
  if (bad !== -1) return { kind: "unreadable", why: `row ${bad + 1} of ${path} has no timestamp` };
  const sorted = arrivals.toSorted((a, b) => a - b);
  if (sorted.length < 2 || sorted[0] === sorted.at(-1)) {
    return { kind: "unreadable", why: `${path} holds no two moments that differ` };
  }
  return { kind: "read", arrivals: sorted };
}

function fromJson(line: string): number {
  try {
    return Number((JSON.parse(line) as { readonly timestamp?: unknown }).timestamp ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}

function fromColumn(head: string): (line: string) => number {
  const column = head.split(",").indexOf("TIMESTAMP");
  // Sevenths of a second are more than a date keeps; a space stands for the T.
  return (line) => Date.parse(`${(line.split(",")[column] ?? "").slice(0, 23).replace(" ", "T")}Z`);
}

const generatedCount = 10_000;

/** Calls that come independently of each other, on the average one per unit. */
export function poissonArrivals(chance: () => number): Arrivals {
  const arrivals: number[] = [];
  let at = 0;
  for (let each = 0; each < generatedCount; each += 1) {
    at -= Math.log(1 - chance());
    arrivals.push(at);
  }
  return arrivals;
}

/**
 * Plays a trace over and over, faster or slower so that as many calls as wanted fall into a given span: their rhythm is
 * the trace's, their rate is not.
 */
export class ArrivalPlayer {
  readonly #arrivals: Arrivals;
  #at = 0;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** `count` moments from `startMs` to before `endMs`, ascending. */
  next(count: number, { startMs, endMs }: { readonly startMs: number; readonly endMs: number }): readonly number[] {
    const offsets: number[] = [];
    let offset = 0;
    for (let each = 0; each < count; each += 1) {
      offsets.push(offset);
      const here = this.#arrivals[this.#at] ?? 0;
      this.#at = (this.#at + 1) % this.#arrivals.length;
      // Where the trace begins anew there is no gap that it could tell of.
      offset += Math.max(0, (this.#arrivals[this.#at] ?? here) - here);
    }
    const scale = offset === 0 ? 0 : (endMs - startMs) / offset;
    return offsets.map((each) => startMs + each * scale);
  }
}
