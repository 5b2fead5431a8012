import { resolve } from "node:path";
import { nearestNames } from "#catalogue/catalogue";
import { catalogueTraits } from "#control/config/catalogue-traits";
import { parseDuration } from "#control/config/units";
import type { CapacityNeed } from "#control/reports/capacity";
import { drillGroups, drillReport } from "#control/reports/drill";
import type { DrillCase, DrillReport, Flow } from "#control/reports/drill";
import { targetGroups } from "#supply/target-groups";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { percent, usd, whole } from "#cli/figures";
import { withRecordedCalls } from "#cli/recorded-calls";
import { windowOf } from "#cli/report-window";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usualDetectMs = 1000;

const usage = `Usage: hedgerow drill --down GROUP [--since 7d | --month 2026-11] [--detect 1s] [-c FILE] [--data FOLDER]
                      [--json | --csv]

What if GROUP had been down: recorded calls go once more through the planner that serves live ones. Tells what would
have been lost, who would have taken the rest, and what that would have cost in time and money, beside the limits of the
accounts. Nothing is sent. GROUP is a risk group: operator:anthropic, owner:aws, edge:cloudflare, provider:openai.

      --down GROUP       what is down
      --since DURATION   calls of the last 12h, 7d, … (default 7d)
      --month YYYY-MM    calls of this month (UTC)
      --detect DURATION  how long a failing attempt takes at a target that never failed in the window (default 1s)
  -c, --config FILE      the configuration (default: hedgerow.yaml where it exists, else the environment)
      --data FOLDER      one node's data folder (default: the database of all nodes, or the configuration's folder)
      --json             print one JSON object: { down, from, until, calls, cases, assumes }
      --csv              print who would have taken what as comma-separated values
`;

export const drill: Command = {
  name: "drill",
  summary: "what would be lost, and who would take the rest, if an operator, owner or region were down",
  usage,
  run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        down: { type: "string" },
        since: { type: "string" },
        month: { type: "string" },
        detect: { type: "string" },
        config: { type: "string", short: "c" },
        data: { type: "string" },
        json: { type: "boolean" },
        csv: { type: "boolean" },
      },
      words: { least: 0, most: 0, what: "nothing" },
    });
    if (values.down === undefined)
      throw new UsageError("--down is missing: name a risk group, such as operator:anthropic");
    const down = values.down.toLowerCase();
    const nowMs = Date.now();
    const today = new Date(nowMs).toISOString().slice(0, 10);
    const window = windowOf({ since: values.since, month: values.month, usual: "7d" }, nowMs);
    const detectMs = values.detect === undefined ? usualDetectMs : durationOf(values.detect);
    const configuration = configurationFor(values.config, { io, today });
    if (configuration === undefined) return Promise.resolve(1);
    const { snapshot, server } = configuration;
    const traitsOf = catalogueTraits(today);
    const groupsOf = targetGroups(snapshot, today);
    const folder = resolve(io.cwd, values.data ?? server.data);
    const ofAll = values.data === undefined ? server.store : undefined;
    return withRecordedCalls({ command: "drill", folder, ofAll, io }, async (store) => {
      const made = await drillReport(store, { window, down, detectMs, snapshot, traitsOf, groupsOf });
      if (made.cases.length === 0) return nobodyHangsOnIt(down, drillGroups(snapshot, traitsOf, groupsOf), io);
      if (values.json === true) io.stdout(`${JSON.stringify({ ...made, assumes: assumptions }, null, 2)}\n`);
      else if (values.csv === true) io.stdout(renderCsv(csvColumns, made.cases.flatMap(rowsOf)));
      else print(made, io);
      return 0;
    });
  },
};

function durationOf(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "refused") throw new UsageError(`--detect: ${parsed.why}`);
  return parsed.value;
}

const mostNamed = 20;

function nobodyHangsOnIt(down: string, groups: readonly string[], io: CommandIo): number {
  const near = nearestNames(down, groups, 3);
  const listed = groups.slice(0, mostNamed).join(", ");
  const hint =
    near.length > 0
      ? `did you mean ${near.join(" or ")}?`
      : `there is ${listed}${groups.length > mostNamed ? ", …" : ""}`;
  io.stderr(`hedgerow drill: ${terminalLine(`no target hangs on ${down.slice(0, 100)}; ${hint}`)}\n`);
  return 1;
}

const flowColumns: readonly Column<Flow>[] = [
  { title: "ROUTE", value: ({ route }) => route },
  { title: "ANSWERED BY", value: ({ from }) => from },
  { title: "WOULD GO TO", value: ({ to }) => to ?? "nobody: lost" },
  { title: "CALLS", value: ({ calls }) => String(calls), align: "right" },
  { title: "FAILED FIRST", value: ({ failedAttempts }) => String(failedAttempts), align: "right" },
  { title: "FIRST MS P50", value: ({ firstContentMs: ms }) => change(ms.p50Before, ms.p50After), align: "right" },
  { title: "P95", value: ({ firstContentMs: ms }) => change(ms.p95Before, ms.p95After), align: "right" },
  { title: "USD", value: ({ costNanoUsd: { before, after } }) => `${usd(before)} → ${usd(after)}`, align: "right" },
];

