import type { HealthHint } from "#domain/health";
import { close, hear, isTroubled, type Entry } from "./health-entry.ts";

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
