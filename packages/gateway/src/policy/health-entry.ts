import type { FailureKind } from "#domain/failure";
import type { HealthHint, Scope } from "#domain/health";
import { FailureWindow } from "./failure-window.ts";
import type { Load } from "./load.ts";
import type { RecentSuccess } from "./recent-success.ts";

/** In words, and one for each scope: `endpoint xai`, `model xai/grok-4`, `credential xai#1`, `credential xai#1 grok-4`. */
export function keyOf(scope: Scope): string {
  switch (scope.kind) {
    case "endpoint":
      return `endpoint ${scope.provider}`;
    case "model":
      return `model ${scope.provider}/${scope.model}`;
    case "credential":
      return `credential ${scope.credential}`;
    case "share":
      return `credential ${scope.credential} ${scope.model}`;
  }
}

/** What is known of one scope: an endpoint, a model at an endpoint, a credential, or a credential for one model. */
export interface Entry {
  readonly scope: Scope;
  readonly key: string;
  /** How often it opened in all, by what this process saw itself. */
  openings: number;
  /** Hard failures since the last clean end. */
  consecutive: number;
  /** How often it opened since the last clean end: each doubles the wait. */
  opened: number;
  openUntilMs: number;
  /** The order of begun calls and openings: who was sent before the last opening says nothing about it. */
  openedAt: number;
  /** It opened because too large a share failed, not because several failed in a row. */
  byRate: boolean;
  coolUntilMs: number;
  /** The wait is the provider's wish or bound to last: it is not to be asked even where nobody else is left. */
  asked: boolean;
  /** Cool-downs without a time from the provider since the last success. */
  cooled: number;
  /** Out of use until a slow probe ends well. */
  dead: boolean;
  cause: FailureKind;
  /** Since when something has been wrong. */
  sinceMs: number;
  /** Who holds the one slot for probes after an opening. */
  probe: object | undefined;
  /** Of a credential for one model: what it carries. */
  load: Load | undefined;
  /** Of a model at an endpoint: how its calls end. */
  recent: RecentSuccess | undefined;
  /** Soft failures count here alone, hard ones here as well. */
  readonly window: FailureWindow;
}

export function newEntry(scope: Scope, key: string): Entry {
  return {
    scope,
    key,
    openings: 0,
    consecutive: 0,
    opened: 0,
    openUntilMs: 0,
    openedAt: 0,
    byRate: false,
    coolUntilMs: 0,
    asked: false,
    cooled: 0,
    dead: false,
    cause: "upstream_failed",
    sinceMs: 0,
    probe: undefined,
    load: undefined,
    recent: undefined,
    window: new FailureWindow(),
  };
}

export const tripAfter = 5;
const openFirstMs = 1_000;
const openMostMs = 60_000;
const jitter = 0.2;
const coolFirstMs = 5_000;
const coolMostMs = 60_000;
const slowDownMs = 15_000;
const overloadedFirstMs = 2_000;
const overloadedMostMs = 5_000;
const deadFirstMs = 10 * 60_000;
const deadMostMs = 6 * 60 * 60_000;

export interface Opening {
  readonly nowMs: number;
  /** 0..1; a half gives the middle of the wait. */
  readonly chance: number;
  readonly cause: FailureKind;
  /** What the provider asked for: an opening is never shorter. */
  readonly waitMs: number | undefined;
  /** The next number in the order of calls and openings. */
  readonly order: number;
}

/** Where it is open already, calls that were in flight then fail now: they say nothing new but how long to wait. */
export function open(entry: Entry, opening: Opening): void {
  const { nowMs, chance, cause, waitMs = 0, order } = opening;
  if (nowMs < entry.openUntilMs) {
    entry.openUntilMs = Math.max(entry.openUntilMs, nowMs + waitMs);
    return;
  }
  const backoffMs = Math.min(openFirstMs * 2 ** entry.opened, openMostMs);
  const jitteredMs = Math.round(backoffMs * (1 - jitter + 2 * jitter * chance));
  note(entry, cause, nowMs);
  entry.byRate = entry.consecutive < tripAfter;
  entry.openUntilMs = nowMs + Math.max(jitteredMs, waitMs);
  entry.openedAt = order;
  // A probe of the time before says nothing of the time after.
  entry.probe = undefined;
  entry.opened += 1;
  entry.openings += 1;
}

