import type { Operation } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { HealthHint, HealthRow, Scope } from "#domain/health";
import { DeadlyRequests, type Fingerprint } from "./deadly-requests.ts";
import { isGated, keyOf, newEntry, type Entry } from "./health-entry.ts";
import { healthRows } from "./health-rows.ts";
import { applyHint, hintOf } from "./hints.ts";
import { Load } from "./load.ts";
import { Reach } from "./reach.ts";
import { RecentSuccess } from "./recent-success.ts";
import { readinessAt, type Readiness } from "./readiness.ts";
import { entriesOf, type Site } from "./site.ts";
import { judge, OneVisit, type OnNews, type Visit } from "./visit.ts";

export type { Readiness } from "./readiness.ts";
export type { Visit } from "./visit.ts";

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

/** Providers whose connection a request cost, while nothing else failed there. */
export interface Danger {
  readonly killers: readonly string[];
  /** There are two of them at least, and they have answered others since. */
  readonly proven: boolean;
}

const maxEntries = 4096;
/** Of one message to the other workers. */
const maxHints = 64;
const maxNews = 512;
const longestKey = 400;
const noDanger: Danger = { killers: [], proven: false };
const noHints: readonly HealthHint[] = [];
/** How many of the longest unused entries are looked at for one that can be forgotten without loss. */
const maxLooked = 16;
/**
 * What recent failures say about where to send the next attempt, kept per narrowest scope that explains them:
 * endpoint, credential × model, credential, model at endpoint (`reliability` semantics: a rate limit parks without
 * counting, a probe's slot is free again at first content, the count is cleared only by a clean end; five hard failures
 * in a row open, and so does a window in which most calls failed). Time and chance are arguments, so a simulation
 * decides as live traffic does.
 */
export class Health {
  /** Which providers nothing is heard of. */
  readonly reach = new Reach();
  readonly #entries = new Map<string, Entry>();
  /** By credential and model: what `#entries` holds, found without making a key. */
  readonly #sites = new Map<string, Map<string, Site>>();
  readonly #deadly = new DeadlyRequests();
  /** What others should know, and whether it is that all is well again. */
  readonly #news = new Map<Entry, boolean>();
  readonly #onNews: OnNews = (entry, closed) => {
    // Where nobody takes the news, the latest are enough.
    const oldest = this.#news.keys().next();
    if (this.#news.size >= maxNews && oldest.done !== true) this.#news.delete(oldest.value);
    this.#news.set(entry, closed);
  };
  #order = 0;

  /** Whether an attempt there makes sense now. */
  readiness(place: Place, nowMs: number): Readiness {
    return readinessAt(this.#site(place), nowMs);
  }

  /** Counts a call that is sent, and takes the slots of probes where they are due. */
  begin(place: Place, nowMs: number, request?: Fingerprint): Visit {
    const site = this.#site(place);
    this.#touch(site);
    site.endpoint.window.called(nowMs);
    site.model.window.called(nowMs);
    this.#order += 1;
    const order = this.#order;
    const visit = new OneVisit({
      site,
      order,
      sentAtMs: nowMs,
      provider: place.provider,
      request,
      deadly: this.#deadly,
      nextOrder: () => (this.#order += 1),
      onNews: this.#onNews,
    });
    visit.start();
    return visit;
  }

  /** A failure that no call of ours met. */
  failed(place: Place, what: Failure, nowMs: number): void {
    const site = this.#site(place);
    this.#touch(site);
    judge({
      site,
      what,
      opening: { nowMs, chance: 0.5, order: (this.#order += 1) },
      sentAt: this.#order,
      onNews: this.#onNews,
    });
  }

  /** How calls to a model at a provider ended, by whatever credential. */
  recentAt(place: Pick<Place, "provider" | "model">): RecentSuccess {
    const { provider, model } = place;
    return (this.#entry({ kind: "model", provider, model }).recent ??= new RecentSuccess());
  }

  /** What was found out since the last time, for the other workers of the node; the rest waits for the next time. */
  takeHints(nowMs: number): readonly HealthHint[] {
    if (this.#news.size === 0) return noHints;
    const hints: HealthHint[] = [];
    for (const [entry, closed] of this.#news) {
      if (hints.length >= maxHints) break;
      this.#news.delete(entry);
      if (entry.key.length <= longestKey) hints.push(hintOf(entry, closed, nowMs));
    }
    return hints;
  }

  /** What another worker found out. It is not told on. */
  hear(hints: readonly HealthHint[], nowMs: number): void {
    for (const hint of hints) {
      this.#order += 1;
      applyHint(this.#entry(hint.scope), hint, { nowMs, order: this.#order });
    }
  }

  /** The scopes with something to tell, those in trouble first. */
  rows(nowMs: number): readonly HealthRow[] {
    return healthRows(this.#entries.values(), nowMs);
  }

  /** Calls on their way to a place. */
  inFlight(place: Place): number {
    return this.#site(place).load.inFlight;
  }

  /** What a request is known to have done within the last minute. */
  dangerOf(request: Fingerprint, nowMs: number): Danger {
    const killers = this.#deadly.killers(request, nowMs);
    if (killers.length === 0) return noDanger;
    if (killers.length === 1) return { killers, proven: false };
    const areWell = killers.every(
      (provider) => (this.#entries.get(keyOf({ kind: "endpoint", provider }))?.consecutive ?? 0) === 0,
    );
    return { killers, proven: areWell };
  }

  #site(place: Place): Site {
    let models = this.#sites.get(place.credential);
    const known = models?.get(place.model);
    if (known?.provider === place.provider) return known;
    const { provider, model, credential } = place;
    const endpoint = this.#entry({ kind: "endpoint", provider });
    const atModel = this.#entry({ kind: "model", provider, model });
    const account = this.#entry({ kind: "credential", provider, credential });
    const share = this.#entry({ kind: "share", provider, model, credential });
    const load = share.load ?? new Load();
    const site = { provider, endpoint, model: atModel, account, share, load, recent: this.recentAt(place) };
    // Making an entry may have emptied the sites.
    models = this.#sites.get(credential);
    if (models === undefined) this.#sites.set(credential, (models = new Map()));
    models.set(model, site);
    return site;
  }

  #entry(scope: Scope): Entry {
    const key = keyOf(scope);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= maxEntries) this.#forgetOne();
    const fresh = newEntry(scope, key);
    if (scope.kind === "share") fresh.load = new Load();
    this.#entries.set(key, fresh);
    return fresh;
  }

  /** The least recently used of the first few that are well; else the first. */
  #forgetOne(): void {
    let oldest: string | undefined;
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      oldest ??= key;
      looked += 1;
      const well = !isGated(entry) && entry.coolUntilMs === 0 && (entry.load?.inFlight ?? 0) === 0;
      if (well) oldest = key;
      if (well || looked >= maxLooked) break;
    }
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#sites.clear();
  }

  /** Only where there is something to forget does the order of use matter. */
  #touch(site: Site): void {
    if (this.#entries.size < maxEntries / 2) return;
    for (const entry of entriesOf(site)) {
      if (this.#entries.delete(entry.key)) this.#entries.set(entry.key, entry);
    }
  }
}
