import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ServerSettings } from "#control/config/compile-context";
import { usualFile } from "#control/config/configuration";
import { parseAge } from "#control/config/units";
import { callsReport, usualLimit } from "#control/reports/calls";
import type { CallsReport } from "#control/reports/calls";
import { maxListedCalls } from "#control/store/read-calls";
import type { CallFilter, StoredCall } from "#control/store/read-calls";
import type { Decision } from "#domain/record";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { reportConcentration } from "#cli/reports/concentration-report";
import { reportConfidence } from "#cli/reports/confidence-report";
import { reportReconcile } from "#cli/reports/reconcile-report";
import { reportSla } from "#cli/reports/sla-report";
import { reportSpend } from "#cli/reports/spend-report";
import { withRecordedCalls } from "#cli/recorded-calls";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";

const decisions: readonly Decision[] = [
  "answered",
  "recovered",
  "escalated",
  "degraded",
  "doubted",
  "deadline",
  "refused",
  "failed",
  "broken",
  "aborted",
  "shadow",
];

const usage = `Usage: hedgerow report calls [--since 1h] [--route R] [--provider P] [--decision D] [--limit N]
       hedgerow report spend [--by provider,model] [--since 30d | --month 2026-11] [--baseline PROVIDER/MODEL] [--limit N]
       hedgerow report reconcile --provider P --file EXPORT [--columns date=…,cost=…] [--tolerance 1%] [--month 2026-11]
       hedgerow report sla [--since 30d | --month 2026-11] [--buckets]
       hedgerow report concentration [--since 30d | --month 2026-11] [--weight requests|tokens|cost]
       hedgerow report confidence [--since 7d | --month 2026-11] [--route R]

Works on what a gateway recorded, beside a running one and without one.
\`calls\` lists recorded calls, newest first, and their totals. \`spend\` tells what was paid, by any of
caller, team, organisation, user, tag, route, provider, model, part, day and hour, what a successful call cost, and what
the same answers would have cost of another model. \`reconcile\`
compares a provider's own export of usage or costs (CSV, or the JSON of OpenAI and Anthropic) with the ledger, by day and
model, and exits with 1 where they differ. \`sla\` tells of each provider and model how it answered,
in intervals of five minutes, against what its contract promises (\`sla\` of the provider in the configuration), and
which credits are due. \`concentration\` tells on whom the traffic hangs: by vendor as it looks, by operator, owner and
region as it is, with intervals where shares are unknown; single points of failure, and what matters most.
\`confidence\` tells how often answers were sure enough, how often those were right, what their confidence was worth, and
what the gate costs beside always asking the last target.

      --since DURATION   only calls of the last 30m, 12h, 7d, …
      --month YYYY-MM    only calls of this month (UTC)
      --by LIST          tell \`spend\` by up to three of them (default provider,model)
      --baseline TARGET  compare \`spend\` with this model's price
      --buckets          list every interval
      --weight UNIT      count requests (default), tokens or cost
      --failing SHARE    how likely any one group is down, for the ranking (default 0.001)
  -c, --config FILE      the configuration
      --csv              comma-separated values, for all but \`calls\`
      --route NAME       only calls of this route
      --provider NAME    only calls with an attempt at this provider
      --decision WORD    only calls that ended so: ${decisions.join(", ")}
      --limit N          list at most N calls, up to ${maxListedCalls} (default ${usualLimit}); totals count all
      --data FOLDER      one node's data folder (default: the database of all nodes where the configuration has one, else
                         its folder, else ./.hedgerow)
      --json             print one JSON object, for \`calls\` { calls, totals, leftOut }
`;

const reports: Readonly<Partial<Record<string, (args: readonly string[], io: CommandIo) => Promise<number>>>> = {
  sla: reportSla,
  concentration: reportConcentration,
  confidence: reportConfidence,
  spend: reportSpend,
  reconcile: reportReconcile,
};

