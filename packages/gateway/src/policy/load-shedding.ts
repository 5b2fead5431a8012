import type { KeyPriority } from "#domain/gateway-key";

/** How loaded a worker is at a moment, each beside the most it may be. */
export interface Pressure {
  /** Calls in flight beside the one that is asked about. */
  readonly calls: number;
  readonly mostCalls: number;
  /** How late the event loop is, ms; smoothed by `LagMeter`. */
  readonly lagMs: number;
  readonly mostLagMs: number;
  /** Resident bytes; absent where nobody bounded them. */
  readonly memoryBytes?: number;
  readonly mostMemoryBytes?: number;
}

const shedCauses = ["calls", "lag", "memory"] as const;
export type ShedCause = (typeof shedCauses)[number];

/** Up to which share of a bound each class is let in: whoever may wait leaves room for whoever may not. */
const classShares: Readonly<Record<KeyPriority, number>> = { low: 0.8, normal: 0.95, high: 1 };
/** A class that was refused is let in again once there is so much less of what it was refused for. */
const margin = 0.1;

interface Shed {
  readonly cause: ShedCause;
  readonly priority: KeyPriority;
  readonly calls: number;
}

/**
 * Which calls a worker refuses before it reads them, the low class first. It remembers whom it refuses and why, so that a
 * load that sways about a bound does not open and close the door with it.
 */
export class LoadShedding {
  readonly #closed = new Set<string>();
  readonly #counts = new Map<string, Shed>();

  /** Why a call of this class is not let in; undefined: it is. */
  refuses(priority: KeyPriority, pressure: Pressure): ShedCause | undefined {
    const share = classShares[priority];
    // Each is looked at, so that a door closed for one cause opens though another keeps the class out.
    let refusedFor: ShedCause | undefined;
    for (const cause of shedCauses) {
      const { used, most } = levelOf(cause, pressure);
      const bound = cause === "calls" ? Math.ceil(most * share) : most * share;
      const id = `${priority} ${cause}`;
      // Of the hard bound of calls nothing is left unused: there each call that ends makes room for one.
      const step = cause === "calls" ? (share === 1 ? 0 : Math.floor(most * margin)) : most * margin;
      const isClosed = used >= bound || (this.#closed.has(id) && used >= bound - step);
      if (isClosed) this.#closed.add(id);
      else this.#closed.delete(id);
      if (isClosed) refusedFor ??= cause;
    }
    if (refusedFor !== undefined) this.#count(priority, refusedFor);
    return refusedFor;
  }

  get counts(): readonly Shed[] {
    return [...this.#counts.values()];
  }

  #count(priority: KeyPriority, cause: ShedCause): void {
    const id = `${priority} ${cause}`;
    this.#counts.set(id, { priority, cause, calls: (this.#counts.get(id)?.calls ?? 0) + 1 });
  }
}

function levelOf(cause: ShedCause, pressure: Pressure): { readonly used: number; readonly most: number } {
  if (cause === "calls") return { used: pressure.calls, most: pressure.mostCalls };
  if (cause === "lag") return { used: pressure.lagMs, most: pressure.mostLagMs };
  return { used: pressure.memoryBytes ?? 0, most: pressure.mostMemoryBytes ?? Number.POSITIVE_INFINITY };
}

/** Weight of the newest look. */
const newest = 0.3;
/** One pause, however long, is no load: of a single look no more than so many times the bound counts. */
const mostOfOne = 2;

/** How late an event loop is, from looks that were meant to be `everyMs` apart: a moving mean, so that one pause is none. */
export class LagMeter {
  readonly #everyMs: number;
  #lastMs: number | undefined;
  #lagMs = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  look(nowMs: number, mostLagMs: number): void {
    const lateMs = this.#lastMs === undefined ? 0 : Math.max(0, nowMs - this.#lastMs - this.#everyMs);
    this.#lastMs = nowMs;
    this.#lagMs += newest * (Math.min(lateMs, mostOfOne * mostLagMs) - this.#lagMs);
  }

  get lagMs(): number {
    return this.#lagMs;
  }
}
