import type { Plan, PlannedTarget, Target } from "#domain/plan";
import type { RiskGroup } from "#domain/supply";
import type { Reach } from "./reach.ts";

/** The operator of whatever runs on one's own machines. */
const ours = "ours";

export interface LadderView {
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

/** The last rung before a refusal: a model of one's own, asked when nobody else can answer. */
export function isLastRung(target: Target, { groupsOf }: LadderView): boolean {
  return target.lastResort && groupsOf(target).some(({ kind, name }) => kind === "operator" && name === ours);
}

export function hasLastRung(plan: Plan, without: ReadonlySet<string>, view: LadderView): boolean {
  return plan.targets.some(({ target }) => !without.has(target.id) && isLastRung(target, view));
}

/**
 * A plan with a last rung, when the network is gone: who could not be reached a moment ago comes after those of whom
 * nothing is known, and where that is everybody, one's own model is asked at once. Now and then one call looks for one of
 * the others first, so that the ladder is climbed again by itself.
 */
export function downTheLadder(plan: Plan, view: LadderView & { readonly reach: Reach; readonly nowMs: number }): Plan {
  const rungs = plan.targets.filter(({ target }) => isLastRung(target, view));
  if (rungs.length === 0) return plan;
  const { reach, nowMs } = view;
  const others = plan.targets.filter((each) => !rungs.includes(each));
  const gone = others.filter(({ target }) => reach.isCutOff(target.provider, nowMs));
  if (gone.length === 0) return plan;
  const hopeful = others.filter((each) => !gone.includes(each));
  if (hopeful.length > 0) return { ...plan, targets: [...hopeful, ...gone, ...rungs] };
  const why = "asked at once: nobody else could be reached a moment ago";
  const atOnce = rungs.map((each): PlannedTarget => ({ ...each, why }));
  const probed = reach.takeProbe([...new Set(gone.map(({ target }) => target.provider))], nowMs);
  const probe = gone.find(({ target }) => target.provider === probed);
  if (probe === undefined) return { ...plan, targets: [...atOnce, ...gone] };
  const left = gone.filter((each) => each !== probe);
  return {
    ...plan,
    targets: [{ ...probe, why: "could not be reached a moment ago; looked for by this call" }, ...rungs],
    skipped: [
      ...plan.skipped,
      ...left.map(({ target }) => ({ target: target.id, why: "could not be reached a moment ago" })),
    ],
  };
}
