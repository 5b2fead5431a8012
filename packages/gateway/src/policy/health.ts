import type { Operation } from "#domain/call";
import { traitsOf, type Failure, type FailureKind } from "#domain/failure";
import { DeadlyRequests, type Fingerprint } from "./deadly-requests.ts";
import { bury, close, cool, isGated, newEntry, open, readyAtMs, rest, tripAfter } from "./health-entry.ts";
import type { Entry, Opening } from "./health-entry.ts";

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

/**
 * Why a place is not to be asked. `asked`: it asked for patience, or is out of use until a slow probe. `resting`: it was
 * overloaded, and the wait is our guess. `open`: it failed several times in a row. `rate`: too large a share failed.
 * `probing`: one call is finding out whether it is back.
 */
export type Parking = "asked" | "resting" | "open" | "rate" | "probing";

export type Readiness =
  | { readonly kind: "ready" }
  | {
      readonly kind: "parked";
      readonly untilMs: number;
      readonly cause: FailureKind;
      readonly why: string;
      readonly by: Parking;
    };

/** One call on its way to a place. `content` at most once, then exactly one of the endings; what comes after is void. */
export interface Visit {
  /** First content: others may probe. Clears no count. */
  content(nowMs: number): void;
  /** A clean end: the only thing that clears counts. */
  succeeded(nowMs: number): void;
  /** `chance`, 0..1, spreads when several workers ask again. */
  failed(what: Failure, nowMs: number, chance: number): void;
  /** The client went away, or the end says nothing: changes no count. */
  left(): void;
}

/** Providers whose connection a request cost, while nothing else failed there. */
export interface Danger {
  readonly killers: readonly string[];
  /** There are two of them at least, and they have answered others since. */
  readonly proven: boolean;
}

/** The four scopes of a place. */
interface Site {
  readonly provider: string;
  readonly endpoint: Entry;
  readonly model: Entry;
  readonly account: Entry;
  readonly share: Entry;
}

const maxEntries = 4096;
/** How many of the longest unused entries are looked at for one that can be forgotten without loss. */
const maxLooked = 16;
const ready: Readiness = { kind: "ready" };

/**
 * What recent failures say about where to send the next attempt, kept per narrowest scope that explains them:
 * endpoint, credential × model, credential, model at endpoint (`reliability` semantics: a rate limit parks without
 * counting, a probe's slot is free again at first content, the count is cleared only by a clean end; five hard failures
 * in a row open, and so does a window in which most calls failed). Time and chance are arguments, so a simulation
 * decides as live traffic does.
 */
export class Health {
  readonly #entries = new Map<string, Entry>();
  /** By credential and model: what `#entries` holds, found without making a key. */
  readonly #sites = new Map<string, Map<string, Site>>();
  readonly #deadly = new DeadlyRequests();
  #order = 0;

