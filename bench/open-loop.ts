import { Pool } from "undici";
import { ascending, once, type Load } from "./load.ts";

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
  /** Of one core, what the generator used. */
  readonly generatorCores: number;
}

const mostConnections = 1_024;
/** Before the first that counts: sockets are opened, and who stood idle while others were measured is warm again. */
const leadInSeconds = 2;

/** An open loop: requests leave when they are due, at even distances, whatever has become of those before. */
export async function generateOpen(load: OpenLoad): Promise<OpenResult> {
  const pool = new Pool(load.url, { connections: mostConnections, pipelining: 1, allowH2: false });
  const uncounted = Math.round(load.perSecond * leadInSeconds);
  const count = uncounted + Math.round(load.perSecond * load.seconds);
  const latenciesMs: number[] = [];
  const latenessMs: number[] = [];
  let failed = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let left = count;
    const send = (): void => {
      const nowMs = performance.now();
      for (; sent < count && dueMs(sent) <= nowMs; sent += 1) {
        const due = dueMs(sent);
        const counts = sent >= uncounted;
        if (counts) latenessMs.push(nowMs - due);
        void ask(due, counts);
      }
      if (sent === count) return;
      // Never waited for in the loop: a generator that spins takes a core from whom it measures. A timer's turn is a
      // millisecond, by which calls are late to everybody alike.
      setTimeout(send, Math.max(1, dueMs(sent) - performance.now()));
    };
    const ask = async (due: number, counts: boolean): Promise<void> => {
      const { good } = await once(pool, load);
      if (counts) latenciesMs.push(performance.now() - due);
      if (!good) failed += 1;
      left -= 1;
      if (left === 0) resolve();
    };
    const dueMs = (at: number): number => startMs + arrivalMs(at, load.perSecond);
    send();
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  const generatorCores = (user + system) / 1000 / (performance.now() - startMs);
  await pool.close();
  return { failed, latenciesMs: ascending(latenciesMs), latenessMs: ascending(latenessMs), generatorCores };
}

/** When the n-th request is due, milliseconds from the start: at even distances, and no sum that drifts. */
export function arrivalMs(at: number, perSecond: number): number {
  return (at * 1000) / perSecond;
}

/** Of sorted numbers, nearest rank. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
