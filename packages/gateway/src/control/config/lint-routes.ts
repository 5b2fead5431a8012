import { compareTargets, objectionsTo } from "#policy/chain-compatibility";
import { sift } from "#policy/constraints";
import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { isLastRung } from "#policy/ladder";
import { lintHedge } from "./lint-hedge.ts";
import type { RouteLint, RouteLink } from "./lint-input.ts";
import type { Finding } from "./problem.ts";

/** What of a route's own settings will surprise its operator. */
export function lintRoute({ route, path, links }: RouteLint): readonly Finding[] {
  const findings: Finding[] = [];
  const only = route.targets.length === 1 ? route.targets[0] : undefined;
  if (only !== undefined) {
    const message = `only one target: when ${only.provider}/${only.model} fails, the route fails`;
    findings.push({ path, message, fix: "add a target at another operator" });
  }
  if (route.targets.every((target) => target.lastResort)) {
    const fix = "drop `when: last-resort` from the first";
    findings.push({ path, message: "every target is a last resort, which makes none of them one", fix });
  }
  const ownRungs = links.filter(({ target, groups }) => isLastRung(target, { groupsOf: () => groups }));
  const counted = route.targets.length - ownRungs.length;
  if (route.maxAttempts < counted) {
    const message = `${counted} targets, but at most ${route.maxAttempts} attempts: the last ones may never be asked`;
    findings.push({ path, message, fix: `set retries: { attempts: ${Math.min(20, counted)} }` });
  }
  const { firstTokenMs, totalMs } = route.timeouts;
  if (firstTokenMs !== undefined && totalMs !== undefined && firstTokenMs >= totalMs) {
    const fix = "make `firstToken` shorter than `total`";
    findings.push({ path: [...path, "timeouts"], message: "one slow target uses up the whole call's time", fix });
  }
  return [...findings, ...lintWindow(links, path), ...lintHedge({ route, path, links })];
}

/** Prompts that only the first target has room for have no backup. */
function lintWindow(links: readonly RouteLink[], path: Finding["path"]): readonly Finding[] {
  const [primary, ...backups] = links;
  const needed = primary?.target.traits?.contextTokens;
  if (needed === undefined || backups.length === 0) return [];
  const windows = backups.map(({ target }) => target.traits?.contextTokens);
  const known = windows.filter((window) => window !== undefined);
  if (known.some((window) => window >= needed)) return [];
  const largest = Math.max(0, ...known);
  const isSure = known.length === backups.length;
  const message = isSure
    ? `no backup has the first target's window of ${tokens(needed)}: prompts beyond ${tokens(largest)} have no backup`
    : `no backup is known to have the first target's window of ${tokens(needed)}`;
  const fix = isSure
    ? `add a target with a window of ${tokens(needed)} or more`
    : "state `context` for the backups, or add a target with a window as large";
  return [{ path: [...path, "targets"], message, fix }];
}

/** Backups that are never asked, or asked although they are less safe, as long as nobody accepts it by name. */
export function lintBackups({ links }: RouteLint, snapshot: Snapshot): readonly Finding[] {
  const [primary, ...backups] = links;
  if (primary === undefined) return [];
  const groupsOf = (target: RouteLink["target"]) => links.find((link) => link.target === target)?.groups ?? [];
  return backups.flatMap(({ target, path }) =>
    objectionsTo(compareTargets(primary.target, target, { snapshot, groupsOf }))
      .filter(({ objection }) => target.despite?.includes(objection) !== true)
      .map(({ objection, why }) => ({
        path,
        message: `${target.id} is kept out of automatic failover: ${why}`,
        fix: `allow it by name, { target: ${target.id}, despite: ${objection} }, or name another backup`,
      })),
  );
}

/** Targets that the route's own constraints rule out: what a provider does not declare, it does not keep. */
export function lintConstraints({ route, path, links }: RouteLint, snapshot: Snapshot): readonly Finding[] {
  if (route.constraints === undefined) return [];
  const fix = "declare on the provider what holds there, or name a target that keeps the constraints";
  const targets = links.map(({ target }): Target => Object.assign({}, target, { despite: ["critical", "safety"] }));
  const groupsOf = ({ id }: Target) => links.find(({ target }) => target.id === id)?.groups ?? [];
  const sifted = sift(targets, { route, options: { metadata: false }, snapshot, groupsOf });
  if (sifted.kind !== "sifted")
    return [{ path: [...path, "constraints"], message: `every call of the route is refused: ${sifted.message}`, fix }];
  return sifted.skipped.map(({ target: id, why }) => ({
    path: links.find(({ target }) => target.id === id)?.path ?? path,
    message: `${id} is never asked in route ${route.name}: ${why}`,
    fix,
  }));
}

function tokens(count: number): string {
  return `${count.toLocaleString("en-US")} tokens`;
}
