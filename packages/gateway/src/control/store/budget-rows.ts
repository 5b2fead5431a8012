import { periodAt } from "#ledger/budget-period";
import { budgetPeriods, type AccountId, type Meter } from "#domain/account";
import type { Sql, SqlValue } from "./sql.ts";

/** What a node has of a budget, and told of it, in nano-dollars. */
export interface LoanRow {
  readonly node: string;
  /** Lent and neither spent nor given back. */
  lent: number;
  /** Told as spent, in all of the period that began at `reportedIn` (ms since 1970). */
  reported: number;
  reportedIn: number;
  /** Taken for spent when the node's lease had ended, in the period that began at `presumedIn`. */
  presumed: number;
  presumedIn: number;
  /** Of its lease, wall clock; 0 where it has none. */
  readonly untilMs: number;
}

/** One budget as the database has it, locked for this transaction. */
export interface BudgetRow {
  readonly meter: Meter;
  readonly periodStart: number;
  /** Undefined: nobody asked for it in this period yet. */
  spent: number | undefined;
  readonly loans: readonly LoanRow[];
}

/** Locks budgets, in an order that is the same for everybody, and reads what there is of them. */
export async function lockBudgets(sql: Sql, meters: readonly Meter[], wallMs: number): Promise<readonly BudgetRow[]> {
  const sorted = meters.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const ids = sorted.map(({ id }) => id);
  // The row changes, so that whoever comes next waits until this transaction has ended and then sees all of it.
  await sql.run(
    `INSERT INTO budget_meters (meter, locks) VALUES ${list(ids, "(?, 0)")}
     ON CONFLICT (meter) DO UPDATE SET locks = 1 - budget_meters.locks`,
    ...ids,
  );
  const starts = sorted.map(({ period }) => periodAt(period ?? "total", wallMs).startMs);
  const pairs = sorted.flatMap(({ id }, index): SqlValue[] => [id, starts[index] ?? 0]);
  const counts = await sql.all(
    `SELECT meter, spent_nano FROM budget_counts WHERE ${ids.map(() => "(meter = ? AND period_start = ?)").join(" OR ")}`,
    ...pairs,
  );
  const loans = await sql.all(
    `SELECT budget_loans.meter AS meter, budget_loans.node AS node, lent_nano, reported_nano, reported_in, presumed_nano,
       presumed_in, coalesce(node_leases.until_ms, 0) AS until_ms
     FROM budget_loans LEFT JOIN node_leases ON node_leases.node = budget_loans.node
     WHERE budget_loans.meter IN (${list(ids, "?")})`,
    ...ids,
  );
  const spent = new Map(counts.map((row) => [String(row["meter"]), Number(row["spent_nano"])]));
  return sorted.map((meter, index) => ({
    meter,
    periodStart: starts[index] ?? 0,
    spent: spent.get(meter.id),
    loans: loans.flatMap((row): LoanRow[] => (row["meter"] === meter.id ? [loanOf(row)] : [])),
  }));
}

function loanOf(row: Readonly<Record<string, unknown>>): LoanRow {
  return {
    node: String(row["node"]),
    lent: Number(row["lent_nano"]),
    reported: Number(row["reported_nano"]),
    reportedIn: Number(row["reported_in"]),
    presumed: Number(row["presumed_nano"]),
    presumedIn: Number(row["presumed_in"]),
    untilMs: Number(row["until_ms"]),
  };
}

interface OwnBudget {
  readonly meter: Meter;
  /** Something of it stands as lent, or taken for spent. */
  readonly has: boolean;
}

/** Keys, teams, routes and models there are thousands of; end users may be any number. */
const mostOwn = 10_000;

/**
 * Budgets of which a node had something when it was last heard of, or spent something: its ledger may know of more. Those of
 * end users that it only spent from are left until they are asked for. Their limits nobody says here: 0.
 */
export async function ownBudgets(sql: Sql, node: string): Promise<readonly OwnBudget[]> {
  const rows = await sql.all(
    `SELECT meter, lent_nano, presumed_nano FROM budget_loans WHERE node = ? AND (lent_nano <> 0 OR presumed_nano <> 0
       OR (reported_nano <> 0 AND meter NOT LIKE 'user:%')) ORDER BY meter LIMIT ${mostOwn}`,
    node,
  );
  return rows.flatMap(({ meter, ...row }): OwnBudget[] => {
    const [, account, written, soft] = /^(.+) usd\/([a-z]+)( soft)?$/.exec(String(meter)) ?? [];
    const period = budgetPeriods.find((each) => each === written);
    if (account === undefined || period === undefined) return [];
    const isSoft = soft === undefined ? {} : { soft: true as const };
    const id = String(meter);
    const has = Number(row["lent_nano"]) !== 0 || Number(row["presumed_nano"]) !== 0;
    return [{ meter: { id, account: account as AccountId, unit: "money", limit: 0, period, ...isSoft }, has }];
  });
}

export async function writeSpent(sql: Sql, rows: readonly BudgetRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.run(
    `INSERT INTO budget_counts (meter, period_start, spent_nano) VALUES ${list(rows, "(?, ?, ?)")}
     ON CONFLICT (meter, period_start) DO UPDATE SET spent_nano = excluded.spent_nano`,
    ...rows.flatMap(({ meter, periodStart, spent }) => [meter.id, periodStart, spent ?? 0]),
  );
}

export interface WrittenLoan {
  readonly meter: string;
  readonly loan: Omit<LoanRow, "untilMs">;
}

export async function writeLoans(sql: Sql, rows: readonly WrittenLoan[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.run(
    `INSERT INTO budget_loans (meter, node, lent_nano, reported_nano, reported_in, presumed_nano, presumed_in)
     VALUES ${list(rows, "(?, ?, ?, ?, ?, ?, ?)")}
     ON CONFLICT (meter, node) DO UPDATE SET lent_nano = excluded.lent_nano, reported_nano = excluded.reported_nano,
       reported_in = excluded.reported_in, presumed_nano = excluded.presumed_nano, presumed_in = excluded.presumed_in`,
    ...rows.flatMap(({ meter, loan }) => [
      meter,
      loan.node,
      loan.lent,
      loan.reported,
      loan.reportedIn,
      loan.presumed,
      loan.presumedIn,
    ]),
  );
}

/** How many nodes are there; the asking one's lease is made longer. Leases that ended a month ago are forgotten. */
export async function renewLease(sql: Sql, node: string, until: { wallMs: number; leaseMs: number }): Promise<number> {
  const { wallMs, leaseMs } = until;
  await sql.run(
    `INSERT INTO node_leases (node, until_ms) VALUES (?, ?)
     ON CONFLICT (node) DO UPDATE SET until_ms = excluded.until_ms`,
    node,
    wallMs + leaseMs,
  );
  const [row] = await sql.all("SELECT count(*) AS nodes FROM node_leases WHERE until_ms > ?", wallMs);
  return Number(row?.["nodes"] ?? 1);
}

/** Periods that ended so long ago are nobody's to look at; what never ends begins at 0. */
export async function forgetPeriods(sql: Sql, beforeMs: number): Promise<void> {
  await sql.run("DELETE FROM budget_counts WHERE period_start > 0 AND period_start < ?", beforeMs);
}

function list(rows: readonly unknown[], one: string): string {
  return rows.map(() => one).join(", ");
}
