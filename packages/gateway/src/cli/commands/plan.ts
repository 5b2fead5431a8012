import { catalogueTraits } from "#control/config/catalogue-traits";
import { compileMade, readConfiguration } from "#control/config/configuration";
import type { Configuration } from "#control/config/configuration";
import { simulatedDocument } from "#control/config/from-environment";
import { renderProblem } from "#control/config/problem";
import type { Failure } from "#domain/failure";
import type { Plan } from "#domain/plan";
import { criticalBackup } from "#policy/chain-compatibility";
import { Health } from "#policy/health";
import { isPlan, makePlan } from "#policy/make-plan";
import { targetGroups } from "#supply/target-groups";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { renderTable } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow plan TEXT… [-m MODEL] [-c FILE] [--json]

Shows the plan a call would get, and why, without sending it: the targets in order, the deadlines, the attempts.
Every provider counts as healthy: what a running gateway has learnt of failures is not known here.

  -m, --model NAME    a route, an alias or provider/model (default: the default route)
  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else the environment)
      --json          print one JSON object: { model, plan } or { model, failure }
`;

export const plan: Command = {
  name: "plan",
  summary: "the plan a call would get and why, without sending it",
  usage,
  run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        model: { type: "string", short: "m" },
        config: { type: "string", short: "c" },
        json: { type: "boolean" },
      },
      words: { least: 1, most: 1000, what: "the text of the call" },
    });
    const configuration = configurationFor(values.config, io);
    if (configuration === undefined) return Promise.resolve(1);
    const model = values.model ?? "";
    const made = planFor(model, configuration);
    if (values.json === true) {
      io.stdout(`${JSON.stringify({ model, ...(isPlan(made) ? { plan: made } : { failure: made }) }, null, 2)}\n`);
    } else if (isPlan(made)) print(made, io);
    else io.stderr(`hedgerow plan: ${terminalLine(`${made.kind}: ${made.message}`)}\n`);
    return Promise.resolve(isPlan(made) ? 0 : 1);
  },
};

function configurationFor(path: string | undefined, io: CommandIo): Configuration | undefined {
  const today = todayIso();
  const read = readConfiguration({ cwd: io.cwd, env: io.env, today, ...(path === undefined ? {} : { path }) });
  // Addresses do not enter a plan, so the simulators need not run for it.
  const urls = { openaiUrl: "http://127.0.0.1/v1", anthropicUrl: "http://127.0.0.1/v1" };
  const found = read.kind === "unconfigured" ? compileMade(simulatedDocument(urls), { today }) : read;
  if (found.kind === "configured") return found;
  for (const problem of found.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
  return undefined;
}

function planFor(model: string, { snapshot }: Configuration): Plan | Failure {
  const call = { model, options: { metadata: false } };
  const groupsOf = targetGroups(snapshot, todayIso());
  return makePlan(call, snapshot, {
    health: new Health(),
    traitsOf: catalogueTraits(todayIso()),
    groupsOf,
    isCritical: (primary, backup) => criticalBackup(primary, backup, { snapshot, groupsOf }),
    nowMs: 0,
  });
}

function todayIso(): string {
  return new Date().toISOString().slice(0, 10);
}

function print(made: Plan, io: CommandIo): void {
  io.stdout(`route ${terminalLine(made.route)}, at most ${made.maxAttempts} attempts\n\n`);
  const rows = made.targets.map((planned, index) => ({ ...planned, number: index + 1 }));
  io.stdout(
    renderTable(
      [
        { title: "#", value: (row) => String(row.number), align: "right" },
        { title: "TARGET", value: (row) => row.target.id },
        { title: "MODEL", value: (row) => row.target.traits?.name ?? "not in the catalogue" },
        { title: "USD/M IN", value: (row) => dollars(row.target.traits?.price?.input), align: "right" },
        { title: "OUT", value: (row) => dollars(row.target.traits?.price?.output), align: "right" },
        { title: "WHY", value: (row) => row.why },
      ],
      rows,
    ),
  );
  for (const { target, why } of made.skipped) io.stdout(`skipped ${terminalLine(`${target}: ${why}`)}\n`);
  const { connectMs, firstByteMs, firstTokenMs, idleMs, contentIdleMs, totalMs } = made.timeouts;
  const deadlines = { connect: connectMs, firstByte: firstByteMs, firstToken: firstTokenMs, idle: idleMs };
  const all = Object.entries({ ...deadlines, contentIdle: contentIdleMs, total: totalMs });
  io.stdout(`\ndeadlines: ${all.map(([name, ms]) => `${name} ${ms / 1000}s`).join(", ")}\n`);
  io.stdout(`an answer that is whole and empty is ${made.retryEmpty ? "tried once more" : "passed on"}\n`);
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "?" : String(nano / 1e9);
}
