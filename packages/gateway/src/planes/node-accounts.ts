import type { AccountId, Meter, Return } from "#domain/account";
import { payerOf } from "#domain/gateway-key";
import type { Clock } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import { lendFrom } from "#ledger/book-source";
import { Book } from "#ledger/book";
import { BorrowedMoney } from "#ledger/borrowed-money";
import { NodeLender, type LendingSource } from "#ledger/node-lender";
import { Purse } from "#ledger/purse";
import { splitByUnit } from "#ledger/split-source";
import type { BudgetAlert } from "./budget-alerts.ts";
import type { Joined } from "./join-nodes.ts";

export interface NodeAccountsOptions {
  readonly clock: Clock;
  readonly workers: number;
  /** What the ledger says was spent of a budget since this moment (ms since 1970), nano-dollars. */
  readonly spentBefore: (meter: Meter, sinceMs: number) => number;
  readonly tell: (alert: BudgetAlert) => void;
  /** Where rates, slots and money are counted for several nodes; what is absent this node counts for itself. */
  readonly shared?: Partial<Pick<Joined, "traffic" | "money">>;
}

/** Money that a worker reported, and that its journal shows, by account: what is in one and not in the other was lost. */
interface Sums {
  readonly reported: Map<string, number>;
  readonly recorded: Map<AccountId, number>;
}

/**
 * The accounts of a node that shares them with no other: what its workers may use, what they spent, and what becomes of
 * what a dead one had.
 */
export class NodeAccounts {
  readonly #options: NodeAccountsOptions;
  readonly #book: Book;
  /** Budgets that are counted for several nodes. */
  readonly #borrowed: BorrowedMoney | undefined;
  /** Of journals of this supervisor's own workers. */
  readonly #sums = new Map<string, Sums>();
  /** Of workers that are gone, until their journals are wholly read: what they may have spent counts as spent. */
  readonly #lost = new Map<string, ReadonlyMap<Meter, number>>();

  constructor(options: NodeAccountsOptions) {
    this.#options = options;
    const { clock, shared, workers } = options;
    const holders = (): number => workers;
    const onSpent = (meter: Meter, before: number, after: number): void => {
      for (const alert of reached(meter, { before, after, wallMs: clock.wallMs() })) options.tell(alert);
    };
    this.#book = new Book({ spentBefore: options.spentBefore, holders, onSpent });
    const lender = shared?.money?.(onSpent);
    if (lender === undefined) return;
    const counted = lender.counted === undefined ? {} : { counted: (id: string) => lender.counted?.(id) };
    this.#borrowed = new BorrowedMoney({ purse: new Purse({ lender, clock }), holders, ...counted });
  }

  lender(recall: (holder: string, meters: readonly string[], id: number) => void): NodeLender {
    const { clock } = this.#options;
    const book = lendFrom(this.#book, clock);
    const [traffic, money] = [this.#options.shared?.traffic ?? book, this.#borrowed ?? book];
    const source = traffic === money ? book : splitByUnit({ traffic, money });
    return new NodeLender({ source: this.#watching(source), clock, recall });
  }

  #watching(source: LendingSource): LendingSource {
    return {
      borrow: (holder, wants) => {
        this.#sumsOf(holder);
        return source.borrow(holder, wants);
      },
      giveBack: (holder, returns) => {
        this.#note(holder, returns);
        source.giveBack(holder, returns);
      },
      drop: (holder) => source.drop(holder),
      othersWith: (holder, meters) => source.othersWith(holder, meters),
    };
  }

  #noteSpent(meter: Meter, nano: number): void {
    if (this.#borrowed === undefined) this.#book.note(meter, nano, this.#options.clock.wallMs());
    else this.#borrowed.note(meter, nano);
  }

  /** A worker is gone. What it had and did not report counts as spent until its journal says how much of it was. */
  ended(journal: string, lost: ReadonlyMap<Meter, number>): void {
    // Also where it had nothing: what it reported may not be in the ledger yet, and is not to be counted twice then.
    this.#lost.set(journal, lost);
    for (const [meter, nano] of lost) this.#noteSpent(meter, nano);
  }

  /** Records are in the ledger now, of the journal of this name. */
  stored(journal: string, records: readonly CallRecord[]): void {
    const sums = this.#sums.get(journal);
    const wallMs = this.#options.clock.wallMs();
    for (const record of records) {
      for (const [account, nano] of costsOf(record)) {
        // A worker of an earlier supervisor, or one that never borrowed, reports to nobody.
        if (sums !== undefined) sums.recorded.set(account, (sums.recorded.get(account) ?? 0) + nano);
        else if (this.#borrowed === undefined) this.#book.noteFor(account, nano, wallMs);
        else this.#borrowed.noteFor(account, nano);
      }
    }
  }

  /** The journal of a worker that is gone is wholly in the ledger. */
  read(journal: string): void {
    const [lost, sums] = [this.#lost.get(journal), this.#sums.get(journal)];
    this.#sums.delete(journal);
    this.#lost.delete(journal);
    if (lost === undefined || sums === undefined) return;
    for (const [meter, nano] of lost) {
      const recorded = sums.recorded.get(meter.account) ?? 0;
      const unreported = recorded - (sums.reported.get(meter.id) ?? 0);
      this.#noteSpent(meter, unreported - nano);
    }
  }

  get lostJournals(): readonly string[] {
    return [...this.#lost.keys()];
  }

  #note(holder: string, returns: readonly Return[]): void {
    const { reported } = this.#sumsOf(holder);
    for (const { meter, spent } of returns) {
      if (meter.unit === "money") reported.set(meter.id, (reported.get(meter.id) ?? 0) + spent);
    }
  }

  #sumsOf(holder: string): Sums {
    let sums = this.#sums.get(holder);
    if (sums === undefined) this.#sums.set(holder, (sums = { reported: new Map(), recorded: new Map() }));
    return sums;
  }
}

/** Each share of a budget that somebody wants to be told of, once in each period: as it is passed. */
function* reached(
  { account, period = "total", limit, alertsAt = [], soft }: Meter,
  { before, after, wallMs }: { readonly before: number; readonly after: number; readonly wallMs: number },
): Iterable<BudgetAlert> {
  const at = new Date(wallMs).toISOString();
  for (const share of alertsAt) {
    if (before >= share * limit || after < share * limit) continue;
    yield {
      kind: "budget",
      account,
      period,
      share,
      spentUsd: after / 1e9,
      limitUsd: limit / 1e9,
      soft: soft === true,
      at,
    };
  }
}

/** What a call cost each of its accounts. */
function* costsOf(record: CallRecord): Iterable<readonly [AccountId, number]> {
  const { costNanoUsd, team, organisation, user, route } = record;
  for (const { provider, target, costNanoUsd: nano } of record.attempts) {
    if (nano === undefined) continue;
    yield [`provider:${provider}`, nano];
    yield [`model:${target}`, nano];
  }
  if (costNanoUsd === undefined) return;
  const payer = payerOf(record);
  yield [`key:${payer}`, costNanoUsd];
  yield [`route:${route}`, costNanoUsd];
  if (team !== undefined) yield [`team:${team}`, costNanoUsd];
  if (organisation !== undefined) yield [`organisation:${organisation}`, costNanoUsd];
  if (user !== undefined) yield [`user:${organisation ?? team ?? payer}/${user}`, costNanoUsd];
}
