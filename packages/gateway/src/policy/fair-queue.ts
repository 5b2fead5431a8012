import { keyPriorities, type KeyPriority } from "#domain/gateway-key";

/** How many of a class are served for one of the lowest, where all wait. */
const classWeights: Readonly<Record<KeyPriority, number>> = { high: 16, normal: 4, low: 1 };

/** Who waits, by class and by whose it is. */
export interface Waiting {
  readonly priority: KeyPriority;
  readonly caller: string;
}

interface ClassLine<T> {
  /** By caller, whose turn is next first. */
  readonly callers: Map<string, T[]>;
  /** How much of its share it had: of all classes that wait the one with the least is next. */
  had: number;
}

/**
 * Who is next of those who wait: of the classes by their weights, so that the lowest is never starved (stride scheduling,
 * Waldspurger 1995), and within a class one call of each caller in turn, so that nobody's burst keeps others waiting.
 */
export class FairQueue<T extends Waiting> {
  readonly #lines: Readonly<Record<KeyPriority, ClassLine<T>>> = {
    high: { callers: new Map(), had: 0 },
    normal: { callers: new Map(), had: 0 },
    low: { callers: new Map(), had: 0 },
  };
  #now = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(waiting: T): void {
    const line = this.#lines[waiting.priority];
    // A class that did not wait saved nothing up for when it does.
    if (line.callers.size === 0) line.had = Math.max(line.had, this.#now);
    const own = line.callers.get(waiting.caller);
    if (own === undefined) line.callers.set(waiting.caller, [waiting]);
    else own.push(waiting);
    this.#size += 1;
  }

  /** Undefined where nobody waits. */
  head(): T | undefined {
    const priority = this.#next();
    if (priority === undefined) return undefined;
    for (const [first] of this.#lines[priority].callers.values()) return first;
    return undefined;
  }

  /** The head had its turn: the next of its caller comes after one of each other caller. */
  served(waiting: T): void {
    const { priority, caller } = waiting;
    const line = this.#lines[priority];
    this.#now = line.had;
    line.had += 1 / classWeights[priority];
    this.remove(waiting);
    const left = line.callers.get(caller);
    if (left === undefined) return;
    line.callers.delete(caller);
    line.callers.set(caller, left);
  }

  /** It waits no longer, and had no turn. */
  remove(waiting: T): void {
    const { callers } = this.#lines[waiting.priority];
    const own = callers.get(waiting.caller);
    const at = own?.indexOf(waiting) ?? -1;
    if (own === undefined || at < 0) return;
    own.splice(at, 1);
    if (own.length === 0) callers.delete(waiting.caller);
    this.#size -= 1;
  }

  /**
   * Who has to leave a full queue for a newcomer: the last of the caller with most calls in the lowest class, where that is
   * below the newcomer's, or where the newcomer would still have fewer there. Undefined: the newcomer itself.
   */
  outrankedBy({ priority, caller }: Waiting): T | undefined {
    const lowest = keyPriorities.findLast((each) => this.#lines[each].callers.size > 0);
    if (lowest === undefined || keyPriorities.indexOf(lowest) < keyPriorities.indexOf(priority)) return undefined;
    const { callers } = this.#lines[lowest];
    let longest: readonly T[] = [];
    for (const own of callers.values()) if (own.length > longest.length) longest = own;
    if (lowest === priority && longest.length <= (callers.get(caller)?.length ?? 0) + 1) return undefined;
    return longest.at(-1);
  }

  #next(): KeyPriority | undefined {
    let next: KeyPriority | undefined;
    for (const priority of keyPriorities) {
      const { callers, had } = this.#lines[priority];
      if (callers.size > 0 && (next === undefined || had < this.#lines[next].had)) next = priority;
    }
    return next;
  }
}
