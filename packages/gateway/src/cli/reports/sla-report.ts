import { resolve } from "node:path";
import { slaReport } from "#control/reports/sla";
import type { PromiseKept, SlaBucket, SlaReport, SlaRow } from "#control/reports/sla";
import type { CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { percent, usd, whole } from "#cli/figures";
import { withRecordedCalls } from "#cli/recorded-calls";
import { windowOf } from "#cli/report-window";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";

export function reportSla(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine(args, {
    options: {
      since: { type: "string" },
      month: { type: "string" },
      buckets: { type: "boolean" },
      config: { type: "string", short: "c" },
      data: { type: "string" },
      json: { type: "boolean" },
      csv: { type: "boolean" },
    },
    words: { least: 0, most: 0, what: "nothing" },
  });
  const nowMs = Date.now();
  const window = windowOf({ since: values.since, month: values.month, usual: "30d" }, nowMs);
  const configuration = configurationFor(values.config, { io, today: new Date(nowMs).toISOString().slice(0, 10) });
  if (configuration === undefined) return Promise.resolve(1);
  const folder = resolve(io.cwd, values.data ?? configuration.server.data);
  const ofAll = values.data === undefined ? configuration.server.store : undefined;
  return withRecordedCalls({ command: "report", folder, ofAll, io }, async (store) => {
    const wantsBuckets = values.buckets === true;
    const buckets = wantsBuckets || values.json === true ? "all" : { troubled: mostTroubled };
    const made = await slaReport(store, { ...window, buckets }, configuration.snapshot);
    if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`);
    else if (values.csv === true)
      io.stdout(wantsBuckets ? renderCsv(bucketColumns, made.buckets) : renderCsv(rowColumns, made.rows));
    else print(made, wantsBuckets, io);
    return 0;
  });
}

/** Of a long and bad month there are thousands. */
const mostTroubled = 200;

const counts: readonly Column<SlaRow | SlaBucket>[] = [
  { title: "PROVIDER", value: ({ provider }) => provider },
  { title: "MODEL", value: ({ model }) => model },
  { title: "REQUESTS", value: ({ requests }) => String(requests), align: "right" },
  { title: "ANSWERED", value: ({ answered }) => String(answered), align: "right" },
  { title: "CAPACITY", value: ({ capacity }) => String(capacity), align: "right" },
  { title: "FAULT", value: ({ fault }) => String(fault), align: "right" },
  { title: "TIMEOUT", value: ({ timeout }) => String(timeout), align: "right" },
  { title: "CLIENT", value: ({ client }) => String(client), align: "right" },
];

const rowColumns: readonly Column<SlaRow>[] = [
  ...counts,
  { title: "AVAILABILITY", value: ({ availability }) => percent(availability), align: "right" },
  { title: "UPTIME", value: ({ uptime }) => percent(uptime), align: "right" },
  { title: "FIRST MS P50", value: ({ firstContentP50Ms }) => whole(firstContentP50Ms), align: "right" },
  { title: "P95", value: ({ firstContentP95Ms }) => whole(firstContentP95Ms), align: "right" },
];

const bucketColumns: readonly Column<SlaBucket>[] = [{ title: "FROM", value: ({ at }) => at }, ...counts];

const promiseColumns: readonly Column<PromiseKept>[] = [
  { title: "PROVIDER", value: ({ provider }) => provider },
  { title: "PROMISED", value: ({ promised }) => percent(promised), align: "right" },
  { title: "UPTIME", value: ({ uptime }) => percent(uptime), align: "right" },
  { title: "COUNTED", value: (each) => each.counts.join(", ") },
  { title: "KEPT", value: ({ kept }) => (kept ? "yes" : "no") },
  { title: "CREDIT", value: ({ credit }) => percent(credit, 0), align: "right" },
  { title: "OF USD", value: ({ spentNanoUsd }) => usd(spentNanoUsd), align: "right" },
  { title: "DUE USD", value: ({ creditNanoUsd }) => usd(creditNanoUsd), align: "right" },
];

function print(made: SlaReport, wantsBuckets: boolean, io: CommandIo): void {
  io.stdout(
    `${made.from} to ${made.until} (UTC), ${made.intervals} interval${made.intervals === 1 ? "" : "s"} of 5 minutes\n\n`,
  );
  if (made.rows.length === 0) io.stdout("No recorded call falls into it.\n");
  io.stdout(renderTable(rowColumns, made.rows));
  if (made.promises.length > 0) io.stdout(`\n${renderTable(promiseColumns, made.promises)}`);
  const unpriced = made.promises.reduce((sum, each) => sum + each.unpriced, 0);
  if (unpriced > 0) io.stdout(`The cost of ${unpriced} answered requests is unknown: no credit is counted for them.\n`);
  if (wantsBuckets) io.stdout(`\n${renderTable(bucketColumns, made.buckets)}`);
  else if (made.buckets.length > 0) {
    const which = made.buckets.length < mostTroubled ? "" : ` (the newest ${mostTroubled}; --buckets lists all)`;
    io.stdout(`\nIntervals with errors${which}:\n\n${renderTable(bucketColumns, made.buckets)}`);
  }
  io.stdout(
    "\nAvailability: requests without a fault or timeout, of those that were not the client's doing. Uptime: the mean of\n" +
      "the intervals, those without a request counted as available. Credits are of this window; contracts bill by month.\n",
  );
}
