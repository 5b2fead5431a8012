import { cpuMicrosOfTree } from "./cpu.ts";
import { quantile } from "./open-loop.ts";
import { failedNotes, figure, type Figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import { runStreams, type StreamsResult } from "./stream-load.ts";
import { setUpstream, type Subject } from "./subjects.ts";

interface Wish {
  readonly upstream: Subject;
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly streams: number;
  readonly chunks: number;
}

interface Paced extends StreamsResult {
  readonly cpuMicrosPerChunk: number;
}

const paceMs = 20;

/** Streams that come as providers send them, a chunk each 20 ms: what a chunk costs, and how much later it is. */
export async function pacedStreams({ upstream, subjects, rounds, streams, chunks }: Wish): Promise<WorkloadReport> {
  // Begun within the first half of a stream's life, so that all are open at once.
  const perSecond = Math.ceil(streams / ((chunks * paceMs) / 2_000));
  const body = chatBody(true, 1024);
  const all = [{ ...upstream, name: "no gateway" }, ...subjects];
  const results = new Map<string, Paced[]>(all.map(({ name }) => [name, []]));
  await setUpstream(upstream, { chunks, paceMs, stamped: 1 });
  try {
    // Uncounted: what runs for the first time is compiled.
    for (const subject of subjects) await runStreams({ subject, body, streams, perSecond });
    for (let round = 0; round < rounds; round += 1) {
      for (const subject of all) {
        const before = cpuMicrosOfTree(subject.process.pid ?? 0);
        const result = await runStreams({ subject, body, streams, perSecond });
        const micros = cpuMicrosOfTree(subject.process.pid ?? 0) - before;
        results.get(subject.name)?.push({ ...result, cpuMicrosPerChunk: micros / (streams * chunks) });
      }
    }
  } finally {
    await setUpstream(upstream, { chunks: 64, paceMs: 0, stamped: 0 });
  }
  const direct = results.get("no gateway") ?? [];
  const late = figure(direct.map(({ latenessMs }) => quantile(latenessMs, 0.99)));
  const most = figure([...results.values()].flat().map(({ mostOpen }) => mostOpen));
  return {
    workload: "paced streams",
    how: `${rounds} interleaved rounds of ${streams} streams, ${chunks} chunks ${paceMs} ms apart, begun at ${perSecond} a second; at least ${most.least} at once`,
    rows: all.map(({ name }) => ({ subject: name, figures: figuresOf(results.get(name) ?? [], direct) })),
    notes: [
      `a chunk's delay is from when the provider wrote it; the generator began 99 % of streams within ${late.median.toFixed(2)} ms of their time`,
      ...failedNotes(results, "streams"),
    ],
  };
}

function figuresOf(own: readonly Paced[], direct: readonly Paced[]): Readonly<Record<string, Figure>> {
  const added = (key: "firstMs" | "chunkMs", q: number): Figure =>
    figure(own.map((each, at) => quantile(each[key], q) - quantile(direct[at]?.[key] ?? [], q)));
  return {
    "CPU µs per chunk": figure(own.map(({ cpuMicrosPerChunk }) => cpuMicrosPerChunk)),
    "first content, added p50 ms": added("firstMs", 0.5),
    "first content, added p99 ms": added("firstMs", 0.99),
    "chunk, p50 ms": figure(own.map(({ chunkMs }) => quantile(chunkMs, 0.5))),
    "chunk, added p50 ms": added("chunkMs", 0.5),
    "chunk, added p99 ms": added("chunkMs", 0.99),
  };
}
