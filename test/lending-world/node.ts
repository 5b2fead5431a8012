import type { Meter } from "#domain/account";
import type { CallRecord } from "#domain/record";
import type { NodeLender } from "#ledger/node-lender";
import { BudgetLender } from "#control/store/budget-lender";
import type { SqlStore } from "#control/store/sql";
import { NodeAccounts } from "#planes/node-accounts";
import type { WorkerMessage } from "#planes/messages";
import type { VirtualClock } from "#simulation/virtual-clock";
import type { Chance } from "../simulation-world/chance.ts";
import type { Bounds } from "./bounds.ts";
import { ProcessClock } from "./processes.ts";
import { recordOf, Worker, type Above, type Metered } from "./worker.ts";

export interface NodeParts {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly bounds: Bounds;
  readonly metered: Metered;
  readonly workers: number;
  /** Where several nodes count their budgets; absent: each for itself. */
  readonly shared?: {
    readonly store: Pick<SqlStore, "transaction">;
    readonly spentByAll: (meter: Meter) => number;
  };
}

/** A supervisor: it lends, follows journals and starts workers again. */
class Supervisor implements Above {
  readonly clock: ProcessClock;
  readonly name: string;
  readonly lender: NodeLender;
  readonly accounts: NodeAccounts;
  readonly #node: Node;

  constructor(node: Node, name: string) {
    const { clock, workers, shared } = node.parts;
    this.#node = node;
    this.name = name;
    this.clock = new ProcessClock(clock);
    const spentBefore = (meter: Meter): number => node.spent(meter);
    const money =
      shared === undefined
        ? undefined
        : () =>
            new BudgetLender({
              store: {
                transaction: (work) =>
                  // A dead process begins nothing more; what it has begun the database may end.
                  shared.store.transaction((sql) =>
                    this.clock.alive ? work(sql) : Promise.reject(new Error("the process is gone")),
                  ),
              },
              node: node.parts.name,
              clock: this.clock,
              spentHere: spentBefore,
              spentByAll: async (_sql, meter) => shared.spentByAll(meter),
            });
    this.accounts = new NodeAccounts({
      clock: this.clock,
      workers,
      spentBefore,
      tell: () => {},
      ...(money === undefined ? {} : { shared: { money } }),
    });
    this.lender = this.accounts.lender((holder, meters, id) => {
      const worker = node.live.find(({ journal, above }) => journal === holder && above === this);
      if (worker === undefined) this.lender.returned(holder, id);
      else worker.tell({ kind: "recall", id, meters });
    });
    this.#followLater();
  }

  receive(worker: Worker, message: WorkerMessage): void {
    // What a dead worker said last comes after its end.
    const isHere = (): boolean => worker.clock.alive;
    if (message.kind === "returned") this.lender.returned(worker.journal, message.id);
    if (message.kind === "give-back" && isHere()) this.lender.giveBack(worker.journal, message.returns);
    if (message.kind !== "borrow" || !isHere()) return;
    void this.#lend(worker, message);
  }

  async #lend(worker: Worker, { id, wants }: Extract<WorkerMessage, { readonly kind: "borrow" }>): Promise<void> {
    const lent = await this.lender.borrow(worker.journal, wants);
    if (!this.clock.alive) return;
    if (worker.clock.alive) worker.tell({ kind: "lent", id, lent });
    else if (lent.kind === "lent") this.#takeBack(worker);
  }

  /** It died while others were asked: where its end was seen already, it never had this. */
  #takeBack(worker: Worker): void {
    if (this.#node.hasEnded(worker)) this.lender.drop(worker.journal);
  }

  #followLater(): void {
    this.clock.timer(500, () => {
      if (!this.#node.parts.chance.happens(0.1)) this.#node.follow(this);
      this.#followLater();
    });
  }
}

/** One machine: a supervisor, its workers, those of supervisors before it, and a disk. */
export class Node {
  readonly parts: NodeParts;
  /** All there ever were: their journals are on the disk. */
  readonly workers: Worker[] = [];
  readonly ledger: CallRecord[] = [];
  readonly #read = new Map<string, number>();
  readonly #closed = new Set<string>();
  /** Whose end their supervisor has seen. */
  readonly #ended = new Set<Worker>();
  #supervisor: Supervisor | undefined;
  #starts = 0;

  constructor(parts: NodeParts) {
    this.parts = parts;
    this.start();
  }

  get live(): readonly Worker[] {
    return this.workers.filter(({ clock }) => clock.alive);
  }

