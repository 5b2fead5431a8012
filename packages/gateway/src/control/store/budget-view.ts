import type { Lent, Meter, Return, Want } from "#domain/account";
import { periodAt } from "#ledger/budget-period";
import type { BudgetRow, LoanRow, WrittenLoan } from "./budget-rows.ts";

/**
 * What one node knows of its own part in a budget. It is the only one who knows, and says it whole each time: whether the
 * database took what was said before the connection broke is then of no importance.
 */
export class BudgetView {
  /** As it was asked for last: a limit may change while it is counted. */
  meter: Meter;
  /** Lent to this node and neither spent nor given back, nano-dollars. */
  lent = 0;
  /** Something has changed that the database was not told. */
  dirty = false;
  /** Spent in this period and told, and spent and not told yet. */
  #told = 0;
  #untold = 0;
  #periodStart: number | undefined;

  constructor(meter: Meter) {
    this.meter = meter;
  }

  take({ back, spent }: Return): void {
    this.lent -= back + spent;
    this.#untold += spent;
    this.dirty = true;
  }

  get untold(): number {
    return this.#untold;
  }

  /** What this node's own ledger had of it is taken over. */
  get isSeen(): boolean {
    return this.#periodStart !== undefined;
  }

  get isIdle(): boolean {
    return this.lent === 0 && this.#untold === 0 && !this.dirty;
  }

  /** So much of what was not told has been told now. */
  wasTold(amount: number): void {
    this.#told += amount;
    this.#untold -= amount;
  }

  /**
   * Sees the budget for the first time in this run, or in a new period. `spentHere`: what this node's own ledger has of
   * the period, where it began before the run did: what an earlier run spent and could not tell any more is told now.
   */
  see({ periodStart, spent }: BudgetRow, own: LoanRow | undefined, spentHere: () => number): void {
    if (this.#periodStart === periodStart) return;
    const isFirst = this.#periodStart === undefined;
    this.#periodStart = periodStart;
    this.#told = 0;
    if (!isFirst) return;
    const here = spentHere();
    // Where nobody counted before, or others did and this node had no part, the ledger of all had what is here.
    if (own === undefined || spent === undefined) this.#told = here;
    else {
      this.#told = own.reportedIn === periodStart ? own.reported : 0;
      // Less, where an earlier run took for spent what a dead worker had, and its journal says otherwise now.
      this.#untold += here - this.#told;
    }
  }

  /** What was spent in the period by this node, and what of it the database does not know. */
  news({ periodStart }: BudgetRow, own: LoanRow | undefined): { readonly reported: number; readonly delta: number } {
    const reported = this.#told + this.#untold;
    const known = own === undefined ? this.#told : own.reportedIn === periodStart ? own.reported : 0;
    return { reported, delta: reported - known };
  }
}

/** A budget in a transaction: what was read of it, and what becomes of it. */
export class OpenBudget {
  readonly row: BudgetRow;
  readonly view: BudgetView;
  readonly before: number;
  /** What of the view is told with this. */
  readonly telling: number;
  /** Rows of other nodes whose leases had ended. */
  readonly #presumed: LoanRow[] = [];
  spent: number;
  granted = 0;
  /** Of the same moment as what is told: what is given back while this runs is told with the next. */
  readonly #lent: number;
  readonly #reported: number;
  readonly #ofOthers: number;

  constructor({ row, view, node, wallMs }: { row: BudgetRow; view: BudgetView; node: string; wallMs: number }) {
    this.row = row;
    this.view = view;
    this.telling = view.untold;
    this.#lent = view.lent;
    const own = row.loans.find((loan) => loan.node === node);
    this.before = row.spent ?? 0;
    const { reported, delta } = view.news(row, own);
    this.#reported = reported;
    // Others took for spent what this node had: it lives, and says itself what it has.
    const undone = own !== undefined && own.presumedIn === row.periodStart ? own.presumed : 0;
    this.spent = this.before + delta - undone;
    let ofOthers = 0;
    for (const loan of row.loans) {
      if (loan.node === node || loan.lent === 0) continue;
      if (loan.untilMs >= wallMs) ofOthers += loan.lent;
      else this.#presume(loan);
    }
    this.#ofOthers = ofOthers;
  }

  get free(): number {
    return this.view.meter.limit - this.spent - this.#ofOthers - this.#lent - this.granted;
  }

  /** What is to be written: the node's own part, and those that were taken for spent. */
  loans(node: string): readonly WrittenLoan[] {
    const meter = this.view.meter.id;
    const lent = this.#lent + this.granted;
    const reportedIn = this.row.periodStart;
    const own = { node, lent, reported: this.#reported, reportedIn, presumed: 0, presumedIn: 0 };
    return [{ meter, loan: own }, ...this.#presumed.map((loan) => ({ meter, loan }))];
  }

  /** Nobody knows what a node spent that is gone: all it had, until it is back and says how much. */
  #presume(loan: LoanRow): void {
    this.spent += loan.lent;
    loan.presumed = loan.lent + (loan.presumedIn === this.row.periodStart ? loan.presumed : 0);
    loan.presumedIn = this.row.periodStart;
    loan.lent = 0;
    this.#presumed.push(loan);
  }
}

/** All wants are met, or nothing is lent of any. */
export function lendAll(
  wants: readonly Want[],
  open: ReadonlyMap<string, OpenBudget>,
  { nodes, wallMs }: { readonly nodes: number; readonly wallMs: number },
): Lent {
  for (const { meter, need } of wants) {
    const free = open.get(meter.id)?.free ?? 0;
    if (need <= free || meter.soft === true) continue;
    const { endMs } = periodAt(meter.period ?? "total", wallMs);
    return {
      kind: "denied",
      meter,
      remaining: Math.max(0, free),
      ...(Number.isFinite(endMs) ? { resetMs: endMs - wallMs } : {}),
    };
  }
  const parts = 2 * Math.max(1, nodes);
  const amounts = wants.map(({ meter, need, like }) => {
    const budget = open.get(meter.id);
    const beyond = Math.max(0, (budget?.free ?? 0) - need);
    const extra = meter.soft === true ? like : Math.min(like, Math.floor(beyond / parts));
    // In whole calls like this one: what is less than a call lies about for nobody.
    const amount = need + (need === 0 ? extra : Math.floor(extra / need) * need);
    if (budget !== undefined) budget.granted += amount;
    return amount;
  });
  return { kind: "lent", amounts, left: wants.map(({ meter }) => Math.max(0, open.get(meter.id)?.free ?? 0)) };
}
