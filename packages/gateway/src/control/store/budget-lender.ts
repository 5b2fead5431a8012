import type { Lender, Lent, Meter, Return, Want } from "#domain/account";
import type { Clock } from "#domain/ports";
import {
  forgetPeriods,
  lockBudgets,
  ownBudgets,
  renewLease,
  writeLoans,
  writeSpent,
  type BudgetRow,
} from "./budget-rows.ts";
import { BudgetView, lendAll, OpenBudget } from "./budget-view.ts";
import type { Sql, SqlReader, SqlStore } from "./sql.ts";

export interface BudgetLenderOptions {
  readonly store: Pick<SqlStore, "transaction">;
  /** This node's name, the same over restarts. */
  readonly node: string;
  readonly clock: Clock;
  /** What this node's own ledger has of a budget since this moment (ms since 1970), nano-dollars. */
  readonly spentHere: (meter: Meter, sinceMs: number) => number;
  /** The same of all nodes, by the ledger they share. Asked once for each budget, in the period that it is new in. */
  readonly spentByAll: (sql: SqlReader, meter: Meter, sinceMs: number) => Promise<number>;
  /** Told as in a node's own book, of what this node spent: how much it was before and after, over all nodes. */
  readonly onSpent?: (meter: Meter, beforeNanoUsd: number, afterNanoUsd: number) => void;
  /** Told when the database stops answering, with why, and when it answers again. */
  readonly onReach?: (why: string | undefined) => void;
}

/** Whoever wants to borrow waits no longer, ms; workers wait for a second. */
const answerWithinMs = 600;
/** What was spent and given back is told so often, ms; with a question at once. */
const tellEveryMs = 250;
/** After a failure nobody asks for so long, ms: it doubles up to the second. */
const [shortestPauseMs, longestPauseMs] = [100, 2_000];
const leaseMs = 10_000;
/** So long after its start a node looks for what an earlier run of it had, ms. */
const settleEarlierMs = 60_000;
const renewEveryMs = 3_000;
/** Of one transaction. */
const [mostAsked, mostMeters] = [64, 128];
/** Budgets that are kept in mind; beyond it those leave of which this node has nothing. */
const mostViews = 200_000;
const forgetAfterMs = 400 * 86_400_000;
const tidyEveryMs = 3_600_000;

interface Asked {
  readonly wants: readonly Want[];
  readonly tell: (lent: Lent) => void;
  over: boolean;
}

/**
 * Budgets that several nodes share, in a database: all of a question or nothing, exactly, whoever asks at the same time.
 * Without the database nothing is lent; whoever asks is told within 600 ms. What a node had that is gone counts as spent
 * ten seconds later, until it is back and says what it was.
 */
export class BudgetLender implements Lender {
  readonly #options: BudgetLenderOptions;
  readonly #startedMs: number;
  readonly #views = new Map<string, BudgetView>();
  #asked: Asked[] = [];
  #running: Promise<void> | undefined;
  #nodes = 1;
  #leaseAtMs = Number.NEGATIVE_INFINITY;
  #tidyAtMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;
  #isLate = false;
  #isLost = false;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #cancelTelling: (() => void) | undefined;
  #cancelRenewal: (() => void) | undefined;
  #closed = false;

  constructor(options: BudgetLenderOptions) {
    this.#options = options;
    this.#startedMs = options.clock.wallMs();
    this.#renewLater();
  }

  borrow(wants: readonly Want[]): Promise<Lent> {
    if (this.#isPaused || this.#isLate) return Promise.resolve(this.#without(wants));
    return new Promise((resolve) => {
      const cancel = this.#options.clock.timer(answerWithinMs, () => {
        asked.over = true;
        // Who comes now would wait as long, for the same answer.
        this.#isLate = true;
        this.#unreached("it does not answer in time");
        resolve(this.#without(wants));
      });
      const asked: Asked = {
        wants,
        over: false,
        tell(lent) {
          cancel();
          resolve(lent);
        },
      };
      this.#asked.push(asked);
      this.#run();
    });
  }

