import type { Operation } from "#domain/call";
import { traitsOf, type Failure, type FailureKind } from "#domain/failure";
import { FailureWindow } from "./failure-window.ts";

/** Where an attempt goes, as far as health is concerned. */
export interface Place {
  readonly provider: string;
  readonly model: string;
  /** The credential's id. */
  readonly credential: string;
}

/**
 * The place of an attempt at an operation. All but answers have a health of their own: a provider without embeddings, a
 * server that counts no tokens or a key without the right to moderate says nothing of its answers.
 */
export function placeOf(place: Place, operation: Operation = "generate"): Place {
  if (operation === "generate") return place;
  const { provider, model, credential } = place;
  return { provider: `${operation} at ${provider}`, model, credential: `${credential} for ${operation}` };
}

export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "parked"; readonly untilMs: number; readonly cause: FailureKind; readonly why: string };

interface Entry {
  /** Hard failures since the last clean end. */
  consecutive: number;
  /** How often it opened since the last clean end: each doubles the wait. */
  opened: number;
  openUntilMs: number;
  coolUntilMs: number;
  /** Cool-downs without a time from the provider since the last success. */
  cooled: number;
  cause: FailureKind;
  /** After an opening, one attempt at a time may probe. */
  probing: boolean;
  /** Soft failures count here alone, hard ones here as well. */
  readonly window: FailureWindow;
}

const tripAfter = 5;
const openFirstMs = 1_000;
const openMostMs = 60_000;
const coolFirstMs = 5_000;
const coolMostMs = 60_000;
const slowDownMs = 15_000;
const overloadedMs = 2_000;
const deadFirstMs = 10 * 60_000;
const deadMostMs = 6 * 60 * 60_000;
const maxEntries = 4096;

/**
 * What recent failures say about where to send the next attempt, kept per narrowest scope that explains them:
 * endpoint, credential × model, credential, model at endpoint (`reliability` semantics: a rate limit parks without
 * counting, a probe's slot is free again at first content, the count is cleared only by a clean end; five hard failures
 * in a row open, and so does a window in which most calls failed). Time is an argument, so a simulation decides as live
 * traffic does.
 */
export class Health {
  readonly #entries = new Map<string, Entry>();

  /** Whether an attempt there makes sense now. */
  readiness(place: Place, nowMs: number): Readiness {
    let worst: Readiness = { kind: "ready" };
    for (const key of keysOf(place)) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const untilMs = Math.max(entry.openUntilMs, entry.coolUntilMs);
      const busyProbe = entry.opened > 0 && entry.probing;
      if (untilMs <= nowMs && !busyProbe) continue;
      const parked = { kind: "parked", untilMs, cause: entry.cause, why: wording(key, entry.cause) } as const;
      if (worst.kind === "ready" || parked.untilMs > worst.untilMs) worst = parked;
    }
    return worst;
  }

  /** Counts an attempt that is sent, and takes the probe slot where one is needed. */
  begin(place: Place, nowMs: number): void {
    this.#entry(endpointKey(place)).window.called(nowMs);
    this.#entry(modelKey(place)).window.called(nowMs);
    for (const key of keysOf(place)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined && entry.opened > 0) entry.probing = true;
    }
  }

  /** First content, a client that went away, or a failure that says nothing: frees the slot, changes no count. */
  release(place: Place): void {
    for (const key of keysOf(place)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) entry.probing = false;
    }
  }

  /** A clean end: the only thing that clears counts. A wait that was asked for since the call was sent stays. */
  succeeded(place: Place, nowMs: number): void {
    for (const key of keysOf(place)) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      if (entry.opened > 0) entry.window.clear();
      entry.consecutive = 0;
      entry.opened = 0;
      entry.openUntilMs = 0;
      entry.probing = false;
      if (entry.coolUntilMs <= nowMs) entry.cooled = 0;
    }
  }

  failed(place: Place, what: Failure, nowMs: number): void {
    this.release(place);
    const traits = traitsOf(what);
    if (traits.health === "none") return;
    const entry = this.#entry(keyFor(place, what));
    const waitMs = what.retryAfterMs;
    switch (traits.health) {
      case "hard":
        entry.consecutive += 1;
        if (entry.window.failed(nowMs) || entry.consecutive >= tripAfter) open(entry, nowMs, what.kind);
        break;
      case "soft":
        if (entry.window.failed(nowMs)) open(entry, nowMs, what.kind);
        if (what.kind === "upstream_overloaded") park(entry, nowMs + (waitMs ?? overloadedMs), what.kind);
        break;
      case "cool": {
        const backoffMs = Math.min(coolFirstMs * 2 ** refusals(entry, nowMs), coolMostMs);
        if (waitMs === undefined) countRefusal(entry, nowMs);
        park(entry, nowMs + (waitMs ?? (what.kind === "slow_down" ? slowDownMs : backoffMs)), what.kind);
        break;
      }
      case "dead": {
        const deadMs = Math.min(deadFirstMs * 2 ** refusals(entry, nowMs), deadMostMs);
        countRefusal(entry, nowMs);
        park(entry, nowMs + deadMs, what.kind);
        break;
      }
    }
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // The least recently touched is the first to go.
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= maxEntries && oldest.done !== true) this.#entries.delete(oldest.value);
    const fresh: Entry = {
      consecutive: 0,
      opened: 0,
      openUntilMs: 0,
      coolUntilMs: 0,
      cooled: 0,
      cause: "upstream_failed",
      probing: false,
      window: new FailureWindow(),
    };
    this.#entries.set(key, fresh);
    return fresh;
  }
}

/** Where it is open already, calls that were in flight then fail now: they say nothing new. */
function open(entry: Entry, nowMs: number, cause: FailureKind): void {
  if (nowMs < entry.openUntilMs) return;
  entry.openUntilMs = nowMs + Math.min(openFirstMs * 2 ** entry.opened, openMostMs);
  entry.opened += 1;
  entry.cause = cause;
}

/** Refusals before this one; many in flight that are refused in the same moment are one. */
function refusals(entry: Entry, nowMs: number): number {
  return nowMs < entry.coolUntilMs ? Math.max(0, entry.cooled - 1) : entry.cooled;
}

function countRefusal(entry: Entry, nowMs: number): void {
  if (nowMs >= entry.coolUntilMs) entry.cooled += 1;
}

/** A later, shorter wait never shortens an earlier one. */
function park(entry: Entry, untilMs: number, cause: FailureKind): void {
  if (untilMs <= entry.coolUntilMs) return;
  entry.coolUntilMs = untilMs;
  entry.cause = cause;
}

function keyFor(place: Place, what: Failure): string {
  switch (traitsOf(what).scope) {
    case "endpoint":
      return endpointKey(place);
    case "credential":
      // One model's rate limit must not park the whole key; a dead account must.
      return traitsOf(what).health === "dead"
        ? `credential ${place.credential}`
        : `credential ${place.credential} ${place.model}`;
    default:
      return modelKey(place);
  }
}

function endpointKey(place: Place): string {
  return `endpoint ${place.provider}`;
}

function modelKey(place: Place): string {
  return `model ${place.provider}/${place.model}`;
}

function keysOf(place: Place): readonly string[] {
  return [
    endpointKey(place),
    modelKey(place),
    `credential ${place.credential}`,
    `credential ${place.credential} ${place.model}`,
  ];
}

function wording(key: string, cause: FailureKind): string {
  return `${key} is parked after ${cause.replaceAll("_", " ")}`;
}
