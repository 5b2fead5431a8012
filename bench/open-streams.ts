import { goalLine } from "./goal.ts";
import { quantile } from "./open-loop.ts";
import { memoryOfTree, mostHandles, peakOfTree } from "./processes.ts";
import { figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import { runStreams, type StreamsResult } from "./stream-load.ts";
import { setUpstream, type Subject } from "./subjects.ts";

interface Wish {
  readonly upstream: Subject;
  readonly subjects: readonly Subject[];
  readonly streams: number;
  /** Of streams that are begun. */
  readonly perSecond: number;
  /** After the last has begun, so that all are open at once. */
  readonly holdSeconds: number;
}

interface Held extends StreamsResult {
  /** Of the subject's processes, while all were open; proportional, bytes. */
  readonly memoryBytes: number;
  readonly peakBytes: number;
}

const paceMs = 1_000;
/** Of a gateway itself: journal, store, threads, admin. */
const spareHandles = 500;

/** How many processes a gateway needs for so many streams, each of which has a socket to either side. */
export function workersFor(streams: number, handles: number): number {
  return Math.ceil((2 * streams) / Math.max(1, handles - spareHandles));
}

/** So many streams at once, a chunk a second each: whether all arrive whole, how late they begin, what they hold. */
export async function openStreams({ upstream, subjects, ...wish }: Wish): Promise<WorkloadReport> {
  const { streams, perSecond, holdSeconds } = wish;
  const chunks = Math.ceil(streams / perSecond) + holdSeconds;
  await setUpstream(upstream, { chunks, paceMs });
  const held = new Map<string, Held>();
  try {
    for (const subject of [{ ...upstream, name: "no gateway" }, ...subjects]) {
      held.set(subject.name, await hold(subject, wish));
    }
  } finally {
    await setUpstream(upstream, { chunks: 64, paceMs: 0 });
  }
  const direct = held.get("no gateway");
  const one = (value: number) => figure([value]);
  const rows = [...held].map(([subject, each]) => ({
    subject,
    figures: {
      "whole streams": one(each.whole),
      failed: one(each.failed),
      "most at once": one(each.mostOpen),
      "first content p50 ms": one(quantile(each.firstMs, 0.5)),
      "p99 ms": one(quantile(each.firstMs, 0.99)),
      "added p99 ms": one(quantile(each.firstMs, 0.99) - quantile(direct?.firstMs ?? [], 0.99)),
      "memory MiB": one(each.memoryBytes / 1024 ** 2),
      "peak MiB": one(each.peakBytes / 1024 ** 2),
    },
  }));
  const own = rows.find(({ subject }) => subject.startsWith("hedgerow"))?.figures;
  return {
    workload: `${streams} open streams`,
    how: `begun at ${perSecond} a second, a chunk a second each, ${chunks} chunks; all open at once for ${holdSeconds} s`,
    rows,
    notes: [
      `a process may have ${mostHandles()} files open here, and a gateway needs two sockets a stream: ${workersFor(streams, mostHandles())} workers or more; the bare relay is one process`,
      `the generator began 99 % of streams within ${quantile(direct?.latenessMs ?? [], 0.99).toFixed(2)} ms of their time; peak is the sum of each process's own`,
      goalLine("hedgerow's failed streams", own?.failed, 1),
      goalLine("hedgerow's peak memory, MiB,", own?.["peak MiB"], 1024),
      goalLine("hedgerow's added p99 of the first content, ms,", own?.["added p99 ms"], 5),
    ],
  };
}

async function hold(
  subject: Subject,
  { streams, perSecond, holdSeconds }: Omit<Wish, "upstream" | "subjects">,
): Promise<Held> {
  const pid = subject.process.pid ?? 0;
  let memoryBytes = 0;
  const allBegunMs = (streams * 1000) / perSecond + (holdSeconds * 1000) / 2;
  const look = setTimeout(() => (memoryBytes = memoryOfTree(pid)), allBegunMs);
  const result = await runStreams({ subject, body: chatBody(true, 1024), streams, perSecond });
  clearTimeout(look);
  return { ...result, memoryBytes, peakBytes: peakOfTree(pid) };
}
