import type { Claim, SupplyNode } from "#domain/supply";
import type { Contradiction } from "#supply/contradictions";
import type { SupplyEdge } from "#supply/graph";
import type { EdgePath, Relation, SupplierAndRival } from "#supply/questions";
import { terminalLine } from "./terminal-text.ts";

/** `SpaceX (parent:spacex)` */
export function nodeText({ id, title }: SupplyNode): string {
  return `${title} (${id})`;
}

/** A claim with all that bears it, nothing cut: what it says, how far it is borne out, who says it. */
export function claimLines(claim: Claim, indent = ""): readonly string[] {
  const { subject, relation, object, share, status, seen, source, from, to, note } = claim;
  const parts = [share === undefined ? "" : shareText(share), status, `seen ${seen}`, periodText(from, to)];
  return [
    `${indent}${subject} ${relation} ${object}  [${parts.filter((part) => part !== "").join(", ")}]`,
    `${indent}    ${source}`,
    ...(note === undefined ? [] : [`${indent}    ${note}`]),
  ].map(terminalLine);
}

/** `20 % to 60 %`; in words where nobody said anything. */
function shareText([least, most]: NonNullable<Claim["share"]>): string {
  if (least === 0 && most === 1) return "share not published";
  return least === most ? percent(least) : `${percent(least)} to ${percent(most)}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function periodText(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return to === undefined ? "" : `until ${to}`;
  return to === undefined ? `since ${from}` : `${from} to ${to}`;
}

function edgeLines(edge: SupplyEdge, indent = ""): readonly string[] {
  return edge.claims.flatMap((claim) => claimLines(claim, indent));
}

export function pathLines(path: EdgePath, indent = ""): readonly string[] {
  return path.flatMap((edge) => edgeLines(edge, indent));
}

const mostPaths = 3;

export function relationLines(relation: Relation): readonly string[] {
  const how = relation.direct ? relation.status : `${relation.status}, derived`;
  const left = relation.paths.length - mostPaths;
  return [
    terminalLine(`${nodeText(relation.other)}: ${how}`),
    ...relation.paths.slice(0, mostPaths).flatMap((path) => pathLines(path, "  ")),
    ...(left > 0 ? [`  and ${left} more: see --json`] : []),
  ];
}

export function bothLines({ other, supplies, competes }: SupplierAndRival): readonly string[] {
  const [best = []] = supplies.paths;
  const [rival = []] = competes.paths;
  return [
    terminalLine(nodeText(other)),
    `  supplies (${supplies.direct ? supplies.status : `${supplies.status}, derived`}):`,
    ...pathLines(best, "    "),
    `  competes (${competes.status}):`,
    ...pathLines(rival, "    "),
  ];
}

export function contradictionLines({ why, claims }: Contradiction): readonly string[] {
  return [`${why}:`, ...claims.flatMap((claim) => claimLines(claim, "  "))];
}

/** The relation with the claims that bear it; nothing of the graph's own making. */
export function relationJson({ other, direct, status, paths }: Relation): object {
  return { other: { id: other.id, title: other.title }, direct, status, paths: paths.map(pathJson) };
}

export function pathJson(path: EdgePath): readonly Claim[] {
  return path.flatMap(({ claims }) => claims);
}
