import type { ClaimStatus, RiskGroup, RiskKind } from "#domain/supply";
import { groupText } from "#supply/graph";
import { sharesKind } from "#supply/overlap";
import type { RouteLink, RouteLint } from "./lint-input.ts";
import type { Finding } from "./problem.ts";

/** Who is at fault when several fail at once. What runs on the same kind of chip does not fail for it. */
const telling: ReadonlySet<RiskKind> = new Set([
  "operator",
  "storefront",
  "owner",
  "site",
  "region",
  "edge",
  "identity",
]);

/** What a chain's members have in common, as far as anybody claims it: each set of members is spoken of once. */
export function lintSharedRisks({ links, path }: RouteLint): readonly Finding[] {
  if (links.length < 2) return [];
  const targetsPath = [...path, "targets"];
  const findings: Finding[] = [];
  const { certain, possible } = sharings(links);
  for (const { members, groups } of certain) {
    const isAll = members.length === links.length;
    findings.push(
      isAll
        ? allShare(links, groups, targetsPath)
        : { ...someShare(members, groups), path: members.at(-1)?.path ?? path },
    );
  }
  const isOneOperator = certain.some(
    ({ members, groups }) => members.length === links.length && groups.some(({ kind }) => kind === "operator"),
  );
  if (!isOneOperator) findings.push(...sameModel(links, targetsPath), ...unknownOperators(links, targetsPath));
  const oneOperator = certain.filter(({ groups }) => groups.some(({ kind }) => kind === "operator"));
  for (const { members, groups } of possible) {
    // Who fail together for sure need not be told that they also may.
    if (oneOperator.some((sure) => members.every((each) => sure.members.includes(each)))) continue;
    findings.push(mayShare(members, groups));
  }
  return findings;
}

interface Sharing {
  readonly members: readonly RouteLink[];
  readonly groups: readonly RiskGroup[];
}

interface Sharings {
  readonly certain: readonly Sharing[];
  readonly possible: readonly Sharing[];
}

/** By who shares it: groups with the same members are one sharing. A share of nought at least is only possible. */
function sharings(links: readonly RouteLink[]): Sharings {
  const byGroup = new Map<string, { group: RiskGroup; certain: number[]; possible: number[] }>();
  for (const [at, { groups }] of links.entries()) {
    for (const group of groups) {
      if (!telling.has(group.kind) || group.share[1] <= 0) continue;
      const known = byGroup.get(groupText(group)) ?? { group, certain: [], possible: [] };
      known.possible.push(at);
      if (group.share[0] > 0) known.certain.push(at);
      known.group = lessBorneOut(known.group, group);
      byGroup.set(groupText(group), known);
    }
  }
  const bySame = (pick: (known: { certain: number[]; possible: number[] }) => readonly number[]) => {
    const sets = Map.groupBy(byGroup.values(), (known) => pick(known).join());
    return [...sets].flatMap(([key, groups]): Sharing[] => {
      const members = key.split(",").flatMap((at) => links[Number(at)] ?? []);
      return key === "" || members.length < 2 ? [] : [{ members, groups: groups.map(({ group }) => group) }];
    });
  };
  return {
    certain: bySame(({ certain }) => certain),
    possible: bySame(({ certain, possible }) => (possible.length > certain.length ? possible : [])),
  };
}

function lessBorneOut(a: RiskGroup, b: RiskGroup): RiskGroup {
  const order: readonly ClaimStatus[] = ["unverified", "report", "fact", "declared"];
  const share = [Math.min(a.share[0], b.share[0]), Math.max(a.share[1], b.share[1])] as const;
  return { ...(order.indexOf(a.status) <= order.indexOf(b.status) ? a : b), share };
}

function allShare(links: readonly RouteLink[], groups: readonly RiskGroup[], path: Finding["path"]): Finding {
  const operator = groups.find(({ kind }) => kind === "operator");
  const rest = groups.filter((each) => each !== operator);
  const also = rest.length === 0 ? "" : `, and share ${listed(rest)}`;
  if (operator !== undefined) {
    const message = `every target is operated by ${JSON.stringify(operator.name)} (${operator.status})${also}: they can fail together`;
    return { path, message, fix: "add a target at another operator" };
  }
  const message = `every target (${links.length}) hangs on ${listed(groups)}: they can fail together`;
  return { path, message, fix: `add a target apart from ${names(groups)}` };
}

function someShare(members: readonly RouteLink[], groups: readonly RiskGroup[]): Pick<Finding, "message" | "fix"> {
  const message = `${targetsText(members)} share ${listed(groups)}: one failure can take ${members.length === 2 ? "both" : "them all"}`;
  const isOneOperator = groups.some(({ kind }) => kind === "operator");
  return {
    message,
    fix: `replace one by a target ${isOneOperator ? "at another operator" : `apart from ${names(groups)}`}`,
  };
}

function mayShare(members: readonly RouteLink[], groups: readonly RiskGroup[]): Finding {
  const [first] = groups;
  const shown = first === undefined ? "" : `\`hedgerow supply show ${groupText(first)}\` has the claims; `;
  return {
    path: members.at(-1)?.path ?? [],
    message: `${targetsText(members)} may share ${listed(groups)}`,
    fix: `${shown}declare \`owner\` or \`region\` on a provider where you know better`,
  };
}

function sameModel(links: readonly RouteLink[], path: Finding["path"]): readonly Finding[] {
  const models = new Set(links.map(({ groups }) => groups.find(({ kind }) => kind === "model")?.name));
  const [model] = models;
  if (models.size !== 1 || model === undefined || links.some(({ target }) => target.traits === undefined)) return [];
  const message = `every target serves ${model}: when it is scarce or withdrawn, no target is left`;
  return [{ path, message, fix: "add a target with another model" }];
}

function unknownOperators(links: readonly RouteLink[], path: Finding["path"]): readonly Finding[] {
  if (new Set(links.map(({ spec }) => spec.id)).size === 1) {
    const message = `every target is at ${JSON.stringify(links[0]?.spec.id)}: they can fail together`;
    return [{ path, message, fix: "add a target at another provider" }];
  }
  const unknown = links.filter(({ groups }) => sharesKind(groups, groups, "operator") === "unknown");
  const ids = [...new Set(unknown.map(({ spec }) => spec.id))];
  if (ids.length === 0) return [];
  const message = `nobody said who operates ${ids.join(", ")}: whether targets fail together is unknown`;
  return [{ path, message, fix: "set `operator` there" }];
}

function targetsText(members: readonly RouteLink[]): string {
  const ids = members.map(({ target }) => target.id);
  return ids.length === 2 ? ids.join(" and ") : `${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
}

/** `owner:aws (0 to 100 %, report)`; a share of all of it needs no figures. */
function listed(groups: readonly RiskGroup[]): string {
  return groups
    .map((group) => {
      const [lo, hi] = group.share;
      const share = lo >= 1 ? "" : `${Math.round(lo * 100)} to ${Math.round(hi * 100)} %, `;
      return `${groupText(group)} (${share}${group.status})`;
    })
    .join(", ");
}

function names(groups: readonly RiskGroup[]): string {
  return groups.map((group) => groupText(group)).join(", ");
}