  /** Whether an attempt there makes sense now. */
  readiness(place: Place, nowMs: number): Readiness {
    const { endpoint, model, account, share } = this.#site(place);
    if (isFree(endpoint, nowMs) && isFree(model, nowMs) && isFree(account, nowMs) && isFree(share, nowMs)) return ready;
    const busy = [endpoint, model, account, share].filter((entry) => !isFree(entry, nowMs));
    return parked(busy, nowMs);
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
      provider: place.provider,
      request,
      deadly: this.#deadly,
      nextOrder: () => (this.#order += 1),
    });
    visit.takeSlots(nowMs);
    return visit;
  }

  /** A failure that no call of ours met. */
  failed(place: Place, what: Failure, nowMs: number): void {
    const site = this.#site(place);
    this.#touch(site);
    judge({ site, what, opening: { nowMs, chance: 0.5, order: (this.#order += 1) }, sentAt: this.#order });
  }

  /** What a request is known to have done within the last minute. */
  dangerOf(request: Fingerprint, nowMs: number): Danger {
    const killers = this.#deadly.killers(request, nowMs);
    if (killers.length < 2) return { killers, proven: false };
    const areWell = killers.every((provider) => (this.#entries.get(endpointKey({ provider }))?.consecutive ?? 0) === 0);
    return { killers, proven: areWell };
  }

  #site(place: Place): Site {
    let models = this.#sites.get(place.credential);
    const known = models?.get(place.model);
    if (known?.provider === place.provider) return known;
    const site = {
      provider: place.provider,
      endpoint: this.#entry(endpointKey(place)),
      model: this.#entry(`model ${place.provider}/${place.model}`),
      account: this.#entry(`credential ${place.credential}`),
      share: this.#entry(`credential ${place.credential} ${place.model}`),
    };
    // Making an entry may have emptied the sites.
    models = this.#sites.get(place.credential);
    if (models === undefined) this.#sites.set(place.credential, (models = new Map()));
    models.set(place.model, site);
    return site;
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= maxEntries) this.#forgetOne();
    const fresh = newEntry(key);
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
      const well = !isGated(entry) && entry.coolUntilMs === 0;
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

interface VisitParts {
  readonly site: Site;
  readonly order: number;
  readonly provider: string;
  readonly request: Fingerprint | undefined;
  readonly deadly: DeadlyRequests;
  readonly nextOrder: () => number;
}

class OneVisit implements Visit {
  readonly #parts: VisitParts;
  #over = false;

  constructor(parts: VisitParts) {
    this.#parts = parts;
  }

  takeSlots(nowMs: number): void {
    for (const entry of entriesOf(this.#parts.site)) {
      if (isGated(entry) && readyAtMs(entry) <= nowMs) entry.probe ??= this;
    }
  }

  content(_nowMs: number): void {
    if (!this.#over) this.#freeSlots();
  }

  succeeded(nowMs: number): void {
    if (!this.#end()) return;
    const { site, order, request, deadly } = this.#parts;
    for (const entry of entriesOf(site)) {
      // What was sent before it opened may end well while everything sent since fails.
      if (entry.opened === 0 || entry.openedAt <= order) close(entry, nowMs);
    }
    if (request !== undefined) deadly.answered(request);
  }

  failed(what: Failure, nowMs: number, chance: number): void {
    const held = entriesOf(this.#parts.site).filter((entry) => entry.probe === this);
    if (!this.#end()) return;
    if (traitsOf(what).health === "none" || this.#isItsOwnFault(what, nowMs)) return;
    const { site, order, nextOrder } = this.#parts;
    const opening = { nowMs, chance, order: nextOrder() };
    judge({ site, what, opening, sentAt: order });
    // Whatever kept a probe from ending well, it did not end well.
    for (const entry of held) {
      if (readyAtMs(entry) <= nowMs) open(entry, { ...opening, cause: what.kind, waitMs: undefined });
    }
  }

  left(): void {
    this.#end();
  }

  /** A lost connection where nothing else failed counts against the request as well; of the second one it is the cause. */
  #isItsOwnFault(what: Failure, nowMs: number): boolean {
    const { site, provider, request, deadly } = this.#parts;
    if (what.kind !== "connection_lost" || request === undefined) return false;
    if (site.endpoint.consecutive === 0) return deadly.killed(request, provider, nowMs);
    deadly.withdraw(request, provider);
    return false;
  }

  /** False where it was over already. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#freeSlots();
    return true;
  }

  #freeSlots(): void {
    for (const entry of entriesOf(this.#parts.site)) if (entry.probe === this) entry.probe = undefined;
  }
}

interface Judgement {
  readonly site: Site;
  readonly what: Failure;
  readonly opening: Pick<Opening, "nowMs" | "chance" | "order">;
  /** The place of the failed call in the order of calls and openings. */
  readonly sentAt: number;
}

/** What a failure does to its scope. */
function judge({ site, what, opening, sentAt }: Judgement): void {
  const entry = scopeOf(site, what);
  const { nowMs } = opening;
  const { kind: cause, retryAfterMs: waitMs } = what;
  switch (traitsOf(what).health) {
    case "hard": {
      const tooMany = entry.window.failed(nowMs);
      // Sent before it opened last: that opening has said all that this could say.
      if (isStale(entry, opening, sentAt)) return;
      entry.consecutive += 1;
      if (tooMany || entry.consecutive >= tripAfter) open(entry, { ...opening, cause, waitMs });
      return;
    }
    case "soft":
      if (entry.window.failed(nowMs) && !isStale(entry, opening, sentAt)) open(entry, { ...opening, cause, waitMs });
      if (cause === "upstream_overloaded") rest(entry, nowMs, waitMs);
      return;
    case "cool":
      cool(entry, nowMs, { cause, waitMs });
      return;
    case "dead":
      bury(entry, nowMs, cause);
      return;
    case "none":
  }
}

/** Half open again, and the call was sent before it opened. */
function isStale(entry: Entry, { nowMs }: { readonly nowMs: number }, sentAt: number): boolean {
  return entry.opened > 0 && sentAt < entry.openedAt && nowMs >= entry.openUntilMs;
}

function scopeOf(site: Site, what: Failure): Entry {
  const { scope, health } = traitsOf(what);
  switch (scope) {
    case "endpoint":
      return site.endpoint;
    case "credential":
      // One model's rate limit, or a model that is refused, must not park the whole key; a dead account must.
      return health === "dead" ? site.account : site.share;
    default:
      return site.model;
  }
}

function isFree(entry: Entry, nowMs: number): boolean {
  return readyAtMs(entry) <= nowMs && (entry.probe === undefined || !isGated(entry));
}

/** Of several reasons the strictest counts, and the latest moment. */
function parked(entries: readonly Entry[], nowMs: number): Readiness {
  let strictest: Entry | undefined;
  let untilMs = 0;
  for (const entry of entries) {
    untilMs = Math.max(untilMs, readyAtMs(entry));
    if (strictest === undefined || rank(entry, nowMs) > rank(strictest, nowMs)) strictest = entry;
  }
  if (strictest === undefined) return ready;
  const by = parkingOf(strictest, nowMs);
  return { kind: "parked", untilMs, cause: strictest.cause, why: wording(strictest, by), by };
}

/** Asked for before anything else, then by the moment. */
function rank(entry: Entry, nowMs: number): number {
  return parkingOf(entry, nowMs) === "asked" ? Number.POSITIVE_INFINITY : readyAtMs(entry);
}

function parkingOf(entry: Entry, nowMs: number): Parking {
  if (entry.coolUntilMs > nowMs && entry.asked) return "asked";
  if (entry.openUntilMs > nowMs) return entry.byRate ? "rate" : "open";
  return entry.coolUntilMs > nowMs ? "resting" : "probing";
}

function wording({ key, cause }: Entry, by: Parking): string {
  const words = cause.replaceAll("_", " ");
  switch (by) {
    case "probing":
      return `${key} is being tried by one call after ${words}`;
    case "rate":
      return `${key} is parked: most of its calls of the last two minutes failed, the last with ${words}`;
    default:
      return `${key} is parked after ${words}`;
  }
}

function entriesOf({ endpoint, model, account, share }: Site): readonly Entry[] {
  return [endpoint, model, account, share];
}

function endpointKey({ provider }: { readonly provider: string }): string {
  return `endpoint ${provider}`;
}