  /** Of the supervisor there is: those who take new calls. */
  get serving(): readonly Worker[] {
    return this.live.filter(({ above }) => above === this.#supervisor || !above.clock.alive);
  }

  get isUp(): boolean {
    return this.#supervisor !== undefined;
  }

  spent({ account }: Meter): number {
    const of = account.startsWith("model:") ? "model:p/m" : account;
    return ["key:a", "team:t", "model:p/m"].includes(of)
      ? this.ledger.reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0)
      : 0;
  }

  /** A supervisor comes: what is in the journals it reads first. */
  start(): void {
    if (this.#supervisor !== undefined) return;
    this.#starts += 1;
    this.#bring(() => {}, new Set(this.live.map(({ journal }) => journal)));
    this.#supervisor = new Supervisor(this, `${this.parts.name} supervisor-${this.#starts}`);
    for (let worker = 0; worker < this.parts.workers; worker += 1) this.startWorker();
  }

  startWorker(): void {
    const above = this.#supervisor;
    if (above === undefined) return;
    const journal = `${this.parts.name}-w${this.workers.length + 1}`;
    this.workers.push(new Worker({ ...this.parts, journal, above }));
  }

  killWorker(worker: Worker): void {
    worker.kill();
    const above = this.#supervisor;
    if (above === undefined || worker.above !== above) return;
    above.clock.timer(this.parts.chance.whole(0, 5), () => {
      this.dropped(above, worker);
      above.clock.timer(this.parts.chance.whole(50, 800), () => this.startWorker());
    });
  }

  hasEnded(worker: Worker): boolean {
    return this.#ended.has(worker);
  }

  dropped(above: Supervisor, worker: Worker): void {
    const { journal } = worker;
    this.#ended.add(worker);
    above.accounts.ended(journal, above.lender.drop(journal));
  }

  /** Its workers serve on with what they have. */
  killSupervisor(): void {
    this.#supervisor?.clock.kill();
    this.#supervisor = undefined;
    for (const worker of this.live) {
      for (const meter of this.parts.metered.money) {
        // Every call pays the same to all, and of what attempts before cost there is no record yet, either.
        const held = [...worker.open.values()].reduce((sum, { nano }) => sum + nano, 0);
        this.parts.bounds.adrift(meter, Math.max(0, worker.purse.free(meter)) + held);
      }
    }
  }

  /** The machine is gone, and its disk is not. */
  killAll(): void {
    this.#supervisor?.clock.kill();
    this.#supervisor = undefined;
    for (const worker of this.live) worker.kill();
  }

  follow(above: Supervisor): void {
    const growing = new Set(this.live.map(({ journal }) => journal));
    this.#bring((journal, records) => above.accounts.stored(journal, records), growing);
    for (const journal of above.accounts.lostJournals) if (!growing.has(journal)) above.accounts.read(journal);
  }

  #bring(stored: (journal: string, records: readonly CallRecord[]) => void, growing: ReadonlySet<string>): void {
    for (const worker of this.workers) {
      const { journal, records, open } = worker;
      const fresh = records.slice(this.#read.get(journal) ?? 0);
      this.#read.set(journal, records.length);
      this.#put(fresh, (put) => stored(journal, put));
      if (growing.has(journal) || this.#closed.has(journal)) continue;
      this.#closed.add(journal);
      const lost = [...open].map(([id, { nano }]) => recordOf(id, nano, this.parts.clock.wallMs()));
      this.#put(lost, (put) => stored(journal, put));
    }
  }

  #put(records: readonly CallRecord[], stored: (records: readonly CallRecord[]) => void): void {
    if (records.length === 0) return;
    this.ledger.push(...records);
    stored(records);
  }

  /** Calls that were sent and are in no record, or in two. */
  unsettled(): readonly string[] {
    const times = Map.groupBy(this.ledger, ({ id }) => id);
    const twice = [...times].filter(([, records]) => records.length > 1).map(([id]) => `${id} has several records`);
    const none = this.workers.flatMap(({ open }) => [...open.keys()].filter((id) => !times.has(id)));
    return [...twice, ...none.map((id) => `${id} has no record`)];
  }

  /** Everything is given back: a worker that takes what is said to be left must get it, and not one unit more. */
  probe(): Worker {
    this.startWorker();
    const probe = this.workers.at(-1);
    if (probe === undefined) throw new Error("there is no supervisor");
    return probe;
  }
}
