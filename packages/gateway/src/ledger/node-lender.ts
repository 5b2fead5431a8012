import type { Lent, Meter, Return, Want } from "#domain/account";
import type { Clock } from "#domain/ports";

/** Where a node's lender has it from: its own book, or servers that it shares with other nodes. */
export interface LendingSource {
  borrow(holder: string, wants: readonly Want[]): Lent | Promise<Lent>;
  giveBack(holder: string, returns: readonly Return[]): void;
  /** The holder is gone; money that it may have spent unreported is returned. */
  drop(holder: string): ReadonlyMap<Meter, number>;
  /** Who else may have some of it unused. */
  othersWith(holder: string, meters: readonly Meter[]): readonly string[];
}

export interface NodeLenderOptions {
  readonly source: LendingSource;
  readonly clock: Clock;
  /** Asks a holder for what it does not use; its answer comes as `returned` with the same id. */
  readonly recall: (holder: string, meters: readonly string[], id: number) => void;
}

/** A holder that does not answer a recall is not waited for any longer, ms. */
const recallMs = 20;

interface Recall {
  readonly waitingFor: Set<string>;
  readonly done: PromiseWithResolvers<void>;
  readonly cancel: () => void;
}

/**
 * Lends shares of meters to the workers of a node. Where nothing is left, the others are asked for what they do not use
 * before anybody is denied, so that what is left is not left lying about.
 */
export class NodeLender {
  readonly #options: NodeLenderOptions;
  readonly #recalls = new Map<number, Recall>();
  /** The recall on its way for a meter: whoever needs the same waits for the same. */
  readonly #running = new Map<string, Promise<void>>();
  #nextId = 1;

  constructor(options: NodeLenderOptions) {
    this.#options = options;
  }

  async borrow(holder: string, wants: readonly Want[]): Promise<Lent> {
    const { source } = this.#options;
    const lent = await source.borrow(holder, wants);
    if (lent.kind !== "denied") return lent;
    const meters = wants.map(({ meter }) => meter);
    const others = source.othersWith(holder, [lent.meter]);
    if (others.length === 0) return lent;
    await this.#recallFrom(others, lent.meter, meters);
    return source.borrow(holder, wants);
  }

  giveBack(holder: string, returns: readonly Return[]): void {
    this.#options.source.giveBack(holder, returns);
  }

  /** The answer to a recall. */
  returned(holder: string, id: number): void {
    const recall = this.#recalls.get(id);
    recall?.waitingFor.delete(holder);
    if (recall?.waitingFor.size === 0) this.#end(id, recall);
  }

  drop(holder: string): ReadonlyMap<Meter, number> {
    for (const id of this.#recalls.keys()) this.returned(holder, id);
    return this.#options.source.drop(holder);
  }

  #recallFrom(others: readonly string[], scarce: Meter, meters: readonly Meter[]): Promise<void> {
    const running = this.#running.get(scarce.id);
    if (running !== undefined) return running;
    const id = this.#nextId;
    this.#nextId += 1;
    const done = Promise.withResolvers<void>();
    const recall: Recall = {
      waitingFor: new Set(others),
      done,
      cancel: this.#options.clock.timer(recallMs, () => this.#end(id, recall)),
    };
    this.#recalls.set(id, recall);
    const finished = done.promise.then(() => void this.#running.delete(scarce.id));
    this.#running.set(scarce.id, finished);
    const ids = meters.map((meter) => meter.id);
    for (const other of others) this.#options.recall(other, ids, id);
    return finished;
  }

  #end(id: number, recall: Recall): void {
    recall.cancel();
    this.#recalls.delete(id);
    recall.done.resolve();
  }
}