function change(before: number | undefined, after: number | undefined): string {
  return `${whole(before)} → ${whole(after)}`;
}

interface CsvRow {
  readonly of: DrillCase;
  readonly flow: Flow;
}

function rowsOf(of: DrillCase): readonly CsvRow[] {
  return of.flows.map((flow) => ({ of, flow }));
}

const figure = (value: number | undefined) => (value === undefined ? "" : String(value));

const csvColumns: readonly Column<CsvRow>[] = [
  { title: "case", value: ({ of }) => of.case },
  { title: "route", value: ({ flow }) => flow.route },
  { title: "answered_by", value: ({ flow }) => flow.from },
  { title: "would_go_to", value: ({ flow }) => flow.to ?? "" },
  { title: "calls", value: ({ flow }) => String(flow.calls) },
  { title: "failed_first", value: ({ flow }) => String(flow.failedAttempts) },
  { title: "p50_ms_before", value: ({ flow }) => figure(flow.firstContentMs.p50Before) },
  { title: "p50_ms_after", value: ({ flow }) => figure(flow.firstContentMs.p50After) },
  { title: "p95_ms_before", value: ({ flow }) => figure(flow.firstContentMs.p95Before) },
  { title: "p95_ms_after", value: ({ flow }) => figure(flow.firstContentMs.p95After) },
  { title: "nano_usd_before", value: ({ flow }) => figure(flow.costNanoUsd.before) },
  { title: "nano_usd_after", value: ({ flow }) => figure(flow.costNanoUsd.after) },
];

const capacityColumns: readonly Column<CapacityNeed>[] = [
  { title: "PROVIDER", value: ({ provider }) => provider },
  { title: "TAKES CALLS", value: ({ moved }) => String(moved), align: "right" },
  { title: "PEAK REQUESTS/MIN", value: ({ peakRequests }) => String(peakRequests), align: "right" },
  { title: "LIMIT", value: ({ limits }) => figure(limits?.rpm) || "?", align: "right" },
  { title: "PEAK TOKENS/MIN", value: ({ peakTokens }) => String(peakTokens), align: "right" },
  { title: "LIMIT", value: ({ limits }) => figure(limits?.tpm) || "?", align: "right" },
  { title: "MINUTES OVER", value: ({ minutesOver }) => figure(minutesOver) || "?", align: "right" },
  { title: "REQUESTS OVER", value: ({ requestsOver }) => figure(requestsOver) || "?", align: "right" },
];

function print(made: DrillReport, io: CommandIo): void {
  io.stdout(
    `drill: ${terminalLine(made.down)} down from ${made.from} to ${made.until} (UTC), ${made.calls} recorded calls\n`,
  );
  for (const each of made.cases) {
    const words =
      each.case === "certain"
        ? "what surely hangs on it is down"
        : "what may hang on it is down too: claims give it a share between nought and all";
    io.stdout(`\n${each.case}: ${words}\n  ${terminalLine(each.targets.join(", "))}\n`);
    const { touched, calledTools, lost, rerouted, failedAnyway } = each;
    io.stdout(
      `  ${touched} answered calls met it (${percent(touched / made.calls, 1)} of all): ${lost} lost (${percent(lost / made.calls, 1)}), ` +
        `${rerouted} rerouted, ${touched - lost - rerouted} answered as they were; ${failedAnyway} failed anyway\n` +
        (calledTools === 0
          ? "\n"
          : `  ${calledTools} of them called tools: who is known to call none does not stand in for these\n\n`),
    );
    io.stdout(renderTable(flowColumns, each.flows));
    if (each.capacity.length > 0) io.stdout(`\n${renderTable(capacityColumns, each.capacity)}`);
  }
  io.stdout(`\nAssumes:\n${assumptions.map((each) => `- ${each}\n`).join("")}`);
}

const assumptions: readonly string[] = [
  "every call meets the failure afresh, while a running gateway remembers and asks the failing less often",
  "whoever failed a call when it was recorded fails it again; a route's order is as written, nothing drawn by weight",
  "a failing attempt takes as long as those recorded at its target (median), else as long as --detect says",
  "backups answer as fast as they did in the window, whatever their load",
  "tokens are counted as recorded, though another vendor's tokenizer counts others",
  "targets, prices and claims are today's",
  "of a request, names, the prompt's size and whether its answer called tools are recorded; whoever lacks anything else it asked for (images, a schema, tools nobody called) counts as able",
  "a limit that is not configured is unknown: providers' answers tell what is left of one, not for how long a time it holds",
];
