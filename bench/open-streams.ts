import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { benchKey } from "./load.ts";
import { quantile } from "./open-loop.ts";
import { memoryOfTree } from "./processes.ts";
import { figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import { setUpstream, type Subject } from "./subjects.ts";

interface Wish {
  readonly upstream: Subject;
  readonly subjects: readonly Subject[];
  readonly streams: number;
  /** Of streams that are begun. */
  readonly perSecond: number;
}

interface Held {
  readonly failed: number;
  readonly whole: number;
  /** From the request to the first content, milliseconds, sorted. */
  readonly firstMs: readonly number[];
  readonly mostOpen: number;
  /** Of the subject's processes, while all were open; proportional, bytes. */
  readonly memoryBytes: number;
}

const paceMs = 1_000;
/** After the last has begun, so that all are open at once. */
const holdSeconds = 8;

/** So many streams at once, a chunk a second each: whether all arrive whole, how late they begin, what they hold. */
export async function openStreams({ upstream, subjects, streams, perSecond }: Wish): Promise<WorkloadReport> {
  const chunks = Math.ceil(streams / perSecond) + holdSeconds;
  await setUpstream(upstream, { chunks, paceMs });
  const held = new Map<string, Held>();
  try {
    for (const subject of [{ ...upstream, name: "no gateway" }, ...subjects]) {
      held.set(subject.name, await hold(subject, streams, perSecond));
    }
  } finally {
    await setUpstream(upstream, { chunks: 64, paceMs: 0 });
  }
  const direct = held.get("no gateway");
  const one = (value: number) => figure([value]);
  return {
    workload: `${streams} open streams`,
    how: `begun at ${perSecond} a second, a chunk a second each, ${chunks} chunks; all open at once for ${holdSeconds} s`,
    rows: [...held].map(([subject, each]) => ({
      subject,
      figures: {
        "whole streams": one(each.whole),
        failed: one(each.failed),
        "most at once": one(each.mostOpen),
        "first content p50 ms": one(quantile(each.firstMs, 0.5)),
        "p99 ms": one(quantile(each.firstMs, 0.99)),
        "added p99 ms": one(quantile(each.firstMs, 0.99) - quantile(direct?.firstMs ?? [], 0.99)),
        "memory MiB": one(each.memoryBytes / 1024 ** 2),
      },
    })),
    notes: [],
  };
}

async function hold(subject: Subject, streams: number, perSecond: number): Promise<Held> {
  const pool = new Pool(subject.url, { connections: streams, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  const firstMs: number[] = [];
  let [failed, whole, open, mostOpen, memoryBytes] = [0, 0, 0, 0, 0];
  const body = chatBody(true, 1024);
  const startMs = performance.now();
  const all = Array.from({ length: streams }, async (_, at) => {
    await sleep(Math.max(0, startMs + (at * 1000) / perSecond - performance.now()));
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    const { good, first } = await oneStream(pool, subject, body);
    open -= 1;
    if (good) whole += 1;
    else failed += 1;
    if (first !== undefined) firstMs.push(first);
  });
  const allBegunMs = (streams * 1000) / perSecond + (holdSeconds * 1000) / 2;
  const look = setTimeout(() => (memoryBytes = memoryOfTree(subject.process.pid ?? 0)), allBegunMs);
  await Promise.all(all);
  clearTimeout(look);
  await pool.destroy();
  return { failed, whole, firstMs: firstMs.toSorted((a, b) => a - b), mostOpen, memoryBytes };
}

const terminator = Buffer.from("data: [DONE]");

function oneStream(pool: Pool, { headers }: Subject, body: Buffer) {
  const sentMs = performance.now();
  let first: number | undefined;
  let status = 0;
  let ended = false;
  return new Promise<{ readonly good: boolean; readonly first: number | undefined }>((resolve) => {
    pool.dispatch(
      {
        path: "/v1/chat/completions",
        method: "POST",
        headers: { ...headers, "content-type": "application/json", authorization: `Bearer ${benchKey}` },
        body,
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, chunk) {
          first ??= performance.now() - sentMs;
          if (chunk.includes(terminator)) ended = true;
        },
        onResponseEnd: () => resolve({ good: status === 200 && ended, first }),
        onResponseError: () => resolve({ good: false, first }),
      },
    );
  });
}
