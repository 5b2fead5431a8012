import type { Accounts, Charge, Meter, Taken } from "#domain/account";
import type { Clock } from "#domain/ports";
import { FairQueue, type Waiting } from "#policy/fair-queue";
import type { CallControl } from "./live-calls.ts";

/** A call that waits for a place among those at once. */
export interface Wait extends Waiting {
  readonly charges: readonly Charge[];
  /** Monotonic: it waits no longer, whatever the queue would allow. */
  readonly deadlineAtMs: number;
  /** Nobody else listens to it meanwhile. */
  readonly control: CallControl;
}

export type Waited =
  | Taken
  /** The call ended from outside. */
  | { readonly kind: "gone" };

type Denied = Extract<Taken, { readonly kind: "denied" }>;

interface Waiter extends Wait {
  denied: Denied;
  queue: Queue;
  ended: boolean;
  readonly tell: (waited: Waited) => void;
  cancel: () => void;
}

interface Queue {
  readonly meter: Meter;
  readonly line: FairQueue<Waiter>;
  /** The head's charges are being asked for. */
  asking: boolean;
  /** A place became free meanwhile. */
  again: boolean;
}

/** Places that other workers free are looked for so often, ms. */
const lookMs = 50;

/** How queues have ended for their calls, for metrics. */
export interface QueueCounts {
  served: number;
  refused: number;
  gone: number;
}

/**
 * Where calls of this process wait for a place at an account that has all its calls at once: bounded in number and time by
 * the account's own rule. Whoever comes while others wait does not overtake them.
 */
export class WaitingRoom {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queue>();
  readonly counts: QueueCounts = { served: 0, refused: 0, gone: 0 };
  #cancelLook: (() => void) | undefined;

  constructor({ accounts, clock }: { readonly accounts: Accounts; readonly clock: Clock }) {
    this.#accounts = accounts;
    this.#clock = clock;
  }

  get size(): number {
    let size = 0;
    for (const { line } of this.#queues.values()) size += line.size;
    return size;
  }

  /** As of the accounts, but denied where others wait for the same. */
  take(charges: readonly Charge[]): Taken | Promise<Taken> {
    const busy = charges.find(({ meter }) => this.#queues.has(meter.id));
    return busy === undefined ? this.#accounts.take(charges) : { kind: "denied", meter: busy.meter, remaining: 0 };
  }

  /** After `denied`: resolves once, with what was taken, with the denial that holds, or when the call is over. */
  wait(denied: Denied, asked: Wait): Promise<Waited> {
    const { promise, resolve } = Promise.withResolvers<Waited>();
    const rule = denied.meter.queue;
    const nowMs = this.#clock.nowMs();
    const waitMs = Math.min(rule?.waitMs ?? 0, asked.deadlineAtMs - nowMs);
    if (rule === undefined || waitMs <= 0) return Promise.resolve(denied);
    const full = this.#queueOf(denied.meter).line;
    if (full.size >= rule.most) {
      const outranked = full.outrankedBy(asked);
      if (outranked === undefined) {
        this.counts.refused += 1;
        return Promise.resolve(denied);
      }
      this.#end(outranked, outranked.denied);
    }
    const queue = this.#queueOf(denied.meter);
    const waiter: Waiter = { ...asked, denied, queue, ended: false, tell: resolve, cancel: () => {} };
    queue.line.add(waiter);
    waiter.cancel = this.#clock.timer(waitMs, () => this.#end(waiter, waiter.denied));
    asked.control.listen(() => this.#end(waiter, { kind: "gone" }));
    // A place may have become free since it was denied, when nobody was there to be told.
    this.#serve(queue);
    this.#lookLater();
    return promise;
  }

  settle(charges: readonly Charge[], atS: number, used: readonly number[]): void {
    this.#accounts.settle(charges, atS, used);
    for (const { meter } of charges) {
      const queue = meter.unit === "slots" ? this.#queues.get(meter.id) : undefined;
      if (queue !== undefined) this.#serve(queue);
    }
  }

  #serve(queue: Queue): void {
    if (queue.asking) {
      queue.again = true;
      return;
    }
    for (let head = queue.line.head(); head !== undefined; head = queue.line.head()) {
      const taken = this.#accounts.take(head.charges);
      if (taken instanceof Promise) {
        this.#serveLater(queue, head, taken);
        return;
      }
      if (!this.#conclude(head, taken)) return;
    }
    this.#forget(queue);
  }

  #serveLater(queue: Queue, head: Waiter, taking: Promise<Taken>): void {
    queue.asking = true;
    queue.again = false;
    const conclude = (taken: Taken): void => {
      queue.asking = false;
      const goesOn = this.#conclude(head, taken);
      if (goesOn || queue.again) this.#serve(queue);
    };
    taking.then(conclude, (error: unknown) => conclude({ kind: "unreachable", why: (error as Error).message }));
  }

  /** Whether the next in line is to be looked at. */
  #conclude(head: Waiter, taken: Taken): boolean {
    if (head.ended) {
      if (taken.kind === "taken") {
        const back = head.charges.map(({ meter, amount }) => (meter.unit === "requests" ? amount : 0));
        this.#accounts.settle(head.charges, taken.atS, back);
      }
      return true;
    }
    if (taken.kind === "taken") {
      head.queue.line.served(head);
      this.#end(head, taken);
      return true;
    }
    if (taken.kind !== "denied" || taken.meter.unit !== "slots" || taken.meter.queue === undefined) {
      this.#end(head, taken);
      return true;
    }
    head.denied = taken;
    if (taken.meter.id === head.queue.meter.id) return false;
    // It has a place here and none there: others need not wait behind it.
    head.queue.line.remove(head);
    head.queue = this.#queueOf(taken.meter);
    head.queue.line.add(head);
    return true;
  }

  #end(waiter: Waiter, waited: Waited): void {
    if (waiter.ended) return;
    waiter.ended = true;
    waiter.cancel();
    waiter.queue.line.remove(waiter);
    this.#forget(waiter.queue);
    if (waited.kind !== "gone") waiter.control.listen(undefined);
    this.counts[waited.kind === "taken" ? "served" : waited.kind === "gone" ? "gone" : "refused"] += 1;
    waiter.tell(waited);
  }

  #queueOf(meter: Meter): Queue {
    let queue = this.#queues.get(meter.id);
    if (queue === undefined) {
      queue = { meter, line: new FairQueue(), asking: false, again: false };
      this.#queues.set(meter.id, queue);
    }
    return queue;
  }

  #forget(queue: Queue): void {
    if (queue.line.size > 0 || this.#queues.get(queue.meter.id) !== queue) return;
    this.#queues.delete(queue.meter.id);
    if (this.#queues.size > 0) return;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #lookLater(): void {
    if (this.#queues.size === 0) return;
    this.#cancelLook ??= this.#clock.timer(lookMs, () => {
      this.#cancelLook = undefined;
      // Whoever is sent from one queue to another was just looked at.
      const now = [...this.#queues.values()];
      for (const queue of now) this.#serve(queue);
      this.#lookLater();
    });
  }
}
