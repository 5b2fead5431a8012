import type { AccountId, AccountKind } from "#domain/account";
import { hourMs, hoursOfDay, wholePast } from "./spend-span.ts";
import type { SqlReader } from "./sql.ts";
import type { Store } from "./sqlite.ts";

interface SpentQuery {
  readonly kind: AccountKind;
  /** Milliseconds since 1970; counted from the beginning of its hour (UTC), which every period of a budget begins with. */
  readonly sinceMs: number;
}

/** What of a bucket is an account's name. */
const nameOf: Readonly<Record<AccountKind, string>> = {
  key: "caller",
  team: "team",
  organisation: "organisation",
  route: "route",
  provider: "provider",
  model: "provider || '/' || model",
  user: "name",
};

/**
 * Nano-dollars by account name (`alice`; of a model `openai/gpt-5.4`; of an end user `acme/bob`) since an hour, over all of
 * the kind. For those that pay for calls that is what their calls cost with every attempt and everybody asked aside; for
 * providers and models what was paid there. What nobody priced is not in it. From whole days and the hours before the first
 * of them, so that it takes as long for ten million calls as for a thousand; sums beyond 9 million dollars lose cents.
 */
export function readSpent(store: Store, { kind, sinceMs }: SpentQuery): ReadonlyMap<string, number> {
  const { sql, values } = query(kind, sinceMs);
  const rows = store.all(`${sql} GROUP BY name`, ...values);
  const named = rows.filter((row) => row["name"] !== "" && row["name"] !== "/");
  return new Map(named.map((row) => [String(row["name"]), Number(row["spent"])]));
}

/** The same of one account. */
export function spentSince(store: Store, account: AccountId, sinceMs: number): number {
  const colon = account.indexOf(":");
  const kind = account.slice(0, colon) as AccountKind;
  const { sql, values } = query(kind, sinceMs, account.slice(colon + 1));
  return Number(store.get(sql, ...values)?.["spent"] ?? 0);
}

/** The same, of the ledger of all nodes. */
export async function spentByAll(sql: SqlReader, account: AccountId, sinceMs: number): Promise<number> {
  const colon = account.indexOf(":");
  const asked = query(account.slice(0, colon) as AccountKind, sinceMs, account.slice(colon + 1));
  const [row] = await sql.all(asked.sql, ...asked.values);
  return Number(row?.["spent"] ?? 0);
}

function query(kind: AccountKind, sinceMs: number, name?: string) {
  const since = Math.max(0, Math.floor(sinceMs / hourMs));
  const firstDay = Math.ceil(since / hoursOfDay) * hoursOfDay;
  const isUser = kind === "user";
  const from = `SELECT ${nameOf[kind]} AS name, cost_nano_usd AS cost FROM ${isUser ? "spend_names" : "spend_buckets"}`;
  const only = isUser ? "kind = 'user' AND " : "";
  const ranges = ["span = 1 AND bucket >= ? AND bucket < ?", `span = ${hoursOfDay} AND bucket >= ?`];
  if (since === 0) ranges.push(`span = ${wholePast}`);
  const all = ranges.map((range) => `${from} WHERE ${only}${range}`).join(" UNION ALL ");
  const values: (string | number)[] = [since, firstDay, firstDay];
  if (name !== undefined) values.push(name);
  // As text: beyond 2^53 the database's integers are no numbers here.
  const sums = (what: string): string => `SELECT ${what}CAST(sum(cost) AS TEXT) AS spent FROM (${all}) AS spends`;
  return { sql: name === undefined ? sums("name, ") : `${sums("")} WHERE name = ?`, values };
}
