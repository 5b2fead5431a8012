import type { CallRecord } from "#domain/record";
import type { Snapshot } from "#domain/snapshot";
import type { ProviderSpec, Route } from "#domain/snapshot";
import type { LogFields } from "#planes/log";
import {
  startDataPlane,
  type DataPlaneJournal,
  type DataPlaneOptions,
  type RunningDataPlane,
} from "#planes/start-data-plane";
import { findKind } from "#providers/kinds";
import { sampleProvider, sampleSnapshot } from "./sample-snapshot.ts";

/** A gateway in this process, its records in memory. */
export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly plane: RunningDataPlane;
  /** In the order they became durable. */
  readonly records: readonly CallRecord[];
  readonly logs: readonly string[];
  /** Resolves with the record once `count` calls are recorded. */
  recorded(count: number): Promise<readonly CallRecord[]>;
}

/** Starts a data plane on a free port: `await using gateway = await startGateway(providers, routes)`. */
export async function startGateway(
  providers: readonly ProviderSpec[],
  routes: readonly Route[],
  given: Partial<Snapshot> & Pick<DataPlaneOptions, "memory" | "labels" | "reviews" | "issuedKeys" | "keyDesk"> = {},
): Promise<TestGateway> {
  const { memory, labels, reviews, issuedKeys, keyDesk, ...more } = given;
  const records: CallRecord[] = [];
  const logs: string[] = [];
  const waiting: { count: number; resolve: (records: readonly CallRecord[]) => void }[] = [];
  const journal = memoryJournal((record) => {
    records.push(record);
    for (const each of waiting) if (records.length >= each.count) each.resolve(records);
  });
  const write = (message: string, fields?: LogFields): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  const plane = await startDataPlane({
    snapshot: sampleSnapshot(providers, routes, more),
    journal,
    ...(memory === undefined ? {} : { memory }),
    ...(labels === undefined ? {} : { labels }),
    ...(reviews === undefined ? {} : { reviews }),
    ...(issuedKeys === undefined ? {} : { issuedKeys }),
    ...(keyDesk === undefined ? {} : { keyDesk }),
    listen: { host: "127.0.0.1", port: 0 },
    log: { info: write, warn: write, error: write },
  });
  return {
    url: `http://127.0.0.1:${plane.port}`,
    plane,
    records,
    logs,
    recorded: (count) =>
      records.length >= count ? Promise.resolve(records) : new Promise((resolve) => waiting.push({ count, resolve })),
    [Symbol.asyncDispose]: () => plane.drain(0),
  };
}

/** A provider of a real kind at a given address (`http://127.0.0.1:1234`), with that kind's own quirks. */
export function providerAt(id: string, kindId: string, url: string): ProviderSpec {
  const kind = findKind(kindId);
  if (kind === undefined) throw new Error(`no provider kind ${kindId}`);
  return sampleProvider(id, {
    kind: kind.id,
    dialect: kind.dialect,
    quirks: kind.quirks,
    origin: url,
    ...(kind.vendor === undefined ? {} : { vendor: kind.vendor }),
  });
}

function memoryJournal(keep: (record: CallRecord) => void): DataPlaneJournal {
  const stats = { records: 0, failures: 0, dropped: 0, queuedBytes: 0 } as DataPlaneJournal["stats"];
  return {
    healthy: true,
    stats,
    append(record, then) {
      // Later, as a disk would be: nothing may depend on it being at once.
      setImmediate(() => {
        keep(record);
        then();
      });
    },
    close: (then) => then(),
  };
}