export const report: Command = {
  name: "report",
  summary: "what was asked, who answered, and what it cost",
  usage,
  run(args, io) {
    const other = args[0] === undefined ? undefined : reports[args[0]];
    if (other !== undefined) return other(args.slice(1), io);
    const { values, words } = readCommandLine(args, {
      options: {
        since: { type: "string" },
        route: { type: "string" },
        provider: { type: "string" },
        decision: { type: "string" },
        limit: { type: "string" },
        config: { type: "string", short: "c" },
        data: { type: "string" },
        json: { type: "boolean" },
      },
      words: {
        least: 1,
        most: 1,
        what: "what to report (`calls`, `spend`, `reconcile`, `sla`, `concentration` or `confidence`)",
      },
    });
    if (words[0] !== "calls") {
      throw new UsageError(
        `no report ${JSON.stringify(words[0])}; there are \`calls\`, \`spend\`, \`reconcile\`, \`sla\`, \`concentration\` and \`confidence\`, before all options`,
      );
    }
    const { since, route, provider } = values;
    const filter: CallFilter = {
      ...(since === undefined ? {} : { sinceMs: sinceMs(since) }),
      ...(route === undefined ? {} : { route }),
      ...(provider === undefined ? {} : { provider }),
      ...(values.decision === undefined ? {} : { decision: decisionOf(values.decision) }),
    };
    const limit =
      values.limit === undefined ? usualLimit : wholeNumber("--limit", values.limit, { min: 1, max: maxListedCalls });
    const server = values.data === undefined ? serverHere(values.config, io) : {};
    if (server === undefined) return Promise.resolve(1);
    const folder = resolve(io.cwd, values.data ?? server.data ?? ".hedgerow");
    const print = values.json === true ? printJson : printTable;
    return withRecordedCalls({ command: "report", folder, ofAll: server.store, io }, async (store) => {
      print(await callsReport(store, filter, limit), io);
      return 0;
    });
  },
};

/** Where a gateway here keeps its records; undefined once it is said why nobody knows. Without a file, where it usually does. */
function serverHere(
  config: string | undefined,
  io: CommandIo,
): Partial<Pick<ServerSettings, "data" | "store">> | undefined {
  if (config === undefined && !existsSync(resolve(io.cwd, usualFile))) return {};
  return configurationFor(config, { io, today: new Date().toISOString().slice(0, 10) })?.server;
}

function sinceMs(text: string): number {
  const parsed = parseAge(text);
  if (parsed.kind === "refused") throw new UsageError(`--since: ${parsed.why}`);
  return Date.now() - parsed.value;
}

function decisionOf(word: string): Decision {
  const decision = decisions.find((each) => each === word);
  if (decision === undefined) throw new UsageError(`--decision takes one of ${decisions.join(", ")}`);
  return decision;
}

function printJson(made: CallsReport, io: CommandIo): void {
  io.stdout(`${JSON.stringify(made, null, 2)}\n`);
}

const columns: readonly Column<StoredCall>[] = [
  { title: "TIME", value: (call) => call.at.slice(0, 19).replace("T", " ") },
  // A call that was turned away has no route yet; what it asked for says more than nothing.
  { title: "ROUTE", value: (call) => call.route || call.requestedModel || "-" },
  { title: "TARGET", value: (call) => call.target ?? "-" },
  { title: "DECISION", value: (call) => (call.code === undefined ? call.decision : `${call.decision} (${call.code})`) },
  { title: "TRIES", value: (call) => String(call.attempts), align: "right" },
  { title: "MS", value: (call) => String(Math.round(call.durationMs)), align: "right" },
  { title: "FIRST MS", value: (call) => rounded(call.firstContentMs), align: "right" },
  { title: "TOKENS IN", value: (call) => rounded(call.promptTokens), align: "right" },
  { title: "OUT", value: (call) => rounded(call.completionTokens), align: "right" },
  { title: "USD", value: (call) => dollars(call.costNanoUsd), align: "right" },
  { title: "CALLER", value: (call) => call.caller },
  { title: "ID", value: (call) => call.id },
];

function printTable(made: CallsReport, io: CommandIo): void {
  const { totals, leftOut } = made;
  if (totals.calls === 0) {
    io.stdout("No recorded call matches.\n");
    return;
  }
  io.stdout(renderTable(columns, made.calls));
  const ends = decisions.flatMap((decision) => {
    const calls = totals.byDecision[decision];
    return calls === undefined ? [] : [`${calls} ${decision}`];
  });
  io.stdout(
    `\n${counted(totals.calls, "call")} (${ends.join(", ")}), ${counted(totals.attempts, "attempt")}, ` +
      `${totals.promptTokens} tokens in, ${totals.completionTokens} out, ${costText(totals)}. Times are UTC.\n`,
  );
  if (leftOut > 0) io.stdout(`${counted(leftOut, "older call")} not listed; raise --limit to see more.\n`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What is known, and of how many answered calls nothing is: an unknown cost is no cost of zero. */
function costText({ costNanoUsd, unpriced }: CallsReport["totals"]): string {
  if (unpriced === 0) return `${dollars(costNanoUsd)} USD`;
  if (costNanoUsd === 0) return `the cost of ${unpriced} is unknown`;
  return `${dollars(costNanoUsd)} USD and the cost of ${unpriced} is unknown`;
}

function rounded(value: number | undefined): string {
  return value === undefined ? "-" : String(Math.round(value));
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "?" : (nano / 1e9).toFixed(6);
}
