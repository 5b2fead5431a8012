import { availableParallelism } from "node:os";
import type { Configuration } from "#control/config/configuration";
import { maxWorkers } from "#control/config/schema";
import { spentSince } from "#control/store/read-spent";
import type { Store } from "#control/store/sqlite";
import type { BudgetAlerts } from "./budget-alerts.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Joined } from "./join-nodes.ts";
import type { Log } from "./log.ts";
import { bringEarlierRecords } from "./lost-calls.ts";
import { NodeAccounts } from "./node-accounts.ts";
import { isAlive } from "./orphans.ts";
import { systemClock } from "./system-clock.ts";

interface AccountsParts {
  readonly configuration: Configuration;
  readonly folder: DataFolder;
  readonly shared: Joined;
  readonly alerts: BudgetAlerts;
  readonly log: Log;
}

/** Budgets begin with what was spent before: what an earlier supervisor left in the journals is read first. */
export async function openAccounts(
  store: Store,
  { configuration, folder, shared, alerts, log }: AccountsParts,
): Promise<NodeAccounts> {
  const lives = new Set(folder.orphans.filter(isAlive).map(({ journal }) => journal));
  await bringEarlierRecords({ store, folder: folder.journal, grows: (journal) => lives.has(journal), log });
  return new NodeAccounts({
    clock: systemClock,
    workers: workersOf(configuration),
    tell: (alert) => alerts.tell(alert),
    shared,
    spentBefore: ({ account }, sinceMs) => spentSince(store, account, sinceMs),
  });
}

export function workersOf({ server: { workers } }: Configuration): number {
  return workers === "auto" ? Math.min(availableParallelism(), maxWorkers) : workers;
}
