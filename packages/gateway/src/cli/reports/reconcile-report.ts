import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { reconcile, type Reconciled, type ReconciledRow } from "#control/reports/reconcile";
import { exportColumns, readExport, type ExportColumns } from "#control/reports/usage-export";
import { UsageError, type CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { percent } from "#cli/figures";
import { withRecordedCalls } from "#cli/recorded-calls";
import { windowOf } from "#cli/report-window";
import { renderTable, type Column } from "#cli/table";
import { dollarText } from "./spend-report.ts";

const largestFile = 64 * 1024 * 1024;
const dayMs = 86_400_000;

export function reportReconcile(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine(args, {
    options: {
      provider: { type: "string" },
      file: { type: "string" },
      columns: { type: "string" },
      tolerance: { type: "string" },
      since: { type: "string" },
      month: { type: "string" },
      config: { type: "string", short: "c" },
      data: { type: "string" },
      json: { type: "boolean" },
      csv: { type: "boolean" },
    },
    words: { least: 0, most: 0, what: "nothing" },
  });
  const { provider, file } = values;
  if (provider === undefined || file === undefined)
    throw new UsageError("report reconcile takes --provider and --file");
  const tolerance = toleranceOf(values.tolerance ?? "1%");
  const columns = columnsOf(values.columns);
  const nowMs = Date.now();
  const asked = windowOf({ since: values.since, month: values.month, usual: "30d" }, nowMs);
  const window = { fromMs: floorDay(asked.fromMs), untilMs: floorDay(asked.untilMs + dayMs - 1) };
  const configuration = configurationFor(values.config, { io, today: new Date(nowMs).toISOString().slice(0, 10) });
  if (configuration === undefined) return Promise.resolve(1);
  const say = (why: string): Promise<number> => {
    io.stderr(`hedgerow report: ${file}: ${why}\n`);
    return Promise.resolve(1);
  };
  const path = resolve(io.cwd, file);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return say("there is no such file");
  if (size > largestFile) return say("it has more than 64 MiB; cut it by days");
  const read = readExport(readFileSync(path, "utf8"), columns);
  if (read.kind === "refused") return say(read.why);
  const folder = resolve(io.cwd, values.data ?? configuration.server.data);
  const ofAll = values.data === undefined ? configuration.server.store : undefined;
  return withRecordedCalls({ command: "report", folder, ofAll, io }, async (store) => {
    const made = await reconcile(store, { provider, rows: read.rows, window, tolerance });
    if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`);
    else if (values.csv === true) io.stdout(renderCsv(rowColumns, made.rows));
    else print(made, io);
    return made.rows.every(({ status }) => status === "same") ? 0 : 1;
  });
}

function floorDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}

function toleranceOf(text: string): number {
  const share = Number(/^(\d+(?:\.\d+)?)%$/u.exec(text)?.[1]) / 100;
  if (Number.isNaN(share)) throw new UsageError(`--tolerance takes a share such as 1%, not ${JSON.stringify(text)}`);
  return share;
}

function columnsOf(text: string | undefined): ExportColumns {
  const entries = (text ?? "")
    .split(",")
    .filter(Boolean)
    .map((each) => {
      const [name, column] = each.split("=", 2);
      const known = exportColumns.find((one) => one === name?.trim());
      if (known === undefined || column === undefined || column === "") {
        throw new UsageError(`--columns takes ${exportColumns.map((one) => `${one}=NAME`).join(",")}`);
      }
      return [known, column.trim().toLowerCase()] as const;
    });
  return Object.fromEntries(entries);
}

const money = (nano: string | undefined): string => (nano === undefined ? "-" : dollarText(nano));
const rowColumns: readonly Column<ReconciledRow>[] = [
  { title: "DAY", value: ({ day }) => day },
  { title: "MODEL", value: ({ model }) => model },
  { title: "OURS USD", value: ({ ours }) => money(ours.costNanoUsd), align: "right" },
  { title: "THEIRS USD", value: ({ theirs }) => money(theirs.costNanoUsd), align: "right" },
  { title: "TOKENS", value: ({ ours }) => tokens(ours), align: "right" },
  { title: "THEIRS", value: ({ theirs }) => tokens(theirs), align: "right" },
  { title: "DIFFERENCE", value: ({ difference }) => percent(difference, 2), align: "right" },
  { title: "UNKNOWN", value: ({ ours }) => String(ours.unpriced), align: "right" },
  { title: "IT IS", value: ({ status }) => status },
];

function tokens({ inputTokens, outputTokens }: ReconciledRow["theirs"]): string {
  return inputTokens === undefined && outputTokens === undefined ? "-" : `${inputTokens ?? "-"}+${outputTokens ?? "-"}`;
}

function print(made: Reconciled, io: CommandIo): void {
  const { provider, from, until, rows, oursNanoUsd, theirsNanoUsd } = made;
  io.stdout(`${provider}, ${from} to ${until} (UTC days)\n\n${renderTable(rowColumns, rows)}`);
  if (rows.length === 0) io.stdout("Neither side has anything in it.\n");
  const wrong = rows.filter(({ status }) => status !== "same").length;
  io.stdout(
    `\nOurs ${dollarText(oursNanoUsd)} USD, theirs ${dollarText(theirsNanoUsd)} USD: ` +
      (wrong === 0 ? "they agree.\n" : `${wrong} of ${rows.length} rows do not agree.\n`),
  );
}
