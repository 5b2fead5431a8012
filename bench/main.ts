// `npm run bench [-- --quick --rounds N --connections N --json FILE --plot FILE --before CHECKOUT --bounded --peers --only WORDS --soak-calls N]`, `-- --guard`, `-- --baseline`: processor time of the gateway per request, beside the least code that forwards.
// Rounds are interleaved (A B C A B C), figures come from the kernel's accounting of the whole process tree, and a
// ratio is taken round by round against the bare relay before the median: the machine's mood cancels out.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { halfLoad } from "./half-load.ts";
import { manyKeys, startUp, twoWorkers } from "./growth.ts";
import { guard, readBaseline, takeBaseline } from "./guard.ts";
import { openStreams, workersFor } from "./open-streams.ts";
import { pacedStreams } from "./paced-streams.ts";
import { startPeers } from "./peers.ts";
import { plot } from "./plot.ts";
import { mostHandles } from "./processes.ts";
import { table, type WorkloadReport } from "./report.ts";
import { soak } from "./soak.ts";
import { results, type Results } from "./results.ts";
import { chatBody, saturate, type Saturation } from "./saturation.ts";
import {
  endAll,
  setUpstream,
  startBareRelay,
  startHedgerow,
  startNginx,
  startParsingRelay,
  startUpstream,
  type Subject,
} from "./subjects.ts";

// Each of what is started is ended with it.
process.setMaxListeners(100);

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    /** Draws what is in the reports, or in the file of `--from`. */
    plot: { type: "string" },
    /** Runs nothing: takes the results of an earlier `--json`. */
    from: { type: "string" },
    rounds: { type: "string" },
    connections: { type: "string", default: "64" },
    /** Another checkout, set up: its gateway runs in the same rounds, and the two are compared round by round. */
    before: { type: "string" },
    /** Beside it the gateway with a key, limits and budgets, compared round by round. */
    bounded: { type: "boolean", default: false },
    /** Beside it other gateways, installed into a cache outside the checkout. */
    peers: { type: "boolean", default: false },
    /** Fails where a lane has become worse than the committed baseline by more than 15 %; nothing else is run. */
    guard: { type: "boolean", default: false },
    /** Takes that baseline anew. */
    baseline: { type: "boolean", default: false },
    "soak-calls": { type: "string" },
    /** Only workloads whose name holds this, or one of several: `KB|half load`. */
    only: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 7));
const only = values.only.split("|");
const warmSeconds = values.quick ? 3 : 15;
const share = values.quick ? 0.25 : 1;
// Enough to keep every subject busy: a process that idles between requests pays for each wake-up, and the gateway,
// which waits for its journal, idles sooner than a relay that waits for nothing.
const connections = Number(values.connections);
const soakCalls = Number(values["soak-calls"] ?? (values.quick ? 20_000 : 1_000_000));

const saturations: readonly Saturation[] = [
  { name: "1 KB, whole", requests: 6000 * share, body: chatBody(false, 1024) },
  { name: "64-chunk stream", requests: 2000 * share, body: chatBody(true, 1024), chunks: 64 },
  { name: "500-chunk stream", requests: 400 * share, body: chatBody(true, 1024), chunks: 500 },
  {
    name: "stream of 100 chunks, 20 ms apart",
    requests: 600 * share,
    body: chatBody(true, 1024),
    chunks: 100,
    paceMs: 20,
    connections: 300,
  },
  { name: "800 KB, whole", requests: 300 * share, body: chatBody(false, 800 * 1024) },
];

/** A caller of OpenAI's language, a provider of Anthropic's; the bare relay passes the same on untranslated. */
const translations: readonly Saturation[] = [
  {
    name: "translation, 1 KB, whole",
    requests: 6000 * share,
    body: chatBody(false, 1024, "default"),
    sizesApart: 0.2,
  },
  {
    name: "translation, 64-chunk stream",
    requests: 2000 * share,
    body: chatBody(true, 1024, "default"),
    chunks: 64,
    sizesApart: 0.2,
  },
];

/** More digits than four say nothing. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

const heldStreams = values.quick ? 500 : 10_000;

type Started = readonly Subject[];
interface Workload {
  readonly name: string;
  run(upstream: Subject, subjects: Started): Promise<WorkloadReport>;
}

/** Workloads that need the same subjects. */
interface Group {
  start(upstream: Subject): Promise<Started>;
  readonly workloads: readonly Workload[];
}

