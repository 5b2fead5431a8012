import { readConfiguration } from "#control/config/configuration";
import { renderProblem } from "#control/config/problem";
import type { ConfigProblem } from "#control/config/problem";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow check [-c FILE] [--json]

Validates a configuration and warns of what will surprise its operator: routes with one target or one operator,
models without a price, deprecated models, settings this version does not enforce, and more.

  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else the environment)
      --json          print one JSON object: { file, version, problems, warnings }

Exit code 1 when the configuration cannot be served; warnings do not change it.
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
      options: { config: { type: "string", short: "c" }, json: { type: "boolean" } },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const report = examine(values.config, io);
    if (values.json === true) io.stdout(`${JSON.stringify(report, null, 2)}\n`);
    else print(report, io);
    return Promise.resolve(report.problems.length === 0 ? 0 : 1);
  },
};

function examine(path: string | undefined, io: CommandIo): CheckReport {
  const { cwd, env } = io;
  const today = new Date().toISOString().slice(0, 10);
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
