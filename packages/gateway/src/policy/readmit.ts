import type { PlannedTarget, Target } from "#domain/plan";
import type { Readiness } from "./readiness.ts";

/** A target with why it is not to be asked now. */
export interface Parked {
  readonly target: Target;
  readonly state: Extract<Readiness, { kind: "parked" }>;
}

/** Whoever asked us to wait, or has no working account, is left alone; whoever broke may be tried rather than nobody. */
export function mayPanic(state: Parked["state"]): boolean {
  return state.by !== "asked" && state.by !== "packed";
}

/** Where both are parked: the one that may be asked if need be, then the one that is back sooner, then the idler one. */
export function compareParked(a: Parked["state"], b: Parked["state"]): number {
  return Number(mayPanic(b)) - Number(mayPanic(a)) || a.untilMs - b.untilMs || a.load - b.load;
}

/** All are parked: those that are only busy, the idlest first; or of those that broke the one that is back soonest. */
export function panic(parked: readonly Parked[]): readonly PlannedTarget[] {
  const busy = idlestFirst(parked);
  if (busy.length > 0) return busy.map((each) => asked(each, "but so it is everywhere"));
  const [soonest] = parked.filter(({ state }) => mayPanic(state)).toSorted((a, b) => compareParked(a.state, b.state));
  return soonest === undefined ? [] : [asked(soonest, "but nothing else is left")];
}

/**
 * The targets that are ready with the parked ones that are asked all the same once everybody before them failed: those
 * that are only busy, which is no reason for a last resort, and whoever is being tried by another call, for it may be
 * back. Where a share of calls fails, no more than half of the targets are left out for it: what ails most of them is
 * likelier the calls or the way to all of them.
 */
export function withReadmitted(
  ready: readonly PlannedTarget[],
  parked: readonly Parked[],
  targetCount: number,
): readonly PlannedTarget[] {
  if (parked.length === 0) return ready;
  const busy = idlestFirst(parked);
  const tried = parked.filter(({ state }) => state.by === "probing");
  const ejected = parked.filter(({ state }) => state.by === "rate").toSorted((a, b) => compareParked(a.state, b.state));
  const over = Math.max(0, parked.length - busy.length - tried.length - Math.floor(targetCount / 2));
  return [
    ...ready.filter(({ target }) => !target.lastResort),
    ...busy.map((each) => asked(each, "asked after those that are free")),
    ...ready.filter(({ target }) => target.lastResort),
    ...tried.map((each) => asked(each, "asked after those that are well")),
    ...ejected.slice(0, over).map((each) => asked(each, "but no more than half of the targets are left out for that")),
  ];
}

function idlestFirst(parked: readonly Parked[]): readonly Parked[] {
  return parked.filter(({ state }) => state.by === "full").toSorted((a, b) => a.state.load - b.state.load);
}

function asked({ target, state }: Parked, why: string): PlannedTarget {
  return { target, why: `${state.why}, ${why}`, parked: true };
}
