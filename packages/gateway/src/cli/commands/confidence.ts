import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { scopeName } from "#confidence/calibration-key";
import { writeCalibrations } from "#control/config/calibrations";
import { evaluateOwn, type Accepted, type Evaluated } from "#control/confidence/evaluate";
import { readOwnAnswers } from "#control/confidence/own-answers";
import { routePromises } from "#control/confidence/promises";
import { refit } from "#control/confidence/refit";
import type { TrainingRow } from "#control/confidence/training-rows";
import type { CalibrationEntry } from "#domain/calibration";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { percent } from "#cli/figures";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow confidence fit --data DIR [--out FILE] [-c FILE]
       hedgerow confidence evaluate --data DIR [--min 0.85] [--seed 1]

Works on labelled answers of your own: every file *.jsonl in DIR, one JSON object a line,

  {"model": "openai/gpt-5.4", "route": "support", "logprob": -0.04, "correct": true}

with exactly one of \`logprob\` (natural, mean over the answer's tokens), \`raw\` (a probability) and \`features\` (log-odds),
and, where they are told apart, \`route\`, \`tier\`, \`shape\` (label, short, long, json, tool) and \`signals\` (logprobs).

\`fit\` writes calibrations, for the gateway's data folder. \`evaluate\` learns from one half of them and prints what that is
worth on the other: what raw scores and calibrated ones accept at --min, and how much of that is right.

      --data DIR     the labelled answers
      --out FILE     where calibrations are written (default calibration.json)
  -c, --config FILE  the configuration, whose routes say what is promised of pools
      --min SHARE    the least confidence (default 0.85)
      --seed N       which halves (default 1)
      --json         print one JSON object
`;

export const confidence: Command = {
  name: "confidence",
  summary: "learn from labelled answers of your own what confidence is worth",
  usage,
  run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        data: { type: "string" },
        out: { type: "string" },
        config: { type: "string", short: "c" },
        min: { type: "string" },
        seed: { type: "string" },
        json: { type: "boolean" },
      },
      words: { least: 1, most: 1, what: "`fit` or `evaluate`" },
    });
    const [what] = words;
    if (what !== "fit" && what !== "evaluate") throw new UsageError("say `fit` or `evaluate`, before all options");
    if (values.data === undefined) throw new UsageError("--data names the folder of labelled answers");
    const min = values.min === undefined ? 0.85 : shareOf(values.min);
    const seed = values.seed === undefined ? 1 : wholeNumber("--seed", values.seed, { min: 0, max: 0xffff_ffff });
    const rows = readFolder(resolve(io.cwd, values.data));
    if (typeof rows === "string") {
      io.stderr(`hedgerow confidence: ${terminalLine(rows)}\n`);
      return Promise.resolve(1);
    }
    const json = values.json === true;
    if (what === "fit") return Promise.resolve(fit(rows, { out: values.out, config: values.config, json, io }));
    printEvaluated(evaluateOwn(rows, { min, seed }), { min, json, io });
    return Promise.resolve(0);
  },
};

/** All rows, or what is wrong in words. */
function readFolder(folder: string): readonly TrainingRow[] | string {
  if (!existsSync(folder)) return `there is no folder ${folder}`;
  const files = statSync(folder).isDirectory()
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".jsonl"))
        .toSorted()
        .map((name) => join(folder, name))
    : [folder];
  const rows: TrainingRow[] = [];
  for (const file of files) {
    const read = readOwnAnswers(readFileSync(file, "utf8"), file);
    if (read.kind === "broken") return read.why;
    for (const row of read.rows) rows.push(row);
  }
  return rows.length === 0 ? `${folder} holds no labelled answers: no line in any file *.jsonl` : rows;
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share > 0 && share < 1) return share;
  throw new UsageError(`--min takes a number between 0 and 1 such as 0.85, not ${JSON.stringify(text)}`);
}

interface FitWish {
  readonly out: string | undefined;
  readonly config: string | undefined;
  readonly json: boolean;
  readonly io: CommandIo;
}