  /** A budget of which what this node's ledger has is told: from then on its new records are news. */
  counted(id: string): Meter | undefined {
    const view = this.#views.get(id);
    return view?.isSeen === true ? view.meter : undefined;
  }

  giveBack(returns: readonly Return[]): void {
    for (const each of returns) this.#viewOf(each.meter).take(each);
    this.#tellLater();
  }

  /** The last word: everything that was given back and spent is told, if that takes no longer than two seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTelling?.();
    this.#cancelRenewal?.();
    await this.#running;
    this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
    this.#run();
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.timer(2_000, () => late.resolve());
    await Promise.race([this.#running, late.promise]);
    cancel();
  }

  get #isPaused(): boolean {
    return this.#options.clock.nowMs() < this.#pausedUntilMs;
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      // Somebody asked in the moment after the last look.
      if (this.#asked.length > 0) this.#run();
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      const asked = this.#nextAsked();
      const views = this.#viewsFor(asked);
      if (views.length === 0 && !this.#isLeaseDue) return;
      try {
        await this.#step(asked, views);
        this.#reached();
      } catch (error) {
        this.#failed(asked, error as Error);
        return;
      }
    }
  }

  /** What only warns holds nobody up: it is counted when the database answers again. */
  #without(wants: readonly Want[]): Lent {
    if (wants.some(({ meter }) => meter.soft !== true)) return unreachable;
    for (const { meter, need } of wants) {
      const view = this.#viewOf(meter);
      view.lent += need;
      view.dirty = true;
    }
    return { kind: "lent", amounts: wants.map(({ need }) => need) };
  }

  /** Those that still wait; as many as fit into a transaction. */
  #nextAsked(): readonly Asked[] {
    this.#asked = this.#asked.filter(({ over }) => !over);
    return this.#asked.splice(0, mostAsked);
  }

  #viewsFor(asked: readonly Asked[]): readonly BudgetView[] {
    const views = new Set(asked.flatMap(({ wants }) => wants.map(({ meter }) => this.#viewOf(meter))));
    for (const view of this.#views.values()) {
      if (views.size >= mostMeters) break;
      if (view.dirty) views.add(view);
    }
    return [...views];
  }

  async #step(asked: readonly Asked[], views: readonly BudgetView[]): Promise<void> {
    const { store } = this.#options;
    for (const view of views) view.dirty = false;
    const done = await store.transaction(async (sql) => {
      if (this.#isLeaseDue) {
        await this.#renew(sql);
        await this.#findOwn(sql);
      }
      return this.#lendIn(sql, asked, views);
    });
    for (const budget of done.open.values()) {
      const { view, telling, before, spent } = budget;
      view.wasTold(telling);
      if (telling > 0) this.#options.onSpent?.(view.meter, before, spent);
    }
    for (const [index, each] of asked.entries()) {
      const lent = done.lents[index] ?? unreachable;
      // Who does not wait any more has nothing: what stands in the database for it is taken out with the next word.
      if (lent.kind === "lent") this.#note(each, lent.amounts);
      each.tell(lent);
    }
  }

  #note({ wants, over }: Asked, amounts: readonly number[]): void {
    for (const [index, { meter }] of wants.entries()) {
      const view = this.#viewOf(meter);
      if (over) view.dirty = true;
      else view.lent += amounts[index] ?? 0;
    }
  }

  async #lendIn(sql: Sql, asked: readonly Asked[], views: readonly BudgetView[]) {
    const { node, clock } = this.#options;
    const open = new Map<string, OpenBudget>();
    if (views.length === 0) return { open, lents: [] };
    const wallMs = clock.wallMs();
    const meters = views.map(({ meter }) => meter);
    for (const row of await lockBudgets(sql, meters, wallMs)) {
      const view = this.#viewOf(row.meter);
      await this.#see(sql, row, view);
      open.set(row.meter.id, new OpenBudget({ row, view, node, wallMs }));
    }
    const lents = asked.map(({ wants }) => lendAll(wants, open, { nodes: this.#nodes, wallMs }));
    const budgets = [...open.values()];
    await writeSpent(
      sql,
      budgets.map(({ row, spent }) => ({ ...row, spent })),
    );
    await writeLoans(
      sql,
      budgets.flatMap((budget) => budget.loans(node)),
    );
    return { open, lents };
  }

  /** A period that began while this node runs began with nothing; of an older one the ledgers tell. */
  async #see(sql: Sql, row: BudgetRow, view: BudgetView): Promise<void> {
    const { node, spentHere, spentByAll } = this.#options;
    const isOlder = row.periodStart <= this.#startedMs;
    const own = row.loans.find((loan) => loan.node === node);
    view.see(row, own, () => (isOlder ? spentHere(row.meter, row.periodStart) : 0));
    row.spent ??= isOlder ? await spentByAll(sql, row.meter, row.periodStart) : 0;
  }

  /** What an earlier run of this node had is nobody's any more, whether or not anybody here asks for it again. */
  async #findOwn(sql: Sql): Promise<void> {
    // The last word of an earlier run may come after the first of this one, from a database that hung.
    if (this.#options.clock.wallMs() > this.#startedMs + settleEarlierMs) return;
    for (const { meter, has } of await ownBudgets(sql, this.#options.node)) {
      const known = this.#views.get(meter.id);
      if (known === undefined) this.#viewOf(meter).dirty = true;
      else if (has && known.lent === 0) known.dirty = true;
    }
  }

  get #isLeaseDue(): boolean {
    return this.#options.clock.nowMs() >= this.#leaseAtMs + renewEveryMs;
  }

  async #renew(sql: Sql): Promise<void> {
    const { node, clock } = this.#options;
    this.#nodes = await renewLease(sql, node, { wallMs: clock.wallMs(), leaseMs });
    this.#leaseAtMs = clock.nowMs();
    if (clock.nowMs() < this.#tidyAtMs + tidyEveryMs) return;
    this.#tidyAtMs = clock.nowMs();
    await forgetPeriods(sql, clock.wallMs() - forgetAfterMs);
  }

  #failed(asked: readonly Asked[], error: Error): void {
    const { clock } = this.#options;
    this.#unreached(error.message);
    this.#isLate = false;
    this.#pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, this.#pauseMs * 2));
    this.#pausedUntilMs = clock.nowMs() + this.#pauseMs;
    this.#leaseAtMs = Number.NEGATIVE_INFINITY;
    const waiting = [...asked, ...this.#asked];
    this.#asked = [];
    for (const { wants, over, tell } of waiting) if (!over) tell(this.#without(wants));
    // Whether the database has what was said nobody knows: it is said again.
    for (const view of this.#views.values()) view.dirty = true;
    this.#tellLater();
  }

  #unreached(why: string): void {
    if (!this.#isLost) this.#options.onReach?.(why);
    this.#isLost = true;
  }

  #reached(): void {
    this.#isLate = false;
    this.#pauseMs = 0;
    if (this.#isLost) this.#options.onReach?.(undefined);
    this.#isLost = false;
  }

  #tellLater(): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#cancelTelling ??= clock.timer(Math.max(tellEveryMs, this.#pausedUntilMs - clock.nowMs()), () => {
      this.#cancelTelling = undefined;
      this.#run();
    });
  }

  #renewLater(): void {
    this.#cancelRenewal = this.#options.clock.timer(renewEveryMs, () => {
      if (this.#closed) return;
      if (!this.#isPaused) this.#run();
      this.#renewLater();
    });
  }

  #viewOf(meter: Meter): BudgetView {
    let view = this.#views.get(meter.id);
    if (view === undefined) {
      if (this.#views.size >= mostViews) this.#forgetIdle();
      this.#views.set(meter.id, (view = new BudgetView(meter)));
    }
    view.meter = meter;
    return view;
  }

  #forgetIdle(): void {
    for (const [id, view] of this.#views) if (view.isIdle) this.#views.delete(id);
  }
}

const unreachable: Lent = {
  kind: "unreachable",
  why: "the database that counts the budgets of all nodes did not answer",
};
