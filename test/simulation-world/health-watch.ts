import type { HealthHint } from "#domain/health";
import type { Health, Place, Readiness } from "#policy/health";
import { Broken } from "./invariant.ts";
import type { UpstreamTrack } from "./simulated-upstream.ts";

interface ModelCount {
  hard: number;
  /** It was seen open since its last clean end. */
  opened: boolean;
}

const tripAfter = 5;

/** What one node's health should have made of what its providers did, counted from outside. */
export class HealthWatch {
  readonly #name: string;
  readonly #places: readonly Place[];
  readonly #models = new Map<string, ModelCount>();
  /** Requests on their way, by provider. */
  readonly #open = new Map<string, number>();
  #touched = false;
  #sinceMs = 0;

  constructor(node: number, places: readonly Place[]) {
    this.#name = `n${node}`;
    this.#places = places;
  }

  sent({ provider }: UpstreamTrack): void {
    this.#touched = true;
    this.#open.set(provider, (this.#open.get(provider) ?? 0) + 1);
  }

  over(track: UpstreamTrack): void {
    this.#touched = true;
    this.#open.set(track.provider, (this.#open.get(track.provider) ?? 0) - 1);
    if (!track.complete || track.sentAtMs < this.#sinceMs) return;
    const count = this.#countOf(`${track.provider}/${track.model}`);
    if (track.fate === "hard") count.hard += 1;
    if (track.fate === "clean") Object.assign(count, { hard: 0, opened: false });
  }

  /** All that was known is gone, and so is what was counted; what was sent before tells it to nobody. */
  forget(nowMs: number): void {
    this.#models.clear();
    this.#sinceMs = nowMs;
  }

  /** What other nodes tell may end or begin what was counted here. */
  heard(hints: readonly HealthHint[], nowMs: number): void {
    this.#touched = true;
    if (hints.some(({ closed }) => closed)) this.forget(nowMs);
  }

  /** After every event; where no request began or ended there is nothing new to see. */
  check(health: Health, nowMs: number): void {
    if (!this.#touched) return;
    this.#touched = false;
    for (const place of this.#places) {
      const state = health.readiness(place, nowMs);
      this.#checkProbe(place, state);
      this.#checkOpening(place, state);
    }
  }

  /** A slot for probes is held by a call that is on its way, or by nobody. */
  #checkProbe(place: Place, state: Readiness): void {
    if (state.kind === "ready" || state.by !== "probing" || (this.#open.get(place.provider) ?? 0) > 0) return;
    throw new Broken("I7", `${this.#name}: ${state.why}, and no call is on its way to ${place.provider}`);
  }

  #checkOpening(place: Place, state: Readiness): void {
    const count = this.#models.get(`${place.provider}/${place.model}`);
    if (count === undefined) return;
    const parked = state.kind === "parked";
    if (parked && (state.by === "open" || state.by === "rate" || state.by === "probing")) count.opened = true;
    if (count.hard < tripAfter || count.opened) return;
    if (!parked) throw new Broken("I13", `${this.#name}: ${count.hard} at ${place.provider}/${place.model}`);
    count.opened = true;
  }

  /** Long after the last fault, with no call in flight. */
  checkAdmits(health: Health, nowMs: number): void {
    for (const place of this.#places) {
      const held = health.inFlight(place);
      if (held > 0)
        throw new Broken("I7", `${this.#name}: ${held} calls are counted at ${place.credential}, and none is there`);
      const state = health.readiness(place, nowMs);
      if (state.kind === "ready") continue;
      throw new Broken("I12", `${this.#name}: ${place.credential} for ${place.model}: ${state.why}`);
    }
  }

  #countOf(model: string): ModelCount {
    let count = this.#models.get(model);
    if (count === undefined) this.#models.set(model, (count = { hard: 0, opened: false }));
    return count;
  }
}
