import { openPostgres } from "#control/store/postgres";
import { BudgetLender, type BudgetLenderOptions } from "#control/store/budget-lender";
import { spentByAll, spentSince } from "#control/store/read-spent";
import type { Store } from "#control/store/sqlite";
import type { SqlStore } from "#control/store/sql";
import type { ServerSettings } from "#control/config/compile-context";
import type { Lender } from "#domain/account";
import type { Retention } from "#domain/retention";
import type { LendingSource } from "#ledger/node-lender";
import type { DataFolder } from "./data-folder.ts";
import type { Log } from "./log.ts";
import type { MetricsSample } from "./metrics.ts";
import { nodeName } from "./node-name.ts";
import { openSharedLimits } from "./open-shared-limits.ts";
import { SharedLedger } from "./shared-ledger.ts";
import { systemClock } from "./system-clock.ts";

/** What a node has together with others, as far as it is configured; otherwise it has everything for itself. */
export interface Joined {
  /** Where rates and slots are counted. */
  readonly traffic: LendingSource | undefined;
  /** Who lends of budgets. */
  readonly money:
    | ((onSpent: BudgetLenderOptions["onSpent"]) => Lender & Partial<Pick<BudgetLender, "counted">>)
    | undefined;
  /** The database of all nodes. */
  readonly store: SqlStore | undefined;
  /** For the supervisor's part of `/metrics`. */
  metrics(): MetricsSample;
  /** Whether the ledger of all nodes has so much of a journal file; true where there is none. */
  isRead(file: string, size: number): boolean;
  /** No worker is left: what this node was lent goes back. */
  leave(): Promise<void>;
  /** The last records go to the ledger of all nodes. */
  close(): Promise<void>;
}

export interface JoinOptions {
  readonly server: ServerSettings;
  readonly folder: Pick<DataFolder, "path" | "journal">;
  /** This node's own. */
  readonly store: Store;
  readonly workers: number;
  readonly log: Log;
  readonly retention: () => Retention;
}

/** A node begins without the database if that is not ready in this time, ms. */
const startWithinMs = 2_000;

export async function joinNodes(options: JoinOptions): Promise<Joined> {
  const { server, folder, store, workers, log, retention } = options;
  const limits = await openSharedLimits(server.shared, { workers, log });
  const ofAll = server.store === undefined ? undefined : await openPostgres({ url: server.store });
  const node = ofAll === undefined ? "" : nodeName(folder.path);
  const ledger =
    ofAll === undefined ? undefined : new SharedLedger({ store: ofAll, node, folder: folder.journal, log, retention });
  await ledger?.start(startWithinMs);
  let lender: BudgetLender | undefined;
  const money =
    ofAll === undefined
      ? undefined
      : (onSpent: BudgetLenderOptions["onSpent"]) =>
          (lender = new BudgetLender({
            store: ofAll,
            node,
            clock: systemClock,
            spentHere: ({ account }, sinceMs) => spentSince(store, account, sinceMs),
            spentByAll: (sql, { account }, sinceMs) => spentByAll(sql, account, sinceMs),
            onReach: (why) => tellReach(log, why),
            ...(onSpent === undefined ? {} : { onSpent }),
          }));
  return {
    traffic: limits?.source,
    money,
    store: ofAll,
    metrics: () => [...(limits?.metrics() ?? []), ...(ledger?.families() ?? [])],
    isRead: (file, size) => ledger?.has(file, size) ?? true,
    async leave() {
      await lender?.close();
      await limits?.close();
    },
    async close() {
      await ledger?.finish();
      await ofAll?.close();
    },
  };
}

function tellReach(log: Log, why: string | undefined): void {
  if (why === undefined) log.info("budgets are counted with all nodes again");
  else log.error("budgets cannot be counted with other nodes: what this one has of them is all it spends", { why });
}
