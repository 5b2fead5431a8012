import type { PlannedTarget, Target } from "#domain/plan";
import type { Readiness } from "./health.ts";

/** A target with why it is not to be asked now. */
export interface Parked {
  readonly target: Target;
  readonly state: Extract<Readiness, { kind: "parked" }>;
}

/** Whoever asked us to wait, or has no working account, is left alone; whoever broke may be tried rather than nobody. */
export function mayPanic({ state }: Parked): boolean {
  return state.by !== "asked";
}

/** All are parked: of those that broke the one that is back soonest. */
export function panic(parked: readonly Parked[]): readonly PlannedTarget[] {
  const [soonest] = parked.filter(mayPanic).toSorted((a, b) => a.state.untilMs - b.state.untilMs);
  return soonest === undefined ? [] : [asked(soonest, "but nothing else is left")];
}

/**
 * Parked targets that are asked all the same once everybody before them failed. Where a share of calls fails, no more
 * than half of the targets are left out for it: what ails most of them is likelier the calls or the way to all of them.
 * And whoever is being tried by another call may be back.
 */
export function readmit(parked: readonly Parked[], targetCount: number): readonly PlannedTarget[] {
  const tried = parked.filter(({ state }) => state.by === "probing");
  const ejected = parked
    .filter(({ state }) => state.by === "rate")
    .toSorted((a, b) => a.state.untilMs - b.state.untilMs);
  const over = Math.max(0, parked.length - tried.length - Math.floor(targetCount / 2));
  return [
    ...tried.map((each) => asked(each, "asked after those that are well")),
    ...ejected.slice(0, over).map((each) => asked(each, "but no more than half of the targets are left out for that")),
  ];
}

function asked({ target, state }: Parked, why: string): PlannedTarget {
  return { target, why: `${state.why}, ${why}`, parked: true };
}