function fit(rows: readonly TrainingRow[], { out = "calibration.json", config, json, io }: FitWish): number {
  const path = resolve(io.cwd, out);
  if (existsSync(path)) {
    io.stderr(`hedgerow confidence: ${path} is there already; move it away, or name another with --out\n`);
    return 1;
  }
  const nowMs = Date.now();
  const createdAt = new Date(nowMs).toISOString();
  const configuration = configurationFor(config, { io, today: createdAt.slice(0, 10) });
  if (configuration === undefined) return 1;
  const promises = routePromises(configuration.snapshot);
  // In a mixed order within some minutes: a fit that takes the newest thousands then takes of every file.
  const dated = rows.map((row, at) => Object.assign({}, row, { atMs: nowMs - (Math.imul(at, 0x9e3779b1) >>> 12) }));
  const fitted = refit({ rows: dated, judged: [], previous: undefined, promises, nowMs, whole: true });
  // Without a route a row speaks for no route of its own.
  const entries = fitted.entries.filter(({ key }) => key.route !== "");
  writeCalibrations(path, { entries, createdAt });
  if (json) io.stdout(`${JSON.stringify({ file: path, rows: rows.length, entries }, null, 2)}\n`);
  else {
    io.stdout(renderTable(entryColumns, entries));
    if (entries.length === 0) io.stdout("Fewer than 25 labels of each kind: too few to calibrate by.\n");
    io.stdout(`${entries.length} calibrations from ${rows.length} answers, written to ${path}.\n`);
    io.stdout("Put it into the gateway's data folder as calibration.json; it is read at start and on every reload.\n");
  }
  return 0;
}

const entryColumns: readonly Column<CalibrationEntry>[] = [
  { title: "ANSWERS OF", value: ({ key }) => scopeName(key) },
  { title: "LABELS", value: ({ quality }) => String(quality.n), align: "right" },
  { title: "CURVE", value: ({ calibrator }) => calibrator.kind },
  { title: "ECE", value: ({ quality }) => quality.ece.toFixed(3), align: "right" },
  { title: "FLOOR", value: ({ quality }) => quality.eceFloor.toFixed(3), align: "right" },
  { title: "BRIER", value: ({ quality }) => quality.brier.toFixed(3), align: "right" },
  { title: "AUROC", value: ({ quality }) => quality.auroc?.toFixed(3) ?? "-", align: "right" },
  { title: "POOLS", value: ({ pools }) => pools.map(({ min }) => min).join(", ") || "none" },
];

function printEvaluated(
  made: readonly Evaluated[],
  { min, json, io }: { readonly min: number; readonly json: boolean; readonly io: CommandIo },
): void {
  if (json) io.stdout(`${JSON.stringify({ min, rows: made }, null, 2)}\n`);
  else {
    io.stdout(renderTable(evaluatedColumns, made));
    io.stdout(
      `\nShare accepted at ${min}, and how much of it was right: by raw scores, by calibrated ones, and by a threshold for\n` +
        "the pool (95 % sure). ECE is never below its FLOOR by more than luck. Judged on the half nothing was learned from.\n",
    );
  }
}

const evaluatedColumns: readonly Column<Evaluated>[] = [
  { title: "ANSWERS OF", value: ({ scope }) => scope },
  { title: "N", value: ({ judged }) => String(judged), align: "right" },
  { title: "RIGHT", value: ({ accuracy }) => percent(accuracy, 1), align: "right" },
  { title: "RAW", value: ({ raw }) => acceptedText(raw), align: "right" },
  { title: "CALIBRATED", value: ({ calibrated }) => acceptedText(calibrated), align: "right" },
  { title: "POOL", value: ({ pool }) => (pool === undefined ? "none" : acceptedText(pool)), align: "right" },
  { title: "ECE", value: ({ raw, calibrated }) => arrow(raw.ece, calibrated.ece), align: "right" },
  { title: "FLOOR", value: ({ eceFloor }) => eceFloor.toFixed(3), align: "right" },
  { title: "BRIER", value: ({ raw, calibrated }) => arrow(raw.brier, calibrated.brier), align: "right" },
  { title: "AUROC", value: ({ auroc }) => auroc?.toFixed(3) ?? "-", align: "right" },
];

function acceptedText({ share, accuracy }: Accepted): string {
  const right = accuracy === undefined ? "-" : `${(accuracy * 100).toFixed(1)} %`;
  return `${(share * 100).toFixed(0)} %, ${right}`;
}

function arrow(before: number, after: number): string {
  return `${before.toFixed(3)} > ${after.toFixed(3)}`;
}