function atSaturation(scenario: Saturation): Workload {
  return {
    name: scenario.name,
    async run(upstream, subjects) {
      await setUpstream(upstream, { chunks: scenario.chunks ?? 64, paceMs: scenario.paceMs ?? 0 });
      const report = await saturate(scenario, subjects, { rounds, connections, warmSeconds });
      await setUpstream(upstream, { chunks: 64, paceMs: 0 });
      return report;
    },
  };
}

async function startAll(upstream: Subject): Promise<Started> {
  const subjects = [await startBareRelay(upstream), await startParsingRelay(upstream), await startHedgerow(upstream)];
  if (values.before !== undefined) {
    subjects.push(await startHedgerow(upstream, { checkout: values.before, name: "hedgerow before" }));
  }
  if (values.bounded) subjects.push(await startHedgerow(upstream, { name: "hedgerow bounded", bounded: true }));
  if (values.peers) subjects.push(...(await startPeers(upstream)));
  const nginx = await startNginx(upstream);
  if (nginx === undefined) console.log("nginx is not installed here: left out.");
  else subjects.push(nginx);
  return subjects;
}

const groups: readonly Group[] = [
  { start: startAll, workloads: saturations.map(atSaturation) },
  {
    start: async (upstream) => [await startBareRelay(upstream), await startHedgerow(upstream, { speaks: "anthropic" })],
    workloads: translations.map(atSaturation),
  },
  {
    // They start their own.
    start: async () => [],
    workloads: [
      { name: "many keys and routes", run: (upstream) => manyKeys({ upstream, rounds, requests: 6000 * share }) },
      { name: "start-up and memory", run: (upstream) => startUp({ upstream, rounds: 3, requests: 20_000 * share }) },
      { name: "two workers", run: (upstream) => twoWorkers({ upstream, rounds, requests: 8000 * share }) },
      { name: "soak", run: (upstream) => soak({ upstream, calls: soakCalls }) },
    ],
  },
  {
    start: async (upstream) => [await startBareRelay(upstream), await startHedgerow(upstream)],
    workloads: [
      {
        name: "half load",
        run: (upstream, subjects) => halfLoad({ upstream, subjects, rounds, seconds: values.quick ? 1.5 : 10 }),
      },
      {
        name: "paced streams",
        run: (upstream, subjects) =>
          pacedStreams({
            upstream,
            subjects,
            rounds: values.quick ? 1 : rounds,
            streams: 500 * share,
            chunks: values.quick ? 80 : 250,
          }),
      },
    ],
  },
  {
    start: async (upstream) => {
      const workers = workersFor(heldStreams, mostHandles());
      const name = workers === 1 ? "hedgerow" : `hedgerow, ${workers} workers`;
      return [await startBareRelay(upstream), await startHedgerow(upstream, { workers, name })];
    },
    workloads: [
      {
        name: `${heldStreams} open streams`,
        run: (upstream, subjects) =>
          openStreams({
            upstream,
            subjects,
            streams: heldStreams,
            perSecond: 500,
            holdSeconds: values.quick ? 2 : 8,
          }),
      },
    ],
  },
];

async function runGroup(group: Group): Promise<readonly WorkloadReport[]> {
  const wanted = group.workloads.filter(({ name }) => only.some((words) => name.includes(words)));
  if (wanted.length === 0) return [];
  const upstream = await startUpstream();
  const subjects = await group.start(upstream);
  const reports: WorkloadReport[] = [];
  try {
    for (const workload of wanted) {
      const report = await workload.run(upstream, subjects);
      console.log(table(report));
      reports.push(report);
    }
  } finally {
    await endAll([...subjects, upstream]);
  }
  return reports;
}

if (values.baseline || values.guard) {
  if (values.baseline) await takeBaseline(console.log);
  else if (!(await guard(readBaseline(), console.log))) process.exitCode = 1;
  process.exit();
}
if (values.from !== undefined) {
  const earlier = JSON.parse(readFileSync(values.from, "utf8")) as Results;
  if (values.plot !== undefined) writeFileSync(values.plot, plot(earlier));
  process.exit();
}
const reports: WorkloadReport[] = [];
for (const group of groups) {
  reports.push(...(await runGroup(group)));
  // After each: what was measured in an hour is not lost with what comes then.
  const made = JSON.parse(JSON.stringify(results(reports, process.argv.slice(2)), shortened)) as Results;
  if (values.plot !== undefined) writeFileSync(values.plot, plot(made));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(made, null, 2)}\n`);
}
if (reports.length === 0) console.error(`bench: no workload's name holds ${JSON.stringify(values.only)}`);
