import { traitsOf, type Failure, type FailureKind } from "#domain/failure";

/** Where an attempt goes, as far as health is concerned. */
export interface Place {
  readonly provider: string;
  readonly model: string;
  /** The credential's id. */
  readonly credential: string;
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
 * counting, a probe's slot is free again at first content, the count is cleared only by a clean end). Time is an
 * argument, so a simulation decides as live traffic does.
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

  /** Takes the probe slot where one is needed. */
  begin(place: Place): void {
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

  /** A clean end: the only thing that clears counts. */
  succeeded(place: Place): void {
    for (const key of keysOf(place)) this.#entries.delete(key);
  }

  failed(place: Place, what: Failure, nowMs: number): void {
    this.release(place);
    const traits = traitsOf(what);
    if (traits.health === "none") return;
    const entry = this.#entry(keyFor(place, what));
    const waitMs = what.retryAfterMs;
    switch (traits.health) {
      case "hard":
        this.#count(entry, nowMs, what.kind);
        break;
      case "soft":
        if (what.kind === "upstream_overloaded") park(entry, nowMs + (waitMs ?? overloadedMs), what.kind);
        break;
      case "cool": {
        const backoffMs = Math.min(coolFirstMs * 2 ** entry.cooled, coolMostMs);
        if (waitMs === undefined) entry.cooled += 1;
        park(entry, nowMs + (waitMs ?? (what.kind === "slow_down" ? slowDownMs : backoffMs)), what.kind);
        break;
      }
      case "dead":
        park(entry, nowMs + Math.min(deadFirstMs * 2 ** entry.cooled, deadMostMs), what.kind);
        entry.cooled += 1;
        break;
    }
  }

  #count(entry: Entry, nowMs: number, cause: FailureKind): void {
    entry.consecutive += 1;
    if (entry.consecutive < tripAfter) return;
    const waitMs = Math.min(openFirstMs * 2 ** entry.opened, openMostMs);
    entry.opened += 1;
    entry.openUntilMs = Math.max(entry.openUntilMs, nowMs + waitMs);
    entry.cause = cause;
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
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
    };
    this.#entries.set(key, fresh);
    return fresh;
  }
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
      return `endpoint ${place.provider}`;
    case "credential":
      // One model's rate limit must not park the whole key; a dead account must.
      return traitsOf(what).health === "dead"
        ? `credential ${place.credential}`
        : `credential ${place.credential} ${place.model}`;
    default:
      return `model ${place.provider}/${place.model}`;
  }
}

function keysOf(place: Place): readonly string[] {
  return [
    `endpoint ${place.provider}`,
    `model ${place.provider}/${place.model}`,
    `credential ${place.credential}`,
    `credential ${place.credential} ${place.model}`,
  ];
}

function wording(key: string, cause: FailureKind): string {
  return `${key} is parked after ${cause.replaceAll("_", " ")}`;
}
