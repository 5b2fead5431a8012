import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { ascending, post } from "./load.ts";
import { arrivalMs } from "./open-loop.ts";
import type { Subject } from "./subjects.ts";

export interface StreamsLoad {
  readonly subject: Subject;
  readonly body: Buffer;
  readonly streams: number;
  /** Of streams that are begun. */
  readonly perSecond: number;
}

/** Times in milliseconds, sorted. */
export interface StreamsResult {
  readonly failed: number;
  readonly whole: number;
  readonly mostOpen: number;
  /** From the request to the first content. */
  readonly firstMs: readonly number[];
  /** From when the provider wrote a chunk to when it was here; empty where chunks are not stamped. */
  readonly chunkMs: readonly number[];
  /** How late streams were begun: the generator's own share. */
  readonly latenessMs: readonly number[];
}

/** Begins streams at even distances and reads each to its end. */
export async function runStreams({ subject, body, streams, perSecond }: StreamsLoad): Promise<StreamsResult> {
  const pool = new Pool(subject.url, { connections: streams, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  const firstMs: number[] = [];
  const chunkMs: number[] = [];
  const latenessMs: number[] = [];
  let [failed, whole, open, mostOpen] = [0, 0, 0, 0];
  const startMs = performance.now();
  const all = Array.from({ length: streams }, async (_, at) => {
    const dueMs = startMs + arrivalMs(at, perSecond);
    await sleep(Math.max(0, dueMs - performance.now()));
    latenessMs.push(performance.now() - dueMs);
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    const { good, first } = await oneStream(pool, { subject, body, seen: (ms) => chunkMs.push(ms) });
    open -= 1;
    if (good) whole += 1;
    else failed += 1;
    if (first !== undefined) firstMs.push(first);
  });
  await Promise.all(all);
  await pool.destroy();
  return {
    failed,
    whole,
    mostOpen,
    firstMs: ascending(firstMs),
    chunkMs: ascending(chunkMs),
    latenessMs: ascending(latenessMs),
  };
}

const terminator = "data: [DONE]";
const stamp = /@(\d+)/gu;

/** The stamps in some bytes of a stream, microseconds; one that is cut by the end of the bytes is left out. */
export function stampsIn(bytes: Buffer): readonly number[] {
  const text = bytes.toString("latin1");
  return [...text.matchAll(stamp)]
    .filter((match) => match.index + match[0].length < text.length)
    .map(([, micros]) => Number(micros));
}

/** Whether a stream's end has come, asked piece by piece, wherever they are cut. */
export function endWatch(): (piece: Buffer) => boolean {
  let [tail, ended] = ["", false];
  return (piece) => {
    const text = tail + piece.toString("latin1");
    ended ||= text.includes(terminator);
    tail = text.slice(1 - terminator.length);
    return ended;
  };
}

interface OneStream {
  readonly subject: Subject;
  readonly body: Buffer;
  readonly seen: (delayMs: number) => void;
}

function oneStream(pool: Pool, { subject, body, seen }: OneStream) {
  const sentMs = performance.now();
  let first: number | undefined;
  let status = 0;
  let ended = false;
  const isEnd = endWatch();
  return new Promise<{ readonly good: boolean; readonly first: number | undefined }>((resolve) => {
    pool.dispatch(post({ path: "/v1/chat/completions", headers: subject.headers ?? {}, body }), {
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code;
      },
      onResponseData(_controller, chunk) {
        // A refusal's body is no content.
        if (status === 200) first ??= performance.now() - sentMs;
        const nowMicros = Number(process.hrtime.bigint() / 1000n);
        for (const micros of stampsIn(chunk)) seen((nowMicros - micros) / 1000);
        ended = isEnd(chunk);
      },
      onResponseEnd: () => resolve({ good: status === 200 && ended, first }),
      onResponseError: () => resolve({ good: false, first }),
    });
  });
}
