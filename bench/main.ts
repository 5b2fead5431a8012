// `npm run bench [-- --quick --rounds N --connections N --json FILE --before CHECKOUT --bounded --peers --only WORDS]`: processor time of the gateway per request, beside the least code that forwards.
// Rounds are interleaved (A B C A B C), figures come from the kernel's accounting of the whole process tree, and a
// ratio is taken round by round against the bare relay before the median: the machine's mood cancels out.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startPeers } from "./peers.ts";
import { table, type WorkloadReport } from "./report.ts";
import { chatBody, saturate, type Saturation } from "./saturation.ts";
import {
  startBareRelay,
  startHedgerow,
  startNginx,
  startParsingRelay,
  startUpstream,
  type Subject,
} from "./subjects.ts";

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
    /** Only workloads whose name holds this. */
    only: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 7));
const share = values.quick ? 0.25 : 1;
// Enough to keep every subject busy: a process that idles between requests pays for each wake-up, and the gateway,
// which waits for its journal, idles sooner than a relay that waits for nothing.
const connections = Number(values.connections);

const saturations: readonly Saturation[] = [
  { name: "1 KB, not streamed", requests: 6000 * share, body: chatBody(false, 1024) },
  { name: "64-chunk stream", requests: 2000 * share, body: chatBody(true, 1024), chunks: 64 },
  { name: "500-chunk stream", requests: 400 * share, body: chatBody(true, 1024), chunks: 500 },
  { name: "800 KB, not streamed", requests: 300 * share, body: chatBody(false, 800 * 1024) },
];

async function startAll(upstream: Subject): Promise<readonly Subject[]> {
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

/** Calls at saturation: all of them need the same subjects, which are started once. */
async function runSaturations(): Promise<readonly WorkloadReport[]> {
  const wanted = saturations.filter(({ name }) => name.includes(values.only));
  if (wanted.length === 0) return [];
  const upstream = await startUpstream();
  const subjects = await startAll(upstream);
  const reports: WorkloadReport[] = [];
  try {
    for (const scenario of wanted) {
      if (scenario.chunks !== undefined) await fetch(`${upstream.url}/chunks/${scenario.chunks}`).then((r) => r.text());
      reports.push(await saturate(scenario, subjects, { rounds, connections }));
      console.log(table(reports.at(-1) as WorkloadReport));
    }
  } finally {
    for (const { process: child } of [...subjects, upstream]) child.kill("SIGTERM");
  }
  return reports;
}

const reports = await runSaturations();
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`);
