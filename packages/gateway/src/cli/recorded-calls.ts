import { existsSync } from "node:fs";
import { join } from "node:path";
import { ingestJournal } from "#control/store/ingest-journal";
import { pendingMigration } from "#control/store/migrate-sql";
import { openPostgres, plainAddress } from "#control/store/postgres";
import type { LedgerReader } from "#control/store/sql";
import { openStore, storeFile } from "#control/store/sqlite";
import type { Secret } from "#domain/secret";
import type { CommandIo } from "./command.ts";

export interface Recorded {
  readonly command: string;
  /** The gateway's data folder. */
  readonly folder: string;
  /** The database in which all nodes keep their ledger: it is read, and the folder is not. */
  readonly ofAll?: Secret | undefined;
  readonly io: CommandIo;
}

/** A report over months of many nodes. */
const answerMs = 600_000;

/**
 * Opens what gateways recorded, beside running ones or without: in the database of all nodes where there is one, else in
 * the data folder, journal included. Says what keeps it from that, as this command, and gives the exit code.
 */
export async function withRecordedCalls(
  recorded: Recorded,
  then: (reader: LedgerReader) => number | Promise<number>,
): Promise<number> {
  const { command, folder, ofAll, io } = recorded;
  if (ofAll !== undefined) return withAllCalls(ofAll, recorded, then);
  if (!existsSync(folder)) {
    io.stderr(`hedgerow ${command}: there is no data folder ${folder}; name the gateway's with --data FOLDER\n`);
    return 1;
  }
  // A folder that holds neither is somebody else's: nothing is created in it.
  if (!existsSync(join(folder, storeFile)) && !existsSync(join(folder, "journal"))) {
    io.stderr(
      `hedgerow ${command}: no gateway has kept records in ${folder}; name its data folder with --data FOLDER\n`,
    );
    return 1;
  }
  const opened = openStore(join(folder, storeFile));
  if (opened.kind === "refused") {
    io.stderr(`hedgerow ${command}: ${opened.message}\n`);
    return 1;
  }
  try {
    const { damage, unread } = await ingestJournal(opened.store, join(folder, "journal"));
    for (const each of damage)
      io.stderr(`hedgerow ${command}: journal ${each.file}, byte ${each.offset}: ${each.why}\n`);
    for (const { file, why } of unread)
      io.stderr(`hedgerow ${command}: journal ${file} cannot be read, what only it holds is missing: ${why}\n`);
    return await then(opened.store);
  } finally {
    opened.store.close();
  }
}

async function withAllCalls(
  url: Secret,
  { command, io }: Recorded,
  then: (reader: LedgerReader) => number | Promise<number>,
): Promise<number> {
  const store = await openPostgres({ url, answerMs });
  const say = (why: string): number => {
    io.stderr(
      `hedgerow ${command}: ${plainAddress(url)}: ${why}; --data FOLDER reads what one node recorded, without it\n`,
    );
    return 1;
  };
  try {
    const { from, to } = await pendingMigration(store);
    if (from < to) return say(`has an older schema (${from} of ${to}), run \`hedgerow migrate\``);
    return await then(store);
  } catch (error) {
    if (!isOfDatabase(error)) throw error;
    return say(error.message);
  } finally {
    await store.close();
  }
}

/** What the server said, or the way to it: every other error is a bug of ours, and told as one. */
function isOfDatabase(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return "code" in error || /timeout|connection/iu.test(error.message);
}
