import { traitsOf, type Failure } from "#domain/failure";
import type { RateLimit } from "#domain/rate-limit";
import type { DeadlyRequests, Fingerprint } from "./deadly-requests.ts";
import { bury, close, cool, isGated, open, readyAtMs, rest, tripAfter } from "./health-entry.ts";
import type { Entry, Opening } from "./health-entry.ts";
import { entriesOf, type Site } from "./site.ts";

/**
 * One call on its way to a place, in flight until its ending. `content` at most once, then exactly one of the endings;
 * what comes after is void.
 */
export interface Visit {
  /** First content: others may probe. Clears no count. */
  content(nowMs: number): void;
  /** What the answer's head says is left of the account's limits. */
  learned(limits: readonly RateLimit[], nowMs: number): void;
  /** A clean end: the only thing that clears counts. */
  succeeded(nowMs: number): void;
  /** `chance`, 0..1, spreads when several workers ask again. */
  failed(what: Failure, nowMs: number, chance: number): void;
  /** The client went away, or the end says nothing: changes no count. */
  left(): void;
}

interface VisitParts {
  readonly site: Site;
  readonly order: number;
  readonly sentAtMs: number;
  readonly provider: string;
  readonly request: Fingerprint | undefined;
  readonly deadly: DeadlyRequests;
  readonly nextOrder: () => number;
  readonly onNews: OnNews;
}

/** Told of what others should know: an opening, a wait, or (`closed`) a clean end after them. */
export type OnNews = (entry: Entry, closed: boolean) => void;

export class OneVisit implements Visit {
  readonly #parts: VisitParts;
  #hasContent = false;
  #over = false;

  constructor(parts: VisitParts) {
    this.#parts = parts;
  }

  /** Counted as in flight, and a probe where one is due. */
  start(): void {
    const { site, sentAtMs } = this.#parts;
    site.load.inFlight += 1;
    site.load.headroom.sent();
    for (const entry of entriesOf(site)) {
      if (isGated(entry) && readyAtMs(entry) <= sentAtMs) entry.probe ??= this;
    }
  }

  content(nowMs: number): void {
    if (this.#over || this.#hasContent) return;
    this.#hasContent = true;
    this.#freeSlots();
    const { site, sentAtMs } = this.#parts;
    site.load.limit.sample(nowMs - sentAtMs, site.load.inFlight, nowMs);
  }

  learned(limits: readonly RateLimit[], nowMs: number): void {
    const { site, onNews } = this.#parts;
    site.load.headroom.learn(limits, nowMs);
    if (site.load.headroom.emptyUntilMs(nowMs) > 0) onNews(site.share, false);
  }

  succeeded(nowMs: number): void {
    if (!this.#end()) return;
    const { site, order, request, deadly, onNews } = this.#parts;
    for (const entry of entriesOf(site)) {
      // What was sent before it opened may end well while everything sent since fails.
      if (entry.opened > 0 && entry.openedAt > order) continue;
      if (isGated(entry)) onNews(entry, true);
      close(entry, nowMs);
    }
    site.recent.note(false, nowMs);
    if (request !== undefined) deadly.answered(request);
  }

  failed(what: Failure, nowMs: number, chance: number): void {
    const held = entriesOf(this.#parts.site).filter((entry) => entry.probe === this);
    if (!this.#end()) return;
    if (traitsOf(what).health === "none" || this.#isItsOwnFault(what, nowMs)) return;
    const { site, order, nextOrder, onNews } = this.#parts;
    const opening = { nowMs, chance, order: nextOrder() };
    site.recent.note(true, nowMs);
    // This call counts as one of those that were too many.
    if (what.kind === "slow_down") site.load.limit.slowDown(site.load.inFlight + 1, nowMs);
    judge({ site, what, opening, sentAt: order, onNews });
    // Whatever kept a probe from ending well, it did not end well.
    for (const entry of held) {
      // Others may have closed it meanwhile, or have opened it again.
      if (!isGated(entry) || readyAtMs(entry) > nowMs) continue;
      open(entry, { ...opening, cause: what.kind, waitMs: undefined });
      onNews(entry, false);
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
    this.#parts.site.load.inFlight -= 1;
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
  readonly onNews: OnNews;
}

/** What a failure does to its scope. */
export function judge({ site, what, opening, sentAt, onNews }: Judgement): void {
  const entry = scopeOf(site, what);
  affect(entry, what, { ...opening, sentAt });
  if (readyAtMs(entry) > opening.nowMs) onNews(entry, false);
}

function affect(entry: Entry, what: Failure, at: Judgement["opening"] & { readonly sentAt: number }): void {
  const { nowMs, sentAt } = at;
  const { kind: cause, retryAfterMs: waitMs } = what;
  switch (traitsOf(what).health) {
    case "hard": {
      const tooMany = entry.window.failed(nowMs);
      // Sent before it opened last: that opening has said all that this could say.
      if (isStale(entry, at, sentAt)) return;
      entry.consecutive += 1;
      if (tooMany || entry.consecutive >= tripAfter) open(entry, { ...at, cause, waitMs });
      return;
    }
    case "soft":
      if (entry.window.failed(nowMs) && !isStale(entry, at, sentAt)) open(entry, { ...at, cause, waitMs });
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
