import { close, hear, isTroubled } from "./health-entry.ts";
import type { Entry, Said, Scope } from "./health-entry.ts";

/**
 * What one worker found out about a scope, for the others of its node: all that matters of it, so that a later hint
 * replaces an earlier one. Times are durations, for every process has a clock of its own.
 */
export interface HealthHint extends Said {
  readonly scope: Scope;
  /** Nothing is left of its limits for so long. */
  readonly emptyForMs: number;
  /** A call has ended well there: what others know of its troubles is out of date. */
  readonly closed: boolean;
}

export function hintOf(entry: Entry, closed: boolean, nowMs: number): HealthHint {
  return {
    scope: entry.scope,
    cause: entry.cause,
    opened: entry.opened,
    openForMs: Math.max(0, entry.openUntilMs - nowMs),
    byRate: entry.byRate,
    coolForMs: Math.max(0, entry.coolUntilMs - nowMs),
    asked: entry.asked,
    cooled: entry.cooled,
    dead: entry.dead,
    emptyForMs: Math.max(0, (entry.load?.headroom.emptyUntilMs(nowMs) ?? 0) - nowMs),
    closed: closed && !isTroubled(entry, nowMs),
  };
}

/** Takes another worker's word; it extends what is known here and never shortens it, but for a clean end. */
export function applyHint(
  entry: Entry,
  hint: HealthHint,
  at: { readonly nowMs: number; readonly order: number },
): void {
  const { nowMs } = at;
  if (hint.closed) close(entry, nowMs);
  else hear(entry, hint, at);
  if (hint.emptyForMs > 0) entry.load?.headroom.emptyTill(nowMs + hint.emptyForMs, nowMs);
}

/** The same some time later; undefined where nothing is left of it. */
export function agedHint(hint: HealthHint, byMs: number): HealthHint | undefined {
  const aged = {
    ...hint,
    openForMs: Math.max(0, hint.openForMs - byMs),
    coolForMs: Math.max(0, hint.coolForMs - byMs),
    emptyForMs: Math.max(0, hint.emptyForMs - byMs),
  };
  const isOver = aged.opened === 0 && !aged.dead && aged.coolForMs === 0 && aged.emptyForMs === 0;
  return isOver ? undefined : aged;
}
