import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { confidenceReport } from "#control/reports/confidence";
import type { ConfidenceReport, ConfidenceRow, RouteCost } from "#control/reports/confidence";
import { labelsFile, openLabelsFile } from "#control/store/labels-file";
import type { CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { percent, usd } from "#cli/figures";
import { withRecordedCalls } from "#cli/recorded-calls";
import { reliabilityDiagram } from "#cli/reliability-diagram";
import { windowOf } from "#cli/report-window";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";

export function reportConfidence(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine(args, {
    options: {
      since: { type: "string" },
      month: { type: "string" },
      route: { type: "string" },
      config: { type: "string", short: "c" },
      data: { type: "string" },
      json: { type: "boolean" },
      csv: { type: "boolean" },
    },
    words: { least: 0, most: 0, what: "nothing" },
  });
  const nowMs = Date.now();
  const window = windowOf({ since: values.since, month: values.month, usual: "7d" }, nowMs);
  const configuration = configurationFor(values.config, { io, today: new Date(nowMs).toISOString().slice(0, 10) });
  if (configuration === undefined) return Promise.resolve(1);
  const folder = resolve(io.cwd, values.data ?? configuration.server.data);
  const ofAll = values.data === undefined ? configuration.server.store : undefined;
  return withRecordedCalls({ command: "report", folder, ofAll, io }, async (store) => {
    const labels = openLabels(join(folder, labelsFile), io);
    try {
      const { routes } = configuration.snapshot;
      const route = values.route === undefined ? {} : { route: values.route };
      const made = await confidenceReport({ store, labels, routes }, { ...window, ...route });
      if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`);
      else if (values.csv === true) io.stdout(renderCsv([...columns, ...more], made.rows));
      else print(made, io);
      return 0;
    } finally {
      labels?.close();
    }
  });
}

/** Where nobody labelled anything there is no such file, and none is made. */
function openLabels(path: string, io: CommandIo) {
  if (!existsSync(path)) return undefined;
  try {
    const onTrouble = (why: string): void => io.stderr(`hedgerow report: ${path}: ${why}\n`);
    return openLabelsFile({ path, onTrouble, nowMs: () => performance.now() });
  } catch (error) {
    io.stderr(`hedgerow report: the labels in ${path} cannot be read: ${(error as Error).message}\n`);
    return undefined;
  }
}

const columns: readonly Column<ConfidenceRow>[] = [
  { title: "ROUTE", value: ({ route }) => route },
  { title: "TIER", value: ({ tier }) => String(tier), align: "right" },
  { title: "MODEL", value: ({ model }) => model },
  { title: "JUDGED", value: ({ judged }) => String(judged), align: "right" },
  { title: "ACCEPTED", value: ({ acceptRate }) => percent(acceptRate, 1), align: "right" },
  { title: "LABELS", value: ({ labels }) => String(labels), align: "right" },
  { title: "RIGHT", value: ({ accuracy }) => percent(accuracy, 1), align: "right" },
  { title: "95 %", value: bounds, align: "right" },
  { title: "CALIBRATION", value: ({ calibration }) => calibration },
];

const more: readonly Column<ConfidenceRow>[] = [
  { title: "ECE", value: ({ ece }) => figure(ece), align: "right" },
  { title: "FLOOR", value: ({ eceFloor }) => figure(eceFloor), align: "right" },
  { title: "BRIER", value: ({ brier }) => figure(brier), align: "right" },
  { title: "AUROC", value: ({ auroc }) => figure(auroc), align: "right" },
];

const costColumns: readonly Column<RouteCost>[] = [
  { title: "ROUTE", value: ({ route }) => route },
  { title: "CALLS", value: ({ calls }) => String(calls), align: "right" },
  { title: "USD", value: ({ costNanoUsd }) => usd(costNanoUsd), align: "right" },
  { title: "UNKNOWN", value: ({ unpriced }) => String(unpriced), align: "right" },
  { title: "LAST TARGET", value: ({ last }) => last ?? "-" },
  { title: "USD EACH", value: ({ lastNanoUsd }) => dearly(lastNanoUsd), align: "right" },
  { title: "OF ALWAYS LAST", value: ({ share }) => (share === undefined ? "?" : percent(share, 1)), align: "right" },
];

function print(made: ConfidenceReport, io: CommandIo): void {
  io.stdout(`${made.from} to ${made.until} (UTC)\n\n`);
  if (made.rows.length === 0) {
    io.stdout("No answer passed a confidence gate in it.\n");
    return;
  }
  io.stdout(renderTable(columns, made.rows));
  const labelled = made.rows.filter(({ labels }) => labels > 0);
  const [route, tier, model] = columns;
  const named = [route, tier, model].filter((column) => column !== undefined);
  if (labelled.length > 0) io.stdout(`\n${renderTable([...named, ...more], labelled)}`);
  io.stdout(`\n${renderTable(costColumns, made.costs)}`);
  const diagram = reliabilityDiagram(made.bins);
  io.stdout(diagram === "" ? "\nNo answer is labelled: see docs/confidence.md, Verdicts.\n" : `\n${diagram}`);
  io.stdout(
    "\nACCEPTED: given because they were sure enough. RIGHT: of accepted answers with a label. ECE is never below its\n" +
      "FLOOR by more than luck: that much is left with so few labels. In the diagram # is what was right, | what was told.\n",
  );
}

function bounds({ accuracyLo, accuracyHi }: ConfidenceRow): string {
  if (accuracyLo === undefined || accuracyHi === undefined) return "-";
  return `${(accuracyLo * 100).toFixed(1)} to ${(accuracyHi * 100).toFixed(1)}`;
}

function figure(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(3);
}

function dearly(nano: number | undefined): string {
  return nano === undefined ? "?" : (nano / 1e9).toFixed(6);
}
