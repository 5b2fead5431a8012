import { existsSync } from "node:fs";
import { join } from "node:path";
import { ingestJournal } from "#control/store/ingest-journal";
import { openStore, storeFile } from "#control/store/sqlite";
import type { Store } from "#control/store/sqlite";
import type { CommandIo } from "./command.ts";

/**
 * Opens what a gateway recorded in its data folder, journal included, beside a running gateway or without one. Says what
 * keeps it from that, as this command, and gives the exit code.
 */
export async function withRecordedCalls(
  { command, folder, io }: { readonly command: string; readonly folder: string; readonly io: CommandIo },
  then: (store: Store) => number,
): Promise<number> {
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
    const { damage } = await ingestJournal(opened.store, join(folder, "journal"));
    for (const each of damage)
      io.stderr(`hedgerow ${command}: journal ${each.file}, byte ${each.offset}: ${each.why}\n`);
    return then(opened.store);
  } finally {
    opened.store.close();
  }
}
