import type { AccountId } from "#domain/account";
import type { Store } from "./sqlite.ts";

/** Nano-dollars that an account's calls cost since a moment (ms since 1970). What nobody priced is not in it. */
export function spentSince(store: Store, account: AccountId, sinceMs: number): number {
  const at = account.indexOf(":");
  const [kind, name] = [account.slice(0, at), account.slice(at + 1)];
  const row = rowOf(store, { kind, name, sinceMs });
  return Number(row?.["spent"] ?? 0);
}

function rowOf(store: Store, of: { readonly kind: string; readonly name: string; readonly sinceMs: number }) {
  const { kind, name, sinceMs } = of;
  const calls = "SELECT sum(cost_nano_usd) AS spent FROM calls WHERE at_ms >= ?";
  const attempts =
    "SELECT sum(attempts.cost_nano_usd) AS spent FROM calls JOIN attempts ON attempts.call_id = calls.id WHERE at_ms >= ?";
  switch (kind) {
    case "key":
      return store.get(`${calls} AND caller = ?`, sinceMs, name);
    case "team":
      return store.get(`${calls} AND team = ?`, sinceMs, name);
    case "organisation":
      return store.get(`${calls} AND organisation = ?`, sinceMs, name);
    case "route":
      return store.get(`${calls} AND route = ?`, sinceMs, name);
    case "user": {
      // Whose user it is stands before the first slash: names of keys, teams and organisations have none.
      const slash = name.indexOf("/");
      const whose = "coalesce(organisation, team, caller) = ? AND end_user = ?";
      return store.get(`${calls} AND ${whose}`, sinceMs, name.slice(0, slash), name.slice(slash + 1));
    }
    case "provider":
      return store.get(`${attempts} AND provider = ?`, sinceMs, name);
    default:
      return store.get(`${attempts} AND target = ?`, sinceMs, name);
  }
}
