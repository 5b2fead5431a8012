// `npm run bench [-- --quick --rounds N --connections N --json FILE --before CHECKOUT --bounded --peers]`: processor time of the gateway per request, beside the least code that forwards.
// Rounds are interleaved (A B C A B C), figures come from the kernel's accounting of the whole process tree, and a
// ratio is taken round by round against the bare relay before the median: the machine's mood cancels out.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cpuMicrosOf, cpuMicrosOfTree } from "./cpu.ts";
import { generate } from "./load.ts";
import { startPeers } from "./peers.ts";
import {
  startBareRelay,
  startHedgerow,
  startNginx,
  startParsingRelay,
  startUpstream,
  type Subject,
} from "./subjects.ts";

interface Scenario {
  readonly name: string;
  readonly requests: number;
  readonly body: Buffer;
  readonly chunks?: number;
}

interface Reading {
  /** Of the whole process tree, and of its descendants alone: a gateway's workers. */
  readonly cpuMicros: number;
  readonly workerMicros: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    rounds: { type: "string" },
    connections: { type: "string", default: "64" },
    /** Another checkout, set up: its gateway runs in the same rounds, and the two are compared round by round. */
    before: { type: "string" },
    /** Beside it the gateway with a key, limits and budgets, compared round by round. */
    bounded: { type: "boolean", default: false },
    /** Beside it other gateways, installed into a cache outside the checkout. */
    peers: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 7));
const share = values.quick ? 0.25 : 1;
// Enough to keep every subject busy: a process that idles between requests pays for each wake-up, and the gateway,
// which waits for its journal, idles sooner than a relay that waits for nothing.
const connections = Number(values.connections);

function request(streamed: boolean, bytes: number): Buffer {
  const rest = { messages: [{ role: "user", content: "" }] };
  const front = streamed
    ? { stream: true, stream_options: { include_usage: true }, model: "openai/gpt-5.4" }
    : { model: "openai/gpt-5.4" };
  const bare = JSON.stringify({ ...front, ...rest });
  const words = 'some words of a prompt, with \\"quotes\\" and a line end\\n ';
  const filling = words.repeat(Math.ceil(bytes / words.length)).slice(0, Math.max(0, bytes - bare.length));
  // Cutting may have split an escape: a trailing backslash would break the JSON.
  return Buffer.from(bare.replace('"content":""', `"content":"${filling.replace(/\\+$/, "")}"`));
}

const scenarios: readonly Scenario[] = [
  { name: "1 KB, not streamed", requests: 6000 * share, body: request(false, 1024) },
  { name: "64-chunk stream", requests: 2000 * share, body: request(true, 1024), chunks: 64 },
  { name: "500-chunk stream", requests: 400 * share, body: request(true, 1024), chunks: 500 },
  { name: "800 KB, not streamed", requests: 300 * share, body: request(false, 800 * 1024) },
];

async function measure(subject: Subject, scenario: Scenario): Promise<Reading> {
  const pid = subject.process.pid ?? 0;
  const before = { tree: cpuMicrosOfTree(pid), own: cpuMicrosOf(pid) };
  const { url, headers = {} } = subject;
  const load = { url, headers, path: "/v1/chat/completions", body: scenario.body, connections };
  const result = await generate({ ...load, requests: scenario.requests });
  const tree = cpuMicrosOfTree(pid) - before.tree;
  const own = cpuMicrosOf(pid) - before.own;
  const at = (q: number): number => result.latenciesMs[Math.floor(result.latenciesMs.length * q)] ?? 0;
  return {
    cpuMicros: tree / scenario.requests,
    workerMicros: (tree - own) / scenario.requests,
    failed: result.failed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    perSecond: scenario.requests / result.seconds,
  };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
const spread = (numbers: readonly number[], digits: number): string =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)})`;

async function run(scenario: Scenario, subjects: readonly Subject[], upstream: Subject): Promise<object> {
  if (scenario.chunks !== undefined) await fetch(`${upstream.url}/chunks/${scenario.chunks}`).then((r) => r.text());
  // Uncounted, and long: a larger program takes longer to be compiled, and nobody runs a gateway for two seconds.
  for (const subject of subjects) await measure(subject, { ...scenario, requests: scenario.requests * 2 });
  const readings = new Map<string, Reading[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) readings.get(subject.name)?.push(await measure(subject, scenario));
  }
  console.log(
    `\n${scenario.name}: ${rounds} interleaved rounds of ${scenario.requests} requests, ${connections} connections`,
  );
  console.log(
    "| subject | CPU µs per request | ratio to the bare relay | p50 ms | p99 ms | requests/s |\n|---|---|---|---|---|---|",
  );
  const bare = readings.get("bare relay") ?? [];
  const rows = subjects.flatMap(({ name }) => {
    const own = readings.get(name) ?? [];
    const failed = own.reduce((sum, reading) => sum + reading.failed, 0);
    if (failed > 0) console.log(`${name}: ${failed} requests failed`);
    const of = (key: "p50Ms" | "p99Ms"): string => median(own.map((reading) => reading[key])).toFixed(2);
    const rate = median(own.map((reading) => reading.perSecond)).toFixed(0);
    const row = (label: string, key: "cpuMicros" | "workerMicros"): object => {
      const ratios = own.map((reading, at) => reading[key] / (bare[at]?.cpuMicros ?? Number.NaN));
      const cpu = spread(
        own.map((reading) => reading[key]),
        0,
      );
      console.log(`| ${label} | ${cpu} | ${spread(ratios, 2)} | ${of("p50Ms")} | ${of("p99Ms")} | ${rate} |`);
      return { subject: label, medianRatio: median(ratios), readings: own };
    };
    if (!name.startsWith("hedgerow")) return [row(name, "cpuMicros")];
    return [row(`${name}, worker and supervisor`, "cpuMicros"), row(`${name}, worker alone`, "workerMicros")];
  });
  const now = readings.get("hedgerow");
  tellChange("now to before", now, readings.get("hedgerow before"));
  if (values.bounded) tellChange("bounded to not", readings.get("hedgerow bounded"), now);
  return { scenario: scenario.name, rows };
}

function tellChange(what: string, now: readonly Reading[] = [], before?: readonly Reading[]): void {
  if (before === undefined) return;
  for (const key of ["cpuMicros", "workerMicros"] as const) {
    const ratios = now.map((reading, at) => reading[key] / (before[at]?.[key] ?? Number.NaN));
    console.log(`${key === "cpuMicros" ? "worker and supervisor" : "worker alone"}, ${what}: ${spread(ratios, 2)}`);
  }
}

const upstream = await startUpstream();
const subjects = [await startBareRelay(upstream), await startParsingRelay(upstream), await startHedgerow(upstream)];
if (values.before !== undefined) {
  subjects.push(await startHedgerow(upstream, { checkout: values.before, name: "hedgerow before" }));
}
if (values.bounded) subjects.push(await startHedgerow(upstream, { name: "hedgerow bounded", bounded: true }));
if (values.peers) subjects.push(...(await startPeers(upstream)));
const nginx = await startNginx(upstream);
if (nginx === undefined) console.log("nginx is not installed here: left out.");
else subjects.push(nginx);
const report: object[] = [];
try {
  for (const scenario of scenarios) report.push(await run(scenario, subjects, upstream));
} finally {
  for (const { process: child } of [...subjects, upstream]) child.kill("SIGTERM");
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
