import { readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { ingestJournal } from "#control/store/ingest-journal";
import { keepWithin, removedAtOnce } from "#control/store/retention";
import type { CallRecord } from "#domain/record";
import type { Store } from "#control/store/sqlite";
import { defaultRetention, type Retention } from "#domain/retention";
import { parseSegmentFile } from "#ledger/journal-line";
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
  /** All that was in the journals at its beginning is in the store; these were growing then. */
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
/** A store that fails is complained of so often, not at every pass. */
const complainEveryMs = 60_000;
const damagedSuffix = ".damaged";

/**
 * Carries records from the workers' journals to the store, about twice a second, and removes segments that are
 * wholly there. A store that fails costs nothing but delay: the journals keep what it could not take.
 */
export function followJournals(options: JournalFollowerOptions): JournalFollower {
  const { log, retention = () => defaultRetention } = options;
  const damaged = new Set<string>();
  const keeping = keepWithin(options.store);
  let came = 0;
  let complainedAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let finished = false;

  async function pass(): Promise<void> {
    // Asked before the files are read: a journal or segment that ends during the pass is looked at once more in the next.
    const growing = new Set(options.growing());
    const names = await readdir(options.folder);
    await bring();
    if (await recordLostCalls({ ...options, grows: (journal) => growing.has(journal) })) await bring();
    options.onPass?.(growing);
    await removeOld();
    await putAway({ ...options, names, growing, damaged, maxAgeMs: retention().callsMs });
  }

  /** As many as came and some more, so that it ends also under load; the rest with the next passes. */
  async function removeOld(): Promise<void> {
    keeping.came(came);
    const times = 4 + Math.ceil((2 * came) / removedAtOnce);
    came = 0;
    for (let time = 0; time < times && keeping.remove(retention()); time += 1) await setImmediate();
  }

  async function bring(): Promise<void> {
    const { damage } = await ingestJournal(options.store, options.folder, (file, records) => {
      came += records.length;
      options.onStored?.(parseSegmentFile(file)?.name ?? "", records);
    });
    for (const { file, offset, why } of damage) {
      damaged.add(file);
      log.error("a line of the journal is not what was written; it was left out", { file, offset, why });
    }
  }

  async function guardedPass(): Promise<void> {
    try {
      await pass();
    } catch (error) {
      if (performance.now() - complainedAtMs < complainEveryMs) return;
      complainedAtMs = performance.now();
      log.error("records could not be stored; they wait in the journal", { why: (error as Error).message });
    }
  }

  async function passAndGoOn(): Promise<void> {
    await guardedPass();
    if (!finished) wait();
  }

  let running = Promise.resolve();
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
      await guardedPass();
    },
  };
}

interface PutAway {
  readonly folder: string;
  /** What was in it when the pass began: all of these that were ended then are in the store by now. */
  readonly names: readonly string[];
  readonly growing: ReadonlySet<string>;
  readonly damaged: Set<string>;
  readonly keep?: JournalFollowerOptions["keep"];
  /** They hold calls: none stays for longer than those may, milliseconds. */
  readonly maxAgeMs: number;
  readonly isRead?: JournalFollowerOptions["isRead"];
}

/** Of segments that will not grow, damaged ones are set aside for people, and the oldest beyond the bounds removed. */
async function putAway(work: PutAway): Promise<void> {
  const { folder, names, growing, damaged, keep = defaultKeep, maxAgeMs, isRead = () => true } = work;
  const last = new Map<string, number>();
  const segments = names.flatMap((file) => {
    const parsed = parseSegmentFile(file);
    if (parsed === undefined) return [];
    last.set(parsed.name, Math.max(last.get(parsed.name) ?? 0, parsed.segment));
    return [{ file, ...parsed }];
  });
  const done = segments.filter(({ name, segment }) => !growing.has(name) || segment < (last.get(name) ?? 0));
  const sized = await Promise.all(
    done.map(async ({ file }) => {
      const { size, mtimeMs } = await stat(join(folder, file));
      return { file, size, mtimeMs };
    }),
  );
  let files = 0;
  let bytes = 0;
  for (const { file, size, mtimeMs } of sized.toSorted((a, b) => b.mtimeMs - a.mtimeMs || (a.file < b.file ? 1 : -1))) {
    const path = join(folder, file);
    files += 1;
    bytes += size;
    if (!isRead(file, size)) continue;
    if (damaged.has(file)) {
      await rename(path, path + damagedSuffix);
      damaged.delete(file);
    } else if (files > keep.files || bytes > keep.bytes || mtimeMs < Date.now() - maxAgeMs) {
      await unlink(path);
    }
  }
}
