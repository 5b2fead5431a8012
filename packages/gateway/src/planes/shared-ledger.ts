import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Ingested, IngestedPosition, JournalPiece } from "#control/store/ingest";
import { carryJournal, type Ledger } from "#control/store/ingest-journal";
import { migrateSql, pendingMigration } from "#control/store/migrate-sql";
import { removeOldShared, type SharedRetention } from "#control/store/shared-retention";
import { forgetShared, ingestShared, sharedPosition } from "#control/store/shared-ingest";
import type { SqlStore } from "#control/store/sql";
import type { CallRecord } from "#domain/record";
import { parseSegmentFile } from "#ledger/journal-line";
import { writtenBytes } from "#ledger/read-journal";
import type { Log } from "./log.ts";
import type { SampledFamily } from "./metrics.ts";

export interface SharedLedgerOptions {
  readonly store: SqlStore;
  /** This node's name among those that share it. */
  readonly node: string;
  /** The journal's folder. */
  readonly folder: string;
  readonly log: Log;
  readonly retention: () => SharedRetention;
  readonly everyMs?: number;
}

const defaultEveryMs = 500;
/** While it fails; doubled each time. */
const [shortestPauseMs, longestPauseMs] = [250, 5_000];
/** What waits is bounded by the disk alone: it is said when it is so much of what is left there, and again. */
const tellShares = [0.5, 0.8, 0.95];
const tidyEveryMs = 60_000;
const finishWithinMs = 5_000;

/**
 * Carries this node's records into the ledger that all nodes share, a second behind at most. While its database is down they
 * wait in the journal, of which nothing is removed that it does not have; nobody waits for it.
 */
export class SharedLedger {
  readonly #options: SharedLedgerOptions;
  readonly #ledger: Ledger;
  /** Where each file stands there, as was last heard. */
  readonly #positions = new Map<string, IngestedPosition>();
  /** How large each file was when all of its whole lines were there. */
  readonly #read = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #finished = false;
  #migrated = false;
  #hasForgotten = false;
  #pauseMs = 0;
  #failedAtMs: number | undefined;
  /** Whatever was in the journals at this moment is there. */
  #completeAtMs = performance.now();
  #tidyAtMs = Number.NEGATIVE_INFINITY;
  #waitingBytes = 0;
  #toldShare = 0;

