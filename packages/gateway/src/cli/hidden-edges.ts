import { resolve } from "node:path";
import { readConfiguration } from "#control/config/configuration";
import { renderProblem } from "#control/config/problem";
import { parseDuration } from "#control/config/units";
import { outcomeSeries } from "#control/reports/outcome-series";
import type { Claim } from "#domain/supply";
import { mineEdges, type ProposedEdge } from "#supply/mine-edges";
import { targetGroups } from "#supply/target-groups";
import { UsageError, type CommandIo } from "./command.ts";
import { withRecordedCalls } from "./recorded-calls.ts";
import { terminalLine } from "./terminal-text.ts";

export interface HiddenWish {
  readonly config?: string | undefined;
  /** `7d`, `30m`, as written. */
  readonly since?: string | undefined;
  readonly every?: string | undefined;
  readonly data?: string | undefined;
  readonly json: boolean;
}

/** `hedgerow supply hidden`: what recorded traffic shows that no claim says, for a person to confirm. */
export function showHidden(wish: HiddenWish, io: CommandIo): Promise<number> {
  const nowMs = Date.now();
  const sinceMs = nowMs - durationOf("--since", wish.since ?? "7d");
  const intervalMs = durationOf("--every", wish.every ?? "30m");
  if (intervalMs < 1000) throw new UsageError("--every takes a second at least");
  const onDate = new Date(nowMs).toISOString().slice(0, 10);
  const path = wish.config === undefined ? {} : { path: wish.config };
  const read = readConfiguration({ cwd: io.cwd, env: io.env, today: onDate, ...path });
  if (read.kind === "refused") {
    for (const problem of read.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
    return Promise.resolve(1);
  }
  if (read.kind === "unconfigured") {
    io.stderr(
      "hedgerow supply: without a configuration nobody knows whose the recorded targets are; name it with -c\n",
    );
    return Promise.resolve(1);
  }
  const groupsOf = targetGroups(read.snapshot, onDate);
  const folder = resolve(io.cwd, wish.data ?? read.server.data);
  return withRecordedCalls({ command: "supply", folder, io }, (store) => {
    const series = outcomeSeries(store, { sinceMs, untilMs: nowMs, intervalMs, groupsOf });
    const edges = mineEdges(series, { onDate });
    if (wish.json)
      io.stdout(`${JSON.stringify({ targets: series.map(({ target }) => target), proposals: edges }, null, 2)}\n`);
    else print(edges, series.length, io);
    return 0;
  });
}

function durationOf(option: string, text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "refused") throw new UsageError(`${option}: ${parsed.why}`);
  return parsed.value;
}

function print(edges: readonly ProposedEdge[], targets: number, io: CommandIo): void {
  if (edges.length === 0) {
    io.stdout(`Of ${targets} targets, none fail together more than chance and claims explain.\n`);
    return;
  }
  for (const edge of edges) io.stdout(`${proposalLines(edge).join("\n")}\n`);
  io.stdout("Proposals, not claims: nothing changes before a person has added one.\n");
}

/** The numbers, the doubts, and the claim to copy where one is convinced. */
function proposalLines(edge: ProposedEdge): readonly string[] {
  const { a, b, beta, pValue, lift, counts, why, shares, claim, declare } = edge;
  const [least, most] = beta.interval.map((share) => share.toFixed(2));
  return [
    `${a} and ${b}`,
    `  ${why}`,
    `  ${lift.toFixed(1)} times as often together as chance; p = ${pValue.toPrecision(2)} by moving one against the other`,
    `  β ${beta.mean.toFixed(2)} [${least}, ${most}] from ${counts.events} events of the first, ${counts.jointEvents} of them joint`,
    `  claimed to be shared so far: ${shares.length === 0 ? "nothing" : shares.join(", ")}`,
    ...(claim === undefined ? [] : ["  if you are convinced, add under `supply:`", `    - ${claimYaml(claim)}`]),
    ...(declare === undefined
      ? []
      : [`  if you are convinced, set \`operator: ${declare.operator}\` at providers.${declare.provider}`]),
  ].map(terminalLine);
}

/** A claim as a line of the `supply` section. */
function claimYaml({ subject, relation, object, share, status, source, seen }: Claim): string {
  const interval = share === undefined ? "" : `, share: [${share[0]}, ${share[1]}]`;
  const said = `source: ${JSON.stringify(source)}, seen: ${seen}`;
  return `{ subject: ${subject}, relation: ${relation}, object: ${object}${interval}, status: ${status}, ${said} }`;
}
