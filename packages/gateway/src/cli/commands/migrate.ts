import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { migrateSql, pendingMigration, statementsOf, type Migration } from "#control/store/migrate-sql";
import { migrations } from "#control/store/migrations";
import { openPostgres, plainAddress } from "#control/store/postgres";
import { openStore, schemaOf, storeFile } from "#control/store/sqlite";
import type { Secret } from "#domain/secret";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";

const usage = `Usage: hedgerow migrate [--dry-run] [-c FILE] [--data FOLDER]

Brings the ledger's tables up to this version: this node's own, and those of the database that all nodes share where
\`store\` names one. A gateway does the same when it starts; this does it at a time of your choosing, beside running
gateways, and waits as long as it takes. Steps only add: a gateway of the version before goes on writing. A ledger of
a newer version is left as it is.

      --dry-run          only tell what would be done
  -c, --config FILE      the configuration (default: hedgerow.yaml where it exists, else the environment)
      --data FOLDER      the gateway's data folder (default: the configuration's)
`;

/** A step that sums up millions of calls may take minutes. */
const answerMs = 3_600_000;

export const migrate: Command = {
  name: "migrate",
  summary: "bring the ledger's tables up to this version",
  usage,
  async run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        "dry-run": { type: "boolean" },
        config: { type: "string", short: "c" },
        data: { type: "string" },
      },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const configuration = configurationFor(values.config, { io, today: new Date().toISOString().slice(0, 10) });
    if (configuration === undefined) return 1;
    const { server } = configuration;
    const wish: Wish = { isDry: values["dry-run"] === true, io };
    const own = migrateFile(join(resolve(io.cwd, values.data ?? server.data), storeFile), wish);
    const shared = server.store === undefined || (await migrateShared(server.store, wish));
    return own && shared ? 0 : 1;
  },
};

interface Wish {
  readonly isDry: boolean;
  readonly io: CommandIo;
}

/** What is nowhere yet is begun by the first gateway, in the newest form. */
function migrateFile(path: string, wish: Wish): boolean {
  const { isDry, io } = wish;
  if (!existsSync(path)) {
    io.stdout(`${path}: nothing is kept there yet\n`);
    return true;
  }
  try {
    const from = schemaOf(path);
    const to = Math.max(from, migrations.length);
    tell(path, { from, to }, wish);
    if (isDry || from === to) return true;
  } catch (error) {
    io.stderr(`hedgerow migrate: ${path}: ${(error as Error).message}\n`);
    return false;
  }
  const opened = openStore(path);
  if (opened.kind === "opened") opened.store.close();
  else io.stderr(`hedgerow migrate: ${opened.message}\n`);
  return opened.kind === "opened";
}

async function migrateShared(url: Secret, wish: Wish): Promise<boolean> {
  const { isDry, io } = wish;
  const store = await openPostgres({ url, answerMs });
  const address = plainAddress(url);
  try {
    const pending = await pendingMigration(store);
    tell(address, pending, wish);
    // Whoever is faster, one of its nodes or this: the steps run once.
    if (!isDry) await migrateSql(store);
    return true;
  } catch (error) {
    io.stderr(`hedgerow migrate: ${address}: ${(error as Error).message}\n`);
    return false;
  } finally {
    await store.close();
  }
}

function tell(where: string, { from, to }: Migration, { isDry, io }: Wish): void {
  const known = migrations.length;
  if (from > known) {
    io.stdout(`${where}: schema ${from}, newer than this version's ${known}; left as it is\n`);
    return;
  }
  if (from === to) {
    io.stdout(`${where}: schema ${from}, up to date\n`);
    return;
  }
  io.stdout(`${where}: schema ${from}, ${isDry ? "would be" : "is"} brought to ${to}\n`);
  for (const [index, step] of migrations.slice(from).entries()) {
    for (const statement of statementsOf(step)) io.stdout(`  ${from + index + 1}: ${firstWords(statement)}\n`);
  }
}

/** `CREATE TABLE calls`, `ALTER TABLE calls ADD COLUMN team TEXT`, without what stands in brackets. */
function firstWords(statement: string): string {
  return (statement.split("(", 1)[0] ?? "").replaceAll(/\s+/gu, " ").trim();
}
