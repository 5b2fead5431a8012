/**
 * Who is limited and who pays. A call is charged to all accounts it belongs to, or to none: its key, the key's team and
 * organisation, the end user it names, its route; an attempt also to its provider and its model there.
 */
export type AccountKind = "organisation" | "team" | "key" | "user" | "route" | "provider" | "model";

/** `key:alice`, of an issued key `key:alice:key_5f…` (its id), `team:web`, `model:openai/gpt-5.4` (provider/model). */
export type AccountId = `${AccountKind}:${string}`;

/** What an account may use. Absent: without bound. */
export interface Allowance {
  /** Requests in any minute. */
  readonly rpm?: number;
  /** Tokens in any minute, prompt and answer. */
  readonly tpm?: number;
  /** Requests at once. */
  readonly concurrency?: number;
  /** Of requests at once; absent: nobody waits for a place. */
  readonly queue?: QueueRule;
  readonly budgets?: readonly Budget[];
}

/** How calls may wait where an account has all its calls at once: so long, and so many in each worker. */
export interface QueueRule {
  readonly waitMs: number;
  readonly most: number;
}

export interface Budget {
  /** Integer nano-dollars in each period. */
  readonly limitNanoUsd: number;
  readonly period: BudgetPeriod;
  /** It only warns: calls go on beyond it. */
  readonly soft?: true;
  /** Shares of the limit, 0 to 1, at which somebody is told. */
  readonly alertsAt: readonly number[];
}

/** By the calendar in UTC; a week begins on Monday; `total` never ends. */
export const budgetPeriods = ["hour", "day", "week", "month", "total"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];

/** One bound of one account: what is counted, and up to where. */
export interface Meter {
  /** `key:alice rpm`, `team:web usd/month`: the same for everybody who counts it. */
  readonly id: string;
  readonly account: AccountId;
  /** `requests` and `tokens` in any minute, `slots` at once, `money` in nano-dollars in a period. */
  readonly unit: "requests" | "tokens" | "slots" | "money";
  /** Integer, of the unit. */
  readonly limit: number;
  /** Of money. */
  readonly period?: BudgetPeriod;
  /** Counted, and never a reason to refuse. */
  readonly soft?: true;
  /** Of slots: calls may wait for one. */
  readonly queue?: QueueRule;
  /** Of money: shares of the limit, 0 to 1, at which somebody is told. */
  readonly alertsAt?: readonly number[];
}

/** So much of a meter, of its unit: an integer. */
export interface Charge {
  readonly meter: Meter;
  readonly amount: number;
}

export type Taken =
  /** `atS`: the second of the wall clock, which a correction names. */
  { readonly kind: "taken"; readonly atS: number } | Exclude<Lent, { readonly kind: "lent" }>;

/** Where the calls of a process take from what their accounts may use. */
export interface Accounts {
  /** All charges or none, at once where that is known here. The meters are different ones. */
  take(charges: readonly Charge[]): Taken | Promise<Taken>;
  /** What the charges really came to, in their order: once for each that was taken. */
  settle(charges: readonly Charge[], atS: number, used: readonly number[]): void;
  /** What is left for anybody, as far as is known here; undefined where nothing is. */
  left(meter: Meter): number | undefined;
}

/** What somebody who counts for itself wants of a meter: so much is needed now, and so much more would save asking again. */
export interface Want {
  readonly meter: Meter;
  readonly need: number;
  readonly like: number;
}

export type Lent =
  /** At least the need of each want, in their order. */
  | {
      readonly kind: "lent";
      readonly amounts: readonly number[];
      /** What is left for anybody after it, in the same order. */
      readonly left?: readonly number[];
    }
  /** Nothing was lent of any. */
  | {
      readonly kind: "denied";
      readonly meter: Meter;
      /** What is left for anybody, of the meter's unit. */
      readonly remaining: number;
      /** Until there may be some again, ms; absent for slots: as soon as a call ends. */
      readonly resetMs?: number;
    }
  /** Whoever counts could not be reached in time. */
  | { readonly kind: "unreachable"; readonly why: string };

/**
 * What became of what was lent. `back`: not used, free for others; below zero: more was spent than lent. `spent`: money that was paid, which leaves the loan;
 * tokens beyond (positive) or below (negative) what was taken `atS`, in seconds of the wall clock.
 */
export interface Return {
  readonly meter: Meter;
  readonly back: number;
  readonly spent: number;
  readonly atS?: number;
}

/**
 * Who lends shares of meters: a node to its workers, and where several nodes share their limits, the shared servers to the
 * nodes. All wants are met or none.
 */
export interface Lender {
  borrow(wants: readonly Want[]): Promise<Lent>;
  giveBack(returns: readonly Return[]): void;
}
