import { readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { ingestJournal } from "#control/store/ingest-journal";
import { keepWithin, removedAtOnce, type Keeping } from "#control/store/retention";
import type { CallRecord } from "#domain/record";
import type { Store } from "#control/store/sqlite";
import { defaultRetention, type Retention } from "#domain/retention";
import { parseSegmentFile } from "#ledger/journal-line";
import { openCallsFile, parseOpenCallsFile } from "#ledger/open-calls";
import { writtenBytes } from "#ledger/read-journal";
import type { Log } from "./log.ts";
import { recordLostCalls } from "./lost-calls.ts";

export interface JournalFollowerOptions {
  readonly folder: string;
  readonly store: Store;
  readonly log: Log;
  /** Names of the journals that may still grow. */
  readonly growing: () => readonly string[];
  /** Told of what is in the store now, with its journal's name. */
  readonly onStored?: (journal: string, records: readonly CallRecord[]) => void;
  /** All that was in the journals at its beginning is in the store, but for these: they were growing then, or could not be read. */
  readonly onPass?: (growing: ReadonlySet<string>) => void;
  /** Whether whoever else reads a file has it wholly; absent: nobody does. What it has not stays. */
  readonly isRead?: (file: string, size: number) => boolean;
  readonly everyMs?: number;
  /** What of calls is kept, asked at each pass; absent: as by default. */
  readonly retention?: () => Retention;
  /** Ingested segments that are kept for a second look, newest first. */
  readonly keep?: { readonly files: number; readonly bytes: number };
}

export interface JournalFollower {
  /** One more pass, the last: everything that is in the journals by now is in the store when it resolves. */
  finish(): Promise<void>;
}

const defaultEveryMs = 500;
const defaultKeep = { files: 64, bytes: 512 * 1024 * 1024 };
/** What fails is complained of so often, not at every pass. */
const complainEveryMs = 60_000;
const damagedSuffix = ".damaged";

/**
 * Carries records from the workers' journals to the store, about twice a second, and removes segments that are
 * wholly there. A store that fails costs nothing but delay: the journals keep what it could not take.
 */
export function followJournals(options: JournalFollowerOptions): JournalFollower {
  const follower = new Follower(options);
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let finished = false;

  async function passAndGoOn(): Promise<void> {
    await follower.pass();
    if (!finished) wait();
  }
  function wait(): void {
    timer = setTimeout(() => {
      running = passAndGoOn();
    }, options.everyMs ?? defaultEveryMs);
  }
  wait();
  return {
    async finish() {
      finished = true;
      clearTimeout(timer);
      await running;
      await follower.pass();
    },
  };
}

class Follower {
  readonly #options: JournalFollowerOptions;
  readonly #keeping: Keeping;
  readonly #damaged = new Set<string>();
  /** Files that could not be read when they were last looked at: each is told of once. */
  readonly #unread = new Set<string>();
  readonly #complainedAtMs = new Map<string, number>();
  /** Records since the last removal. */
  #came = 0;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
    this.#keeping = keepWithin(options.store);
  }

  async pass(): Promise<void> {
    const { folder, growing: whoGrows, onPass } = this.#options;
    await this.#guard("records could not be stored; they wait in the journal", async () => {
      // Asked before the files are read: a journal or segment that ends during the pass is looked at once more in the next.
      const growing = new Set(whoGrows());
      const names = await readdir(folder);
      const { unread, waiting } = await this.#bringAll(growing);
      onPass?.(new Set([...growing, ...waiting]));
      await this.#guard("old calls could not be removed from the store; they stay until they can be", () =>
        this.#removeOld(),
      );
      await this.#guard(
        "journal files that are no longer needed could not be put away; they stay until they can be",
        () => this.#putAway({ names, growing, stays: ({ file, name }) => unread.has(file) || waiting.has(name) }),
      );
    });
  }

  /** `unread`: files; `waiting`: names of journals that have something that is not in the store and would be, but for a failure. */
  async #bringAll(
    growing: ReadonlySet<string>,
  ): Promise<{ unread: ReadonlySet<string>; waiting: ReadonlySet<string> }> {
    const { store, folder, log } = this.#options;
    const unread = await this.#bring();
    // While a segment cannot be read, it is not known which of its worker's calls have their records.
    const waiting = new Set([...unread.keys()].map((file) => parseSegmentFile(file)?.name ?? file));
    const grows = (journal: string): boolean => growing.has(journal) || waiting.has(journal);
    const lost = await recordLostCalls({ store, folder, log, grows });
    if (lost.came) {
      for (const [file, why] of await this.#bring()) {
        unread.set(file, why);
        waiting.add(parseSegmentFile(file)?.name ?? file);
      }
    }
    for (const [journal, why] of lost.failed) {
      unread.set(openCallsFile(journal), why);
      waiting.add(journal);
    }
    this.#tellUnread(unread);
    return { unread: new Set(unread.keys()), waiting };
  }

  /** Gives what could not be read, and why. */
  async #bring(): Promise<Map<string, string>> {
    const { store, folder, log, onStored } = this.#options;
    const { damage, unread } = await ingestJournal(store, folder, (file, records) => {
      this.#came += records.length;
      onStored?.(parseSegmentFile(file)?.name ?? "", records);
    });
    for (const { file, offset, why } of damage) {
      this.#damaged.add(file);
      log.error("a line of the journal is not what was written; it was left out", { file, offset, why });
    }
    return new Map(unread.map(({ file, why }) => [file, why]));
  }

  #tellUnread(unread: ReadonlyMap<string, string>): void {
    const { folder, log } = this.#options;
    for (const file of this.#unread) {
      if (unread.has(file)) continue;
      this.#unread.delete(file);
      log.info("the journal file is read again, or gone", { file: join(folder, file) });
    }
    for (const [name, why] of unread) {
      if (this.#unread.has(name)) continue;
      this.#unread.add(name);
      const file = join(folder, name);
      log.error(
        parseOpenCallsFile(name) === undefined
          ? "a journal file cannot be read: make it readable to the gateway, or move it away to give its records up; the others go on"
          : "calls that a dead worker had under way cannot be recorded: make its files readable and writable to the gateway, or move this one away to give these calls up; the others go on",
        { file, why },
      );
    }
  }

  /** As many as came and some more, so that it ends also under load; the rest with the next passes. */
  async #removeOld(): Promise<void> {
    const { retention = () => defaultRetention } = this.#options;
    this.#keeping.came(this.#came);
    const times = 4 + Math.ceil((2 * this.#came) / removedAtOnce);
    this.#came = 0;
    for (let time = 0; time < times && this.#keeping.remove(retention()); time += 1) await setImmediate();
  }

  async #putAway(work: Pick<PutAway, "names" | "growing" | "stays">): Promise<void> {
    const { folder, keep, isRead, retention = () => defaultRetention } = this.#options;
    await putAway({ ...work, folder, keep, isRead, damaged: this.#damaged, maxAgeMs: retention().callsMs });
  }

  async #guard(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const complainedAtMs = this.#complainedAtMs.get(what) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() - complainedAtMs < complainEveryMs) return;
      this.#complainedAtMs.set(what, performance.now());
      this.#options.log.error(what, { why: (error as Error).message });
    }
  }
}

