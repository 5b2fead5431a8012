import { Pool } from "undici";
import { once, type Load } from "./load.ts";

export interface OpenLoad extends Omit<Load, "requests" | "connections"> {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface OpenResult {
  readonly failed: number;
  /** From when each was due, milliseconds, sorted: a wait to be sent counts, so that a slow answer hides no other's. */
  readonly latenciesMs: readonly number[];
  /** How late they were sent, milliseconds, sorted: the generator's own share. */
  readonly latenessMs: readonly number[];
}

const mostConnections = 1_024;

/** An open loop: requests leave when they are due, at even distances, whatever has become of those before. */
export async function generateOpen(load: OpenLoad): Promise<OpenResult> {
  const pool = new Pool(load.url, { connections: mostConnections, pipelining: 1, allowH2: false });
  const count = Math.round(load.perSecond * load.seconds);
  const latenciesMs: number[] = [];
  const latenessMs: number[] = [];
  let failed = 0;
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let left = count;
    const send = (): void => {
      const nowMs = performance.now();
      for (; sent < count && dueMs(sent) <= nowMs; sent += 1) {
        const due = dueMs(sent);
        latenessMs.push(nowMs - due);
        void ask(due);
      }
      if (sent === count) return;
      const waitMs = dueMs(sent) - performance.now();
      // A timer's turn is a millisecond; what is due sooner is waited for in the loop.
      if (waitMs > 2) setTimeout(send, waitMs - 1);
      else setImmediate(send);
    };
    const ask = async (due: number): Promise<void> => {
      const { good } = await once(pool, load);
      latenciesMs.push(performance.now() - due);
      if (!good) failed += 1;
      left -= 1;
      if (left === 0) resolve();
    };
    const dueMs = (at: number): number => startMs + (at * 1000) / load.perSecond;
    send();
  });
  await pool.close();
  const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);
  return { failed, latenciesMs: sorted(latenciesMs), latenessMs: sorted(latenessMs) };
}

/** Of sorted numbers, nearest rank. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
