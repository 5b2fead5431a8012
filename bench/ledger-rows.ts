// `node --conditions=hedgerow-source bench/ledger-rows.ts [--rows 10000000] [--folder DIR] [--keep]`: a store of so many calls,
// what reports take of it (whole commands, start included), and what a piece of the journal costs that comes in, beside an
// empty store, in turn. Needs the gateway built, and some 2 KB of disk for each call.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ingestRecords } from "#control/store/ingest";
import { openStore, storeFile, type Store } from "#control/store/sqlite";
import { figure, table, type WorkloadReport } from "./report.ts";
import { callsBetween, configuration, newest } from "./sample-calls.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    folder: { type: "string" },
    /** Leaves the store where it is; one that is there already is used as it is. */
    keep: { type: "boolean", default: false },
  },
});
const rows = Number(values.rows);
/** About what 512 KiB of the journal hold. */
const pieceRecords = 400;
const timesEach = 5;

function opened(path: string): Store {
  const found = openStore(path);
  if (found.kind === "refused") throw new Error(found.message);
  return found.store;
}

let pieces = 0;
/** Milliseconds. */
function ingest(store: Store, from: number, count: number): number {
  const records = callsBetween({ from, count, of: rows });
  pieces += 1;
  const began = performance.now();
  ingestRecords(store, { file: `w1-${pieces}-000001.jsonl`, fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  return performance.now() - began;
}

function fill(store: Store): void {
  const there = Number(store.get("SELECT count(*) AS calls FROM calls")?.["calls"]);
  let beganMs = performance.now();
  for (let from = there; from < rows; from += pieceRecords) {
    ingest(store, from, Math.min(pieceRecords, rows - from));
    if (from % 1_000_000 >= pieceRecords) continue;
    const tookMs = performance.now() - beganMs;
    console.error(`${(from / 1e6).toFixed(0)} million calls; the last million took ${(tookMs / 1000).toFixed(0)} s`);
    beganMs = performance.now();
  }
}

const commands: readonly (readonly string[])[] = [
  ["report", "calls"],
  ["report", "calls", "--since", "7d"],
  ["report", "calls", "--decision", "failed"],
  ["report", "calls", "--provider", "rare"],
  ["report", "calls", "--route", "route-3", "--since", "30d"],
  ["report", "spend"],
  ["report", "spend", "--by", "team,model", "--since", "80d"],
  ["report", "spend", "--by", "user"],
  ["report", "spend", "--by", "day,route"],
  ["report", "sla"],
  ["report", "concentration"],
  ["report", "confidence"],
];

function timed(folder: string, args: readonly string[]): number {
  const main = fileURLToPath(new URL("../packages/gateway/dist/cli/main.js", import.meta.url));
  const began = performance.now();
  const words = [main, ...args, ...(args.length > 1 ? ["-c", join(folder, "hedgerow.yaml"), "--data", folder] : [])];
  const done = spawnSync(process.execPath, words, { encoding: "utf8", cwd: folder, maxBuffer: 256 * 1024 * 1024 });
  if (done.status !== 0) throw new Error(`${args.join(" ")}: ${done.stderr}`);
  return (performance.now() - began) / 1000;
}

function reports(folder: string): WorkloadReport {
  return {
    workload: `reports of ${rows} calls`,
    how: `${timesEach} times each, the whole command; the store is ${(statSync(join(folder, storeFile)).size / 1e9).toFixed(1)} GB`,
    rows: commands.map((args) => ({
      subject: args.join(" "),
      figures: { seconds: figure(Array.from({ length: timesEach }, () => timed(folder, args))) },
    })),
    notes: [`a command that asks nothing of the store takes ${timed(folder, ["version"]).toFixed(2)} s`],
  };
}

/** A full store and an empty one in turn, so that the machine's mood is the same for both. */
function writing(folder: string, full: Store): WorkloadReport {
  const path = join(folder, "empty.sqlite");
  const empty = opened(path);
  const took = { full: [] as number[], empty: [] as number[] };
  for (let at = 0; at < 60; at += 1) {
    const from = rows + at * pieceRecords;
    took.empty.push((ingest(empty, from, pieceRecords) * 1000) / pieceRecords);
    took.full.push((ingest(full, from, pieceRecords) * 1000) / pieceRecords);
  }
  empty.close();
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  const ratios = took.full.map((each, at) => each / (took.empty[at] ?? Number.NaN));
  return {
    workload: `pieces of ${pieceRecords} records that come in`,
    how: "60 pieces, a full store and an empty one in turn, synced",
    rows: [
      { subject: "empty store", figures: { "µs a record": figure(took.empty) } },
      { subject: `${rows} calls`, figures: { "µs a record": figure(took.full) } },
      { subject: "full to empty", figures: { "µs a record": figure(ratios) } },
    ],
    notes: [],
  };
}

const folder = values.folder ?? mkdtempSync(join(tmpdir(), "hedgerow-rows-"));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "hedgerow.yaml"), configuration);
const store = opened(join(folder, storeFile));
try {
  fill(store);
  console.log(`the newest call is of ${new Date(newest).toISOString()}`);
  console.log(table(writing(folder, store)));
} finally {
  store.close();
}
console.log(table(reports(folder)));
if (!values.keep) rmSync(folder, { recursive: true });
