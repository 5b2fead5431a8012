import { KeyStore } from "#control/keys/key-store";
import { openSqlFile } from "#control/store/sql";
import type { Snapshot } from "#domain/snapshot";
import { IssuedKeys } from "#pipeline/issued-keys";
import { KeyFeed } from "#planes/key-feed";
import type { DataPlaneOptions } from "#planes/start-data-plane";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";

export interface IssuingGateway extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** Where keys are issued without the admin API. */
  readonly feed: KeyFeed;
}

/** A gateway in this process that issues keys, with what a supervisor and a worker would each have of it. */
export async function startIssuing(
  world: readonly [providers: Parameters<typeof startGateway>[0], routes: Parameters<typeof startGateway>[1]],
  given: Partial<Snapshot> & Pick<DataPlaneOptions, "memory" | "labels" | "reviews"> = {},
): Promise<IssuingGateway> {
  const opened = openSqlFile(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  const quiet = { info: () => {}, error: () => {} };
  const store = new KeyStore({ sql: opened.store, wallMs: Date.now });
  const feed = new KeyFeed({ store, log: quiet, everyMs: 60_000, close: () => opened.store.close() });
  await feed.start();
  const issuedKeys = new IssuedKeys();
  feed.follow((news) => issuedKeys.apply(news));
  const gateway = await startGateway(...world, { ...given, issuedKeys, keyDesk: feed });
  return {
    gateway,
    feed,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await feed.finish();
    },
  };
}