/** What another process says of an opening or a wait: it never shortens what is known here. */
export function hear(
  entry: Entry,
  said: HealthHint,
  { nowMs, order }: { readonly nowMs: number; readonly order: number },
): void {
  if (said.opened > 0 && nowMs + said.openForMs > entry.openUntilMs) {
    note(entry, said.cause, nowMs);
    entry.byRate = said.byRate;
    entry.openUntilMs = nowMs + said.openForMs;
    entry.openedAt = order;
    entry.probe = undefined;
    entry.opened = Math.max(entry.opened, said.opened);
    if (!said.byRate) entry.consecutive = Math.max(entry.consecutive, tripAfter);
  }
  if (said.coolForMs > 0) park(entry, { nowMs, waitMs: said.coolForMs, cause: said.cause, asked: said.asked });
  entry.cooled = Math.max(entry.cooled, said.cooled);
  entry.dead ||= said.dead;
}

/** A clean end of a call that was sent after the opening. */
export function close(entry: Entry, nowMs: number): void {
  if (entry.opened > 0) entry.window.clear();
  entry.consecutive = 0;
  entry.opened = 0;
  entry.openUntilMs = 0;
  entry.byRate = false;
  entry.probe = undefined;
  // A wait that was asked for since the call was sent stays.
  if (entry.coolUntilMs > nowMs) return;
  entry.cooled = 0;
  entry.dead = false;
}

/** Parks an overloaded model; nobody asked for it where the provider names no time. */
export function rest(entry: Entry, nowMs: number, waitMs: number | undefined): void {
  const guessMs = Math.min(overloadedFirstMs + 1_000 * Math.max(0, entry.opened - 1), overloadedMostMs);
  park(entry, { nowMs, waitMs: waitMs ?? guessMs, cause: "upstream_overloaded", asked: waitMs !== undefined });
}

/** Parks what asks for patience: as long as it says, or for longer each time. */
export function cool(entry: Entry, nowMs: number, { cause, waitMs }: Pick<Opening, "cause" | "waitMs">): void {
  const backoffMs = Math.min(coolFirstMs * 2 ** refusals(entry, nowMs), coolMostMs);
  if (waitMs === undefined && nowMs >= entry.coolUntilMs) entry.cooled += 1;
  const ownMs = cause === "slow_down" ? slowDownMs : backoffMs;
  const asked = waitMs !== undefined || cause === "rate_limited" || cause === "slow_down";
  park(entry, { nowMs, waitMs: waitMs ?? ownMs, cause, asked });
}

/** Out of use until the configuration changes or a slow probe ends well. */
export function bury(entry: Entry, nowMs: number, cause: FailureKind): void {
  const deadMs = Math.min(deadFirstMs * 2 ** refusals(entry, nowMs), deadMostMs);
  if (nowMs >= entry.coolUntilMs) entry.cooled += 1;
  park(entry, { nowMs, waitMs: deadMs, cause, asked: true });
  entry.dead = true;
}

/** Refusals before this one; many in flight that are refused in the same moment are one. */
function refusals(entry: Entry, nowMs: number): number {
  return nowMs < entry.coolUntilMs ? Math.max(0, entry.cooled - 1) : entry.cooled;
}

interface Parking {
  readonly nowMs: number;
  readonly waitMs: number;
  readonly cause: FailureKind;
  readonly asked: boolean;
}

/** A later, shorter wait never shortens an earlier one. */
function park(entry: Entry, { nowMs, waitMs, cause, asked }: Parking): void {
  const untilMs = nowMs + waitMs;
  if (untilMs <= entry.coolUntilMs) return;
  note(entry, cause, nowMs);
  // What one was asked to wait stays asked for as long as it lasts.
  entry.asked = asked || (entry.asked && nowMs < entry.coolUntilMs);
  entry.coolUntilMs = untilMs;
}

function note(entry: Entry, cause: FailureKind, nowMs: number): void {
  if (!isTroubled(entry, nowMs)) entry.sinceMs = nowMs;
  entry.cause = cause;
}

/** Open, half open, cooling or dead. */
export function isTroubled(entry: Entry, nowMs: number): boolean {
  return entry.opened > 0 || entry.dead || entry.coolUntilMs > nowMs;
}

/** After an opening, and after a death, one call at a time may find out. */
export function isGated(entry: Entry): boolean {
  return entry.opened > 0 || entry.dead;
}

/** When it may be asked again; a slot for probes that is taken is free again at any moment. */
export function readyAtMs(entry: Entry): number {
  return Math.max(entry.openUntilMs, entry.coolUntilMs);
}
