import { catalogueTraits } from "#control/config/catalogue-traits";
import { readConfiguration } from "#control/config/configuration";
import type { Configuration } from "#control/config/configuration";
import { renderProblem } from "#control/config/problem";
import type { ConfigProblem } from "#control/config/problem";
import { compareTargets, objectionsTo } from "#policy/chain-compatibility";
import { worstRisk } from "#policy/compatibility";
import { findTargets } from "#policy/find-targets";
import { targetGroups } from "#supply/target-groups";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { printCompatibility } from "#cli/compatibility-text";
import type { ComparedBackup, CompatibilityReport } from "#cli/compatibility-text";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow check [-c FILE] [--json]
       hedgerow check --compatibility ROUTE [-c FILE] [--json]

Validates a configuration and warns of what will surprise its operator: routes with one target or one operator, backups
that share a risk, retiring models, models without a price, settings this version does not enforce, and more.
With --compatibility: what changes for callers when a backup answers in place of a route's first target, aspect by
aspect, each with its risk from Low to Critical. A Critical backup is kept out of automatic failover unless the route
allows it by name: { target: PROVIDER/MODEL, despite: critical }.

  -c, --config FILE         the configuration (default: hedgerow.yaml where it exists, else the environment)
      --compatibility NAME  a route, or any chain: openai/gpt-5.4,anthropic/claude-sonnet-5
      --json                print one JSON object: { file, version, problems, warnings } or { chain, primary, backups }

Exit code 1 when the configuration cannot be served; warnings and risks do not change it.
`;

interface CheckReport {
  /** What was checked: a file's name, or `environment`. */
  readonly file: string;
  /** The version the snapshot would have; absent where there are problems. */
  readonly version?: string;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

export const check: Command = {
  name: "check",
  summary: "validate a configuration and warn of what will surprise you",
  usage,
  run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        config: { type: "string", short: "c" },
        compatibility: { type: "string" },
        json: { type: "boolean" },
      },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const today = new Date().toISOString().slice(0, 10);
    const asked = { ...(values.config === undefined ? {} : { path: values.config }), today };
    if (values.compatibility !== undefined) {
      return Promise.resolve(compare(values.compatibility, { ...asked, json: values.json === true }, io));
    }
    const report = examine(asked, io);
    if (values.json === true) io.stdout(`${JSON.stringify(report, null, 2)}\n`);
    else print(report, io);
    return Promise.resolve(report.problems.length === 0 ? 0 : 1);
  },
};

interface Asked {
  /** The configuration's file, where one is named. */
  readonly path?: string;
  readonly today: string;
}

function examine({ path, today }: Asked, io: CommandIo): CheckReport {
  const { cwd, env } = io;
  const read = readConfiguration({ cwd, env, today, ...(path === undefined ? {} : { path }) });
  switch (read.kind) {
    case "configured":
      return { file: read.from, version: read.snapshot.version, problems: [], warnings: read.warnings };
    case "refused":
      return { file: read.problems[0]?.file ?? path ?? "", problems: read.problems, warnings: [] };
    case "unconfigured": {
      const message =
        "no hedgerow.yaml here and no provider's key in the environment: simulated providers would answer";
      const fix = "set a key such as OPENAI_API_KEY, or name a file with -c FILE";
      return { file: "environment", problems: [], warnings: [{ file: "environment", path: "", message, fix }] };
    }
  }
}

function compare(chain: string, { json, ...asked }: Asked & { readonly json: boolean }, io: CommandIo): number {
  const { cwd, env } = io;
  const read = readConfiguration({ cwd, env, ...asked });
  if (read.kind !== "configured") {
    print(examine(asked, io), io);
    return 1;
  }
  const report = compared(chain, read, asked.today);
  if (typeof report === "string") {
    io.stderr(`hedgerow check: ${terminalLine(report)}\n`);
    return 1;
  }
  if (json) io.stdout(`${JSON.stringify(report, null, 2)}\n`);
  else printCompatibility(report, io);
  return 0;
}

/** The table's content, or in words why there is no such chain. */
function compared(chain: string, { snapshot }: Configuration, today: string): CompatibilityReport | string {
  const names = chain.split(",").map((name) => name.trim());
  const found = findTargets({ names }, snapshot, catalogueTraits(today));
  if (found.kind !== "found") return found.message;
  const [primary, ...backups] = found.targets;
  if (primary === undefined) return `${chain} has no target`;
  const by = { snapshot, groupsOf: targetGroups(snapshot, today) };
  return {
    chain,
    primary: primary.id,
    backups: backups.map((target): ComparedBackup => {
      const aspects = compareTargets(primary, target, by);
      const objections = objectionsTo(aspects);
      const isAllowed = ({ objection }: (typeof objections)[number]) => target.despite?.includes(objection) === true;
      return {
        target: target.id,
        worst: worstRisk(aspects),
        keptOutFor: objections.filter((each) => !isAllowed(each)),
        allowed: objections.filter(isAllowed),
        aspects,
      };
    }),
  };
}

function print(report: CheckReport, io: CommandIo): void {
  for (const problem of report.problems) io.stdout(`error: ${terminalLine(renderProblem(problem))}\n`);
  for (const warning of report.warnings) io.stdout(`warning: ${terminalLine(renderProblem(warning))}\n`);
  const found = `${count(report.problems, "error")}, ${count(report.warnings, "warning")}`;
  const version = report.version === undefined ? "" : `; version ${report.version}`;
  io.stdout(`${report.file}: ${found}${version}\n`);
}

function count(list: readonly unknown[], noun: string): string {
  return `${list.length} ${noun}${list.length === 1 ? "" : "s"}`;
}
