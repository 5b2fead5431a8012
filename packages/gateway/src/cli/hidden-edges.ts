import type { Claim } from "#domain/supply";
import { mineEdges, type ProposedEdge } from "#supply/mine-edges";
import type { CommandIo } from "./command.ts";
import { withOutcomes, type WindowWish } from "./outcome-window.ts";
import { terminalLine } from "./terminal-text.ts";

/** `hedgerow supply hidden`: what recorded traffic shows that no claim says, for a person to confirm. */
export function showHidden(wish: WindowWish, io: CommandIo): Promise<number> {
  return withOutcomes(wish, io, ({ series, nowMs }) => {
    const edges = mineEdges(series, { onDate: new Date(nowMs).toISOString().slice(0, 10) });
    const targets = series.map(({ target }) => target);
    if (wish.json) io.stdout(`${JSON.stringify({ targets, proposals: edges }, null, 2)}\n`);
    else print(edges, series.length, io);
    return 0;
  });
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
