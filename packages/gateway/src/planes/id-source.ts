import { randomBytes } from "node:crypto";

const tickMs = 16;
/** Enough until the year 2527. */
const timeDigits = 10;
const chanceBytes = 7;
const idsPerDraw = 512;

/**
 * Ids of 24 hex digits: ten of the time, in steps of 16 ms, and fourteen of chance. Later ids come
 * after earlier ones, so that a table with ten million of them is written at its end and not all over. The last 56 bits are
 * chance, as W3C's trace context wants them of a trace id. Drawn many at a time: one draw from the system costs more than the
 * rest of an id.
 */
export function idSource(wallMs: () => number): () => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  let tick = -1;
  let time = "";
  return () => {
    if (at === pool.length) {
      pool = randomBytes(chanceBytes * idsPerDraw);
      at = 0;
    }
    const now = Math.floor(wallMs() / tickMs);
    if (now !== tick) {
      tick = now;
      time = now.toString(16).padStart(timeDigits, "0").slice(-timeDigits);
    }
    at += chanceBytes;
    return time + pool.toString("hex", at - chanceBytes, at);
  };
}