  constructor(options: SharedLedgerOptions) {
    this.#options = options;
    this.#ledger = {
      // Its server is a network away, and what is read of the journal is checked in one go.
      pieceBytes: 1024 * 1024,
      position: (file) => this.#position(file),
      put: (piece, records) => this.#put(piece, records),
      forgetBut: (files) => this.#forgetBut(files),
    };
  }

  /** The first look, and from then on about twice a second. Resolves after the first, or after `withinMs` without it. */
  async start(withinMs: number): Promise<void> {
    this.#running = this.#passAndGoOn();
    await within(this.#running, withinMs);
  }

  /** Whether the database has every line of a file that is so large; what a crash left of a last line is none. */
  has(file: string, size: number): boolean {
    return (this.#read.get(file) ?? 0) >= size;
  }

  /** One more look, the last, of five seconds at most. What is left then goes with the next start. */
  async finish(): Promise<void> {
    this.#finished = true;
    clearTimeout(this.#timer);
    await within(
      this.#running.then(() => this.#guardedPass()),
      finishWithinMs,
    );
  }

  families(): readonly SampledFamily[] {
    const behindMs = performance.now() - this.#completeAtMs;
    return [
      { name: "hedgerow_store_up", series: [{ labels: [], values: [this.#failedAtMs === undefined ? 1 : 0] }] },
      { name: "hedgerow_store_behind_seconds", series: [{ labels: [], values: [behindMs / 1_000] }] },
      { name: "hedgerow_store_waiting_bytes", series: [{ labels: [], values: [this.#waitingBytes] }] },
    ];
  }

  async #passAndGoOn(): Promise<void> {
    await this.#guardedPass();
    if (this.#finished) return;
    const { everyMs = defaultEveryMs } = this.#options;
    this.#timer = setTimeout(
      () => {
        this.#running = this.#passAndGoOn();
      },
      Math.max(everyMs, this.#pauseMs),
    );
  }

  async #guardedPass(): Promise<void> {
    const beganAtMs = performance.now();
    try {
      const isWhole = await this.#pass();
      if (isWhole) this.#completeAtMs = beganAtMs;
      this.#isBack(isWhole);
      await this.#tidy();
    } catch (error) {
      this.#failed((error as Error).message);
    }
    await this.#measure();
  }

  /** Whether every file could be read. Whoever brings records to the node's own store tells of those that could not. */
  async #pass(): Promise<boolean> {
    const { folder } = this.#options;
    if (!this.#migrated) await this.#migrate();
    const sizes = await this.#sizes();
    const { unread } = await carryJournal(this.#ledger, folder, () => {});
    const left = new Set(unread.map(({ file }) => file));
    this.#read.clear();
    for (const [file, size] of sizes) if (!left.has(file)) this.#read.set(file, size);
    return left.size === 0;
  }

  async #migrate(): Promise<void> {
    const { store, log } = this.#options;
    const pending = await pendingMigration(store);
    if (pending.from < pending.to) {
      try {
        const { from, to } = await migrateSql(store);
        log.info("the database that nodes share has a new schema", { from, to });
      } catch (error) {
        const why = (error as Error).message;
        throw new Error(`it has an older schema: ${why}; \`hedgerow migrate\` takes the time that it needs`, {
          cause: error,
        });
      }
    }
    this.#migrated = true;
  }

  async #tidy(): Promise<void> {
    if (performance.now() - this.#tidyAtMs < tidyEveryMs) return;
    try {
      if (await removeOldShared(this.#options.store, this.#options.retention())) return;
    } catch (error) {
      this.#options.log.warn("old records stay in the database that nodes share", { why: (error as Error).message });
    }
    this.#tidyAtMs = performance.now();
  }

  async #position(file: string): Promise<IngestedPosition | undefined> {
    const known = this.#positions.get(file);
    if (known !== undefined) return known;
    const { store, node } = this.#options;
    const found = await sharedPosition(store, node, file);
    if (found !== undefined) this.#positions.set(file, found);
    return found;
  }

  async #put(piece: JournalPiece, records: readonly CallRecord[]): Promise<Ingested> {
    const { store, node } = this.#options;
    // Where the answer is lost, it is asked for again.
    this.#positions.delete(piece.file);
    const put = await ingestShared(store, { node, piece }, records);
    // Somebody put an older copy of the database in its place: the next look asks where it stands.
    if (put.kind === "gap") throw new Error(`it has less of ${piece.file} than it had`);
    this.#positions.set(piece.file, { offset: piece.toOffset, hash: piece.chainHash });
    return put;
  }

  async #forgetBut(files: readonly string[]): Promise<void> {
    const present = new Set(files);
    const gone = [...this.#positions.keys()].filter((file) => !present.has(file));
    if (gone.length === 0 && this.#hasForgotten) return;
    await forgetShared(this.#options.store, this.#options.node, files);
    this.#hasForgotten = true;
    for (const file of gone) this.#positions.delete(file);
  }

  #isBack(isWhole: boolean): void {
    const every = isWhole ? "every record" : "records (but those of journal files that cannot be read)";
    if (this.#failedAtMs !== undefined) this.#options.log.info(`the database that nodes share has ${every} again`);
    this.#failedAtMs = undefined;
    this.#pauseMs = 0;
    this.#toldShare = 0;
  }

  #failed(why: string): void {
    if (this.#failedAtMs === undefined) {
      this.#options.log.error("records do not reach the database that nodes share; they wait in the journal", { why });
      this.#failedAtMs = performance.now();
    }
    // Whoever comes back may be another database.
    this.#migrated = false;
    this.#pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, this.#pauseMs * 2));
  }

  async #sizes(): Promise<ReadonlyMap<string, number>> {
    const { folder } = this.#options;
    const files = (await readdir(folder)).filter((name) => parseSegmentFile(name) !== undefined);
    const size = async (file: string): Promise<readonly [string, number]> => {
      return [file, await sizeOf(join(folder, file), this.#positions.get(file)?.offset)];
    };
    return new Map(await Promise.all(files.map(size)));
  }

  /** How much of the journal waits; never a reason to fail. */
  async #measure(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      const sizes = [...(await this.#sizes())];
      const waiting = sizes.map(([file, size]) =>
        this.has(file, size) ? 0 : Math.max(0, size - (this.#positions.get(file)?.offset ?? 0)),
      );
      this.#waitingBytes = waiting.reduce((sum, bytes) => sum + bytes, 0);
      if (this.#failedAtMs === undefined) return;
      const { bavail, bsize } = await statfs(folder);
      const share = this.#waitingBytes / (this.#waitingBytes + bavail * bsize);
      const reached = tellShares.findLast((each) => share >= each) ?? 0;
      if (reached <= this.#toldShare) return;
      this.#toldShare = reached;
      log.error("what waits for the database that nodes share fills the disk; nothing of it is removed", {
        bytes: this.#waitingBytes,
        percent: Math.floor(share * 100),
      });
    } catch {
      // It is looked at again with the next pass.
    }
  }
}

/** Of what is written in it; zero for one that was removed meanwhile. `read`: how far it is read. */
async function sizeOf(path: string, read: number | undefined): Promise<number> {
  try {
    const { size } = await stat(path);
    // Of one that cannot be read nothing is known but that.
    return size === read ? size : await writtenBytes(path).catch(() => size);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
