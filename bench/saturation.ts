import { cpuMicrosOf, cpuMicrosOfTree } from "./cpu.ts";
import { generate } from "./load.ts";
import { figure, type Figure, type WorkloadReport } from "./report.ts";
import type { Subject } from "./subjects.ts";

/** Calls as many as a closed loop gives, of one shape. */
export interface Saturation {
  readonly name: string;
  readonly requests: number;
  readonly body: Buffer;
  readonly path?: string;
  readonly chunks?: number;
  /** Between two of them. */
  readonly paceMs?: number;
  readonly connections?: number;
  /** How far apart answers' sizes may be, as a share; more where the languages differ. */
  readonly sizesApart?: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly connections: number;
  /** How long each subject is under this load before it is measured, at least two rounds of it. */
  readonly warmSeconds?: number;
}

interface Reading {
  /** Of the whole process tree, and of its descendants alone: a gateway's workers. */
  readonly cpuMicros: number;
  readonly workerMicros: number;
  readonly failed: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

type Cpu = "cpuMicros" | "workerMicros";

/** A body of a chat call of so many bytes; `model`: a target, which all gateways know, or a route of ours. */
export function chatBody(streamed: boolean, bytes: number, model = "openai/gpt-5.4"): Buffer {
  const rest = { messages: [{ role: "user", content: "" }] };
  const front = streamed ? { stream: true, stream_options: { include_usage: true }, model } : { model };
  const bare = JSON.stringify({ ...front, ...rest });
  const words = 'some words of a prompt, with \\"quotes\\" and a line end\\n ';
  const filling = words.repeat(Math.ceil(bytes / words.length)).slice(0, Math.max(0, bytes - bare.length));
  // Cutting may have split an escape: a trailing backslash would break the JSON.
  return Buffer.from(bare.replace('"content":""', `"content":"${filling.replace(/\\+$/, "")}"`));
}

async function measure(subject: Subject, scenario: Saturation, connections: number): Promise<Reading> {
  const pid = subject.process.pid ?? 0;
  const before = { tree: cpuMicrosOfTree(pid), own: cpuMicrosOf(pid) };
  const { url, headers = {} } = subject;
  const load = { url, headers, path: scenario.path ?? "/v1/chat/completions", body: scenario.body, connections };
  const result = await generate({ ...load, requests: scenario.requests });
  // A process that is gone has used nothing: it would look like the best of all.
  if (subject.process.exitCode !== null || subject.process.signalCode !== null) {
    throw new Error(`${subject.name} ended while it was measured`);
  }
  const tree = cpuMicrosOfTree(pid) - before.tree;
  const own = cpuMicrosOf(pid) - before.own;
  const at = (q: number): number => result.latenciesMs[Math.floor(result.latenciesMs.length * q)] ?? 0;
  return {
    cpuMicros: tree / scenario.requests,
    workerMicros: (tree - own) / scenario.requests,
    failed: result.failed,
    bytes: result.bytes / scenario.requests,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    perSecond: scenario.requests / result.seconds,
  };
}

/** Uncounted, and long: a larger program takes longer to be compiled, and nobody runs a gateway for two seconds. */
async function warm(
  subject: Subject,
  scenario: Saturation,
  { connections, warmSeconds }: { readonly connections: number; readonly warmSeconds: number },
): Promise<void> {
  const beganAtMs = performance.now();
  do await measure(subject, scenario, connections);
  while (performance.now() - beganAtMs < warmSeconds * 1000);
}

/**
 * All subjects in turn, round by round. Ratios are taken within a round, to the first subject; where the
 * gateway is there twice ("hedgerow before", "hedgerow bounded"), notes tell one to the other.
 */
export async function saturate(
  scenario: Saturation,
  subjects: readonly Subject[],
  { rounds, warmSeconds = 0, ...more }: Rounds,
): Promise<WorkloadReport> {
  const { connections = more.connections } = scenario;
  for (const subject of subjects)
    await warm(subject, { ...scenario, requests: scenario.requests * 2 }, { connections, warmSeconds });
  const readings = new Map<string, Reading[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) readings.get(subject.name)?.push(await measure(subject, scenario, connections));
  }
  return {
    workload: scenario.name,
    how: `${rounds} interleaved rounds of ${scenario.requests} requests, ${connections} connections`,
    rows: subjects.flatMap((subject) => rowsOf(subject.name, readings, subjects[0]?.name ?? "")),
    notes: [...failures(readings, scenario.sizesApart), ...changes(readings)],
  };
}

function rowsOf(name: string, readings: ReadonlyMap<string, readonly Reading[]>, bare: string): WorkloadReport["rows"] {
  const own = readings.get(name) ?? [];
  const row = (subject: string, key: Cpu): WorkloadReport["rows"][number] => ({
    subject,
    figures: {
      "CPU µs per request": of(own, key),
      "ratio to the bare relay": ratio(own, key, { to: readings.get(bare) ?? [], its: "cpuMicros" }),
      "p50 ms": of(own, "p50Ms"),
      "p99 ms": of(own, "p99Ms"),
      "requests/s": of(own, "perSecond"),
    },
  });
  if (!name.startsWith("hedgerow")) return [row(name, "cpuMicros")];
  return [row(`${name}, worker and supervisor`, "cpuMicros"), row(`${name}, worker alone`, "workerMicros")];
}

function of(readings: readonly Reading[], key: keyof Reading): Figure {
  return figure(readings.map((reading) => reading[key]));
}

function ratio(
  readings: readonly Reading[],
  key: Cpu,
  { to, its }: { readonly to: readonly Reading[]; readonly its: Cpu },
): Figure {
  return figure(readings.map((reading, at) => reading[key] / (to[at]?.[its] ?? Number.NaN)));
}

function failures(readings: ReadonlyMap<string, readonly Reading[]>, sizesApart = 0.1): readonly string[] {
  const usual = readings.get([...readings.keys()][0] ?? "")?.[0]?.bytes ?? 0;
  const told: string[] = [];
  for (const [name, own] of readings) {
    const bytes = own[0]?.bytes ?? 0;
    const failed = own.reduce((sum, reading) => sum + reading.failed, 0);
    if (failed > 0) told.push(`${name}: ${failed} requests failed`);
    // Envelopes differ by some; who passes on a tenth less has not done the work.
    if (Math.abs(bytes / usual - 1) > sizesApart) {
      told.push(`${name}: ${bytes.toFixed(0)} bytes an answer, not ${usual.toFixed(0)}: no comparison`);
    }
  }
  return told;
}

function changes(readings: ReadonlyMap<string, readonly Reading[]>): readonly string[] {
  const now = readings.get("hedgerow") ?? [];
  const before = readings.get("hedgerow before");
  const bounded = readings.get("hedgerow bounded");
  return (["cpuMicros", "workerMicros"] as const).flatMap((its) => {
    const who = its === "cpuMicros" ? "worker and supervisor" : "worker alone";
    const told = (what: string, { median, least, most }: Figure): string =>
      `${who}, ${what}: ${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
    const lines: string[] = [];
    if (before !== undefined) lines.push(told("now to before", ratio(now, its, { to: before, its })));
    if (bounded !== undefined) lines.push(told("bounded to not", ratio(bounded, its, { to: now, its })));
    return lines;
  });
}