interface PutAway {
  readonly folder: string;
  /** What was in it when the pass began: all of these that were ended then are in the store by now. */
  readonly names: readonly string[];
  readonly growing: ReadonlySet<string>;
  /** Whether a segment is still needed by somebody who could not read all that he needs. */
  readonly stays: (segment: Segment) => boolean;
  readonly damaged: Set<string>;
  readonly keep: JournalFollowerOptions["keep"];
  /** They hold calls: none stays for longer than those may, milliseconds. */
  readonly maxAgeMs: number;
  readonly isRead: JournalFollowerOptions["isRead"];
}

interface Segment {
  readonly file: string;
  readonly name: string;
  readonly segment: number;
}

/**
 * Of segments that will not grow, damaged ones are set aside for people, and the oldest beyond the bounds removed. Rejects
 * after the last where that failed for some.
 */
async function putAway(work: PutAway): Promise<void> {
  const { folder, names, growing, stays, damaged, keep = defaultKeep, maxAgeMs, isRead = () => true } = work;
  const last = new Map<string, number>();
  const segments = names.flatMap((file): Segment[] => {
    const parsed = parseSegmentFile(file);
    if (parsed === undefined) return [];
    last.set(parsed.name, Math.max(last.get(parsed.name) ?? 0, parsed.segment));
    return [{ file, ...parsed }];
  });
  const done = segments.filter(
    (each) => (!growing.has(each.name) || each.segment < (last.get(each.name) ?? 0)) && !stays(each),
  );
  const sized = (await Promise.all(done.map(({ file }) => sizeOf(folder, file)))).filter((each) => each !== undefined);
  const failures: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const { file, size, mtimeMs } of sized.toSorted((a, b) => b.mtimeMs - a.mtimeMs || (a.file < b.file ? 1 : -1))) {
    const path = join(folder, file);
    files += 1;
    bytes += size;
    const isTooMuch = files > keep.files || bytes > keep.bytes || mtimeMs < Date.now() - maxAgeMs;
    try {
      // What a dead process left may end in room, which nobody reads.
      if (!isRead(file, size) && !isRead(file, await writtenBytes(path))) continue;
      if (damaged.has(file)) {
        await rename(path, path + damagedSuffix);
        damaged.delete(file);
      } else if (isTooMuch) {
        await unlink(path);
      }
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${sized.length}; the first: ${failures[0]}`);
}

/** Undefined for one that is gone, or that cannot be looked at: the others are put away all the same. */
async function sizeOf(folder: string, file: string) {
  try {
    const { size, mtimeMs } = await stat(join(folder, file));
    return { file, size, mtimeMs };
  } catch {
    return undefined;
  }
}
