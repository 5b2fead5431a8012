import { budgetPeriods, type AccountId, type Lent, type Meter, type Return, type Want } from "#domain/account";
import type { LendingSource } from "./node-lender.ts";
import type { Purse } from "./purse.ts";

export interface BorrowedMoneyOptions {
  /** What the node itself has borrowed from whoever counts for all nodes. */
  readonly purse: Purse;
  /** How many borrow here. */
  readonly holders: () => number;
  /**
   * By id, a budget of which whoever counts for all nodes has taken over what this node's ledger has: what comes into that
   * later is to be told, and what was in it before is not to be told twice. Absent: every budget that was asked for here.
   */
  readonly counted?: (id: string) => Meter | undefined;
}

/**
 * Budgets that a node shares with others: it lends to its workers what it has borrowed itself, and borrows more where that
 * is too little.
 */
export class BorrowedMoney implements LendingSource {
  readonly #options: BorrowedMoneyOptions;
  /** By holder and meter: what it has and did not report, nano-dollars. */
  readonly #loans = new Map<string, Map<string, { readonly meter: Meter; amount: number }>>();
  /** Budgets that were asked for, by account; as many as the purse has pockets, and those of a supervisor's life. */
  readonly #known = new Map<string, Meter>();

  constructor(options: BorrowedMoneyOptions) {
    this.#options = options;
  }

  async borrow(holder: string, wants: readonly Want[]): Promise<Lent> {
    const { purse } = this.#options;
    for (const { meter } of wants) this.#known.set(meter.id, meter);
    const taken = await purse.take(wants.map(({ meter, need }) => ({ meter, amount: need })));
    if (taken.kind !== "taken") return taken;
    const amounts = wants.map(({ meter, need, like }) => need + this.#extra(meter, need, like));
    for (const [index, { meter }] of wants.entries()) this.#change(holder, meter, amounts[index] ?? 0);
    const left = wants.map(({ meter }) => purse.left(meter) ?? 0);
    return { kind: "lent", amounts, left };
  }

  giveBack(holder: string, returns: readonly Return[]): void {
    for (const { meter, back, spent } of returns) {
      this.#change(holder, meter, -back - spent);
      this.#options.purse.settle([{ meter, amount: back + spent }], 0, [spent]);
    }
  }

  drop(holder: string): ReadonlyMap<Meter, number> {
    const lost = new Map<Meter, number>();
    for (const { meter, amount } of this.#loans.get(holder)?.values() ?? []) {
      lost.set(meter, amount);
      this.#options.purse.settle([{ meter, amount }], 0, [0]);
    }
    this.#loans.delete(holder);
    return lost;
  }

  othersWith(holder: string, meters: readonly Meter[]): readonly string[] {
    return [...this.#loans].flatMap(([other, loans]) =>
      other !== holder && meters.some(({ id }) => loans.has(id)) ? [other] : [],
    );
  }

  /** Money that was paid and that nobody reported, or (below zero) that was taken for paid and was not. */
  note(meter: Meter, spentNanoUsd: number): void {
    this.#options.purse.settle([{ meter, amount: 0 }], 0, [spentNanoUsd]);
  }

  /** The same in all budgets of an account that were asked for here. Of others the ledgers tell. */
  noteFor(account: AccountId, spentNanoUsd: number): void {
    const { counted = (id: string) => this.#known.get(id) } = this.#options;
    for (const period of budgetPeriods) {
      for (const id of [`${account} usd/${period}`, `${account} usd/${period} soft`]) {
        const meter = counted(id);
        if (meter !== undefined) this.note(meter, spentNanoUsd);
      }
    }
  }

  /** Of what lies here unused, a part, in whole calls like this one. */
  #extra(meter: Meter, need: number, like: number): number {
    const { purse, holders } = this.#options;
    const most = Math.min(like, Math.floor(purse.free(meter) / Math.max(1, holders())));
    const extra = need > 0 ? Math.floor(most / need) * need : most;
    if (extra <= 0) return 0;
    const taken = purse.take([{ meter, amount: extra }]);
    // What is there is taken in this very turn; anything else would be a question to somebody, and nobody waits for it.
    return "kind" in taken && taken.kind === "taken" ? extra : 0;
  }

  #change(holder: string, meter: Meter, by: number): void {
    let loans = this.#loans.get(holder);
    if (loans === undefined) this.#loans.set(holder, (loans = new Map()));
    const amount = (loans.get(meter.id)?.amount ?? 0) + by;
    if (amount === 0) loans.delete(meter.id);
    else loans.set(meter.id, { meter, amount });
  }
}
