import { catalogueTraits } from "#control/config/catalogue-traits";
import type { Configuration } from "#control/config/configuration";
import { failure, type Failure, type FailureKind } from "#domain/failure";
import type { Plan } from "#domain/plan";
import type { RiskGroup } from "#domain/supply";
import { coFailureOf } from "#pipeline/measured-pairs";
import { criticalBackup } from "#policy/chain-compatibility";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { groupText } from "#supply/graph";
import { targetGroups } from "#supply/target-groups";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { ruleLines, routeRules, type RouteRules } from "#cli/route-rules";
import { renderTable } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow plan TEXT… [-m MODEL] [-c FILE] [--json]

Shows the plan a call would get, and why, without sending it: the targets in order, whom each shares a risk with, who
would follow when the first fails or refuses, when somebody is asked beside, who is the last rung, how sure an answer
has to be, the deadlines, the attempts.
Every provider counts as healthy: what a running gateway has learnt of failures and speed is not known here.

  -m, --model NAME    a route, an alias or provider/model (default: the default route)
  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else the environment)
      --json          print one JSON object: { model, plan, groups, next, rules } or { model, failure }
`;

export const plan: Command = {
  name: "plan",
  summary: "the plan a call would get and why, without sending it",
  usage,
  run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        model: { type: "string", short: "m" },
        config: { type: "string", short: "c" },
        json: { type: "boolean" },
      },
      words: { least: 1, most: 1000, what: "the text of the call" },
    });
    const configuration = configurationFor(values.config, { io, today: todayIso() });
    if (configuration === undefined) return Promise.resolve(1);
    const model = values.model ?? "";
    const shown = show({ model, text: words.join(" ") }, configuration);
    if (values.json === true) io.stdout(`${JSON.stringify({ model, ...asJson(shown) }, null, 2)}\n`);
    else if (shown.kind === "planned") print(shown, io);
    else io.stderr(`hedgerow plan: ${terminalLine(`${shown.failure.kind}: ${shown.failure.message}`)}\n`);
    return Promise.resolve(shown.kind === "planned" ? 0 : 1);
  },
};

/** What is shown: the plan, and what would come of it. */
type Shown = Planned | { readonly kind: "failed"; readonly failure: Failure };

interface Planned {
  readonly kind: "planned";
  readonly plan: Plan;
  readonly groups: ReadonlyMap<string, readonly RiskGroup[]>;
  /** Who follows when the first target fails so. */
  readonly next: readonly { readonly after: string; readonly step: Step }[];
  readonly rules: RouteRules;
}

const firstFailures: readonly FailureKind[] = ["upstream_failed", "rate_limited", "upstream_overloaded"];

function asJson(shown: Shown): object {
  if (shown.kind === "failed") return { failure: shown.failure };
  const groups = [...shown.groups].map(([target, of]): [string, readonly string[]] => [target, of.map(groupText)]);
  const next = shown.next.map(({ after, step: { skipped = [], ...step } }) => ({
    after,
    ...(step.kind === "try" ? { target: step.target.id, credential: step.credential, why: step.why } : {}),
    skipped,
  }));
  return { plan: shown.plan, groups: Object.fromEntries(groups), next, rules: shown.rules };
}

function show(asked: { readonly model: string; readonly text: string }, { snapshot }: Configuration): Shown {
  const groupsOf = targetGroups(snapshot, todayIso());
  const view: PlanningView = {
    health: new Health(),
    traitsOf: catalogueTraits(todayIso()),
    groupsOf,
    coFailure: coFailureOf(snapshot),
    isCritical: (primary, backup) => criticalBackup(primary, backup, { snapshot, groupsOf }),
    nowMs: 0,
  };
  const bytes = Buffer.byteLength(asked.text);
  const needs = () => ({ promptTokens: [Math.floor(bytes / 6), Math.ceil(bytes / 2)] as const });
  const made = makePlan({ model: asked.model, options: { metadata: false }, needs }, snapshot, view);
  if (!isPlan(made)) return { kind: "failed", failure: made };
  const groups = new Map(made.targets.map(({ target }) => [target.id, groupsOf(target)]));
  const stepAfter = (attempts: Parameters<typeof nextCandidate>[0]["attempts"]): Step =>
    nextCandidate({
      plan: made,
      attempts,
      snapshot,
      view,
      deadlineAtMs: made.timeouts.totalMs,
      chance: 0,
      turn: 0,
      mayRetry: () => true,
    });
  const first = stepAfter([]);
  const next = firstFailures.flatMap((kind) => {
    if (first.kind === "stop" || made.targets.length < 2) return [];
    const { target, credential } = first;
    const outcome = { kind: "failed", failure: failure(kind, "as if") } as const;
    return [{ after: kind, step: stepAfter([{ target, credential, startedAtMs: 0, endedAtMs: 0, outcome }]) }];
  });
  const rules = routeRules(made, { snapshot, groupsOf, first: first.kind === "try" ? first.target : undefined });
  return { kind: "planned", plan: made, groups, next, rules };
}

function todayIso(): string {
  return new Date().toISOString().slice(0, 10);
}

function print({ plan: made, groups, next, rules }: Planned, io: CommandIo): void {
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
  io.stdout(
    `\nwhat each shares with others that fail (spread by ${made.spread.by}${made.spread.strict ? ", strictly" : ""}):\n`,
  );
  for (const [target, of] of groups) io.stdout(`  ${terminalLine(`${target}: ${of.map(withShare).join(", ")}`)}\n`);
  if (next.length > 0) io.stdout(`\nwhen the first fails:\n`);
  for (const { after, step } of next) {
    io.stdout(`  ${after}: ${terminalLine(step.kind === "try" ? `${step.target.id}: ${step.why}` : "nobody else")}\n`);
    for (const { target, why } of step.skipped ?? []) io.stdout(`    skipped ${terminalLine(`${target}: ${why}`)}\n`);
  }
  io.stdout(`\nbeside the order:\n${ruleLines(rules).join("\n")}\n`);
  const { connectMs, firstByteMs, firstTokenMs, idleMs, contentIdleMs, totalMs } = made.timeouts;
  const deadlines = { connect: connectMs, firstByte: firstByteMs, firstToken: firstTokenMs, idle: idleMs };
  const all = Object.entries({ ...deadlines, contentIdle: contentIdleMs, total: totalMs });
  io.stdout(`\ndeadlines: ${all.map(([name, ms]) => `${name} ${ms / 1000}s`).join(", ")}\n`);
  io.stdout(`an answer that is whole and empty is ${made.retryEmpty ? "tried once more" : "passed on"}\n`);
}

/** `owner:spacex (0 to 100 %)`: a share that nobody published is an interval. */
function withShare(group: RiskGroup): string {
  const [lo, hi] = group.share.map((share) => Math.round(share * 1000) / 10);
  return lo === 100 ? groupText(group) : `${groupText(group)} (${lo} to ${hi} %)`;
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "?" : String(nano / 1e9);
}
