import type { Charge, Meter, Want } from "#domain/account";
import type { CallRecord } from "#domain/record";
import { Purse } from "#ledger/purse";
import { SupervisorLender } from "#planes/borrow-from-supervisor";
import type { SupervisorMessage, WorkerMessage } from "#planes/messages";
import type { VirtualClock } from "#simulation/virtual-clock";
import type { Chance } from "../simulation-world/chance.ts";
import { callRecord } from "../world/sample-record.ts";
import type { Bounds } from "./bounds.ts";
import { Pipe, ProcessClock } from "./processes.ts";

export interface Metered {
  /** Taken when a call is let in. */
  readonly traffic: readonly Meter[];
  /** Taken before each attempt. */
  readonly money: readonly Meter[];
}

/** A supervisor as its workers see it. */
export interface Above {
  readonly clock: ProcessClock;
  /** Where its counts begin anew. */
  readonly name: string;
  receive(worker: Worker, message: WorkerMessage): void;
}

interface WorkerParts {
  readonly journal: string;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly above: Above;
  readonly bounds: Bounds;
  readonly metered: Metered;
}

interface Open {
  readonly charges: readonly Charge[];
  /** Held back for the attempt under way, and what attempts before it cost. */
  readonly nano: number;
}

/** A worker: calls that take, ask, settle and are recorded, until it is killed. */
export class Worker {
  readonly journal: string;
  readonly clock: ProcessClock;
  /** What is on disk, and outlives the process. */
  readonly records: CallRecord[] = [];
  readonly open = new Map<string, Open>();
  readonly purse: Purse;
  readonly above: Above;
  readonly #parts: WorkerParts;
  readonly #lender: SupervisorLender;
  readonly #up: Pipe<WorkerMessage>;
  readonly #down: Pipe<SupervisorMessage>;
  /** Asked for, and not answered yet. */
  readonly #wants = new Map<number, readonly Want[]>();
  calls = 0;
  /** Taken at the moment, by call. */
  readonly #inside = new Map<string, readonly Charge[]>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { journal, above, chance } = parts;
    this.journal = journal;
    this.above = above;
    this.clock = new ProcessClock(parts.clock);
    const delayMs = (): number => {
      if (chance.happens(0.01)) return chance.whole(300, 1_800);
      return chance.happens(0.03) ? chance.whole(5, 300) : chance.whole(0, 2);
    };
    this.#up = new Pipe<WorkerMessage>({ from: this.clock, to: above.clock, delayMs }, (message) =>
      above.receive(this, message),
    );
    this.#down = new Pipe({ from: above.clock, to: this.clock, delayMs }, (message) => this.#receive(message));
    const say = (message: WorkerMessage): boolean => {
      if (message.kind === "borrow") this.#wants.set(message.id, message.wants);
      return this.#up.say(message);
    };
    this.#lender = new SupervisorLender({ say, clock: this.clock, onAlone: () => {} });
    this.purse = new Purse({ lender: this.#lender, clock: this.clock });
  }

  tell(message: SupervisorMessage): void {
    this.#down.say(message);
  }

  #receive(message: SupervisorMessage): void {
    if (message.kind === "lent") {
      this.#adrift(message);
      this.#lender.answered(message);
    }
    if (message.kind !== "recall") return;
    this.purse.recall(message.meters);
    this.#up.say({ kind: "returned", id: message.id });
  }

  /** The last that a supervisor lent before it died. */
  #adrift({ id, lent }: Extract<SupervisorMessage, { readonly kind: "lent" }>): void {
    const wants = this.#wants.get(id) ?? [];
    this.#wants.delete(id);
    if (this.above.clock.alive || lent.kind !== "lent") return;
    for (const [index, { meter }] of wants.entries()) this.#parts.bounds.adrift(meter, lent.amounts[index] ?? 0);
  }

  /** Never rejects; a call of a killed worker never ends. */
  async call(): Promise<void> {
    const { chance, metered, bounds, journal, above } = this.#parts;
    const id = `${journal}-${(this.calls += 1)}`;
    const charges = metered.traffic.map((meter) => ({ meter, amount: meter.unit === "tokens" ? 20 : 1 }));
    const taken = await this.#alive(this.purse.take(charges));
    if (taken.kind !== "taken") return;
    // Without a supervisor rates and places are counted by nobody, as is written.
    const isCounted = above.clock.alive;
    if (isCounted) bounds.let(above.name, charges, this.clock.nowMs());
    if (isCounted) this.#inside.set(id, charges);
    let paid = 0;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const cost = await this.#attempt(id, paid);
      if (cost === undefined) break;
      paid += cost;
      if (!chance.happens(0.2)) break;
    }
    this.purse.settle(
      charges,
      taken.atS,
      charges.map(({ meter, amount }) => (meter.unit === "tokens" ? chance.whole(1, 30) : amount)),
    );
    if (this.#inside.delete(id)) bounds.over(above.name, charges);
    // The record is on disk a moment after the call has given back what it had.
    await this.clock.sleep(chance.whole(0, 3));
    this.open.delete(id);
    this.records.push(recordOf(id, paid, this.clock.wallMs()));
  }

  /** What it cost; undefined where it was not sent. */
  async #attempt(id: string, paidBefore: number): Promise<number | undefined> {
    const { chance, metered, bounds } = this.#parts;
    const amount = chance.whole(1, 30);
    const charges = metered.money.map((meter) => ({ meter, amount }));
    const taken = await this.#alive(this.purse.take(charges));
    if (taken.kind !== "taken") return undefined;
    this.open.set(id, { charges, nano: paidBefore + amount });
    bounds.sent(charges);
    await this.clock.sleep(chance.happens(0.1) ? chance.whole(1_000, 9_000) : chance.whole(1, 300));
    // Left by its client, failed unused, or dearer than anybody could say before.
    const cost = chance.happens(0.3)
      ? chance.whole(0, amount)
      : chance.happens(0.15)
        ? amount + chance.whole(1, 9)
        : amount;
    bounds.ended(
      charges,
      charges.map(() => cost),
    );
    this.purse.settle(
      charges,
      taken.atS,
      charges.map(() => cost),
    );
    return cost;
  }

  /** A process that was killed does nothing more, whatever it waited for. */
  async #alive<T>(waited: T | Promise<T>): Promise<T> {
    const result = await waited;
    return this.clock.alive ? result : new Promise(() => {});
  }

  kill(): void {
    this.clock.kill();
    for (const charges of this.#inside.values()) this.#parts.bounds.over(this.above.name, charges);
    this.#inside.clear();
  }
}

/** Of a key, its team and one model, which all pay the same. */
export function recordOf(id: string, nano: number, wallMs: number): CallRecord {
  const usage = {
    inputUncached: 1,
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: 1,
    reasoning: 0,
    estimated: false,
  };
  const attempt = {
    target: "p/m",
    provider: "p",
    model: "m",
    credential: "p#1",
    outcome: "answered",
    startedMs: 0,
    endedMs: 1,
  } as const;
  return callRecord(id, {
    at: new Date(wallMs).toISOString(),
    caller: "a",
    team: "t",
    costNanoUsd: nano,
    attempts: [{ ...attempt, usage, costNanoUsd: nano }],
  });
}
