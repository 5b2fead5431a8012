import type { FailedTarget, Target } from "#domain/plan";
import type { HealthRow } from "#domain/health";
import type { Snapshot } from "#domain/snapshot";
import { evidenceOf } from "#policy/evidence";
import type { Health } from "#policy/health";

interface Looked {
  readonly snapshot: Snapshot;
  readonly atMs: number;
  readonly broken: readonly FailedTarget[];
}

/** Health is gone through once in so long: what broke a second ago is soon enough known to others' backups. */
const lookEveryMs = 1_000;
/** More say no more: who shares with none of them is apart from what ails the rest. */
const mostBroken = 16;

const byHealth = new WeakMap<Health, Looked>();

/**
 * Whatever is parked for faults, on any route: what a call of one route learned of an operator counts in the choice of
 * another's backups. Refusals do not: they are of a model or an account.
 */
export function brokenTargets(health: Health, snapshot: Snapshot, nowMs: number): readonly FailedTarget[] {
  const looked = byHealth.get(health);
  if (looked?.snapshot === snapshot && nowMs - looked.atMs < lookEveryMs) return looked.broken;
  const broken = health.rows(nowMs).flatMap((row) => brokenAt(row, snapshot));
  const found = { snapshot, atMs: nowMs, broken: broken.slice(0, mostBroken) };
  byHealth.set(health, found);
  return found.broken;
}

function brokenAt({ scope, state, cause }: HealthRow, snapshot: Snapshot): readonly FailedTarget[] {
  const isOut = state === "open" || state === "half-open" || state === "cooling" || state === "dead";
  if (!isOut || cause === undefined || evidenceOf(cause) !== "fault" || !snapshot.providers.has(scope.provider)) {
    return [];
  }
  const models =
    scope.kind === "endpoint" ? modelsAt(scope.provider, snapshot) : [scope.kind === "model" && scope.model];
  return models.flatMap((model) => {
    if (model === false) return [];
    const target: Target = { id: `${scope.provider}/${model}`, provider: scope.provider, model, lastResort: false };
    return [{ target, cause, parked: true, elsewhere: true } as const];
  });
}

/** What routes ask an endpoint for; the storefront of one may be another's with each vendor's models. */
function modelsAt(provider: string, { routes }: Snapshot): readonly string[] {
  const models = new Set<string>();
  for (const { targets } of routes.values()) {
    for (const target of targets) if (target.provider === provider) models.add(target.model);
  }
  return [...models];
}
