import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import type { BegunCall } from "#domain/begun-call";
import type { CallRecord } from "#domain/record";
import { realJournalFiles, type JournalFiles } from "./journal-files.ts";
import { chainHash, genesisOf, markLine, recordLine, segmentFile } from "./journal-line.ts";
import { OpenCalls, openCallsFile } from "./open-calls.ts";
import { RoomAhead } from "./room-ahead.ts";

export interface JournalOptions {
  /** Created where missing. */
  readonly folder: string;
  /** `<worker>-<start time>`, unique in the folder: the files are `<name>-<segment>.jsonl`. */
  readonly name: string;
  /** A segment that has grown to this size is closed and the next begun. Default 64 MiB. */
  readonly maxSegmentBytes?: number;
  /** Records that wait for the disk; beyond it an append fails at once. Default 16 MiB. */
  readonly maxQueuedBytes?: number;
  /** How long after a failure a new segment is tried, again and again. Default 1 s. */
  readonly reopenMs?: number;
  /** A write and sync that take longer make the journal unhealthy while they last. Default 1 s. */
  readonly slowSyncMs?: number;
  /** How long a group of records is gathered while many come at once; 0 writes each group at once. Default 1 ms. */
  readonly gatherMs?: number;
  readonly files?: JournalFiles;
  /** Told when the disk fails and when it is back, for the log. */
  readonly onHealth?: (healthy: boolean, why: string) => void;
}

export interface JournalStats {
  /** Records that are on disk. */
  readonly records: number;
  readonly syncs: number;
  /** Times the disk failed. */
  readonly failures: number;
  /** Records that found the queue full and are lost to the journal; their callers were told. */
  readonly dropped: number;
  readonly queuedBytes: number;
  readonly segment: number;
}

interface Entry {
  readonly id: string;
  readonly json: string;
  readonly bytes: number;
  /** Undefined once it has been told of a failure. */
  tell: ((error?: Error) => void) | undefined;
}

/** A sync costs the processor as much whatever its group, so under load a group is worth waiting for. */
const busyGroup = 4;

/** `leaving`: a failed file is being cut back and closed; `failed`: no file is open. */
type State = "opening" | "idle" | "flushing" | "leaving" | "failed" | "closed";

/** Creates the first segment. Rejects where the folder cannot be written: better at start than at the first call. */
export async function openJournal(options: JournalOptions): Promise<JournalWriter> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const writer = new JournalWriter(options);
  await new Promise<void>((resolve, reject) => {
    writer.open((error) => (error === undefined ? resolve() : reject(error)));
  });
  return writer;
}

/**
 * An append-only journal with group commit: what is appended while a sync is in flight is written together and synced
 * once, and each record's callback runs after the sync that covers it, in the order of the appends.
 *
 * After a failed write or sync the file is left for good: Linux may drop the unwritten pages and report the next sync
 * of the same file as done (https://lwn.net/Articles/752063/), so only a new file can be trusted. Records whose
 * callers were told of the failure stay queued, within the bound, and are written when the disk is back: the call was
 * not acknowledged, but it happened.
 */
export class JournalWriter {
  readonly #options: Required<Omit<JournalOptions, "onHealth">>;
  readonly #onHealth: (healthy: boolean, why: string) => void;
  readonly #open: OpenCalls;
  readonly #room: RoomAhead;
  #state: State = "opening";
  #descriptor = -1;
  #segment = 1;
  /** Hash and length up to which the segment is known to be on disk. */
  #durableHash: string;
  #durableBytes = 0;
  #segmentRecords = 0;
  #queue: Entry[] = [];
  #queuedBytes = 0;
  #gathering: NodeJS.Timeout | undefined;
  #lastGroup = 0;
  #flushedAtMs = 0;
  #busySinceMs = performance.now();
  #broken = false;
  #closing = false;
  #lastTry = false;
  #lastError = new Error("the journal is not open yet");
  readonly #closers: ((error?: Error) => void)[] = [];
  #records = 0;
  #syncs = 0;
  #failures = 0;
  #dropped = 0;

  constructor(options: JournalOptions) {
    this.#options = {
      maxSegmentBytes: 64 * 1024 * 1024,
      maxQueuedBytes: 16 * 1024 * 1024,
      reopenMs: 1000,
      slowSyncMs: 1000,
      gatherMs: 1,
      files: realJournalFiles,
      ...options,
    };
    this.#onHealth = options.onHealth ?? (() => {});
    this.#durableHash = genesisOf(options.name);
    this.#room = new RoomAhead(this.#options.files, this.#options.maxSegmentBytes);
    this.#open = new OpenCalls(join(options.folder, openCallsFile(options.name)));
  }

  get name(): string {
    return this.#options.name;
  }

  /** False while records cannot be made durable: new calls are refused, so that none is answered unrecorded. */
  get healthy(): boolean {
    if (this.#broken || this.#closing) return false;
    return this.#state === "idle" || performance.now() - this.#busySinceMs < this.#options.slowSyncMs;
  }

  get stats(): JournalStats {
    return {
      records: this.#records,
      syncs: this.#syncs,
      failures: this.#failures,
      dropped: this.#dropped,
      queuedBytes: this.#queuedBytes,
      segment: this.#segment,
    };
  }

  /** Should the process die before the call has its record, this becomes one. Costs no sync; see {@link OpenCalls}. */
  begin(call: BegunCall): void {
    if (!this.#closing) this.#open.put(call);
  }

  /** `then` never runs before this returns. */
  append(record: CallRecord, then: (error?: Error) => void): void {
    const json = JSON.stringify(record);
    const bytes = Buffer.byteLength(json);
    if (this.#closing || this.#queuedBytes + bytes > this.#options.maxQueuedBytes) {
      this.#dropped += 1;
      const why = this.#closing ? "the journal is closed" : "too many records wait for the disk";
      queueMicrotask(() => then(new Error(why)));
      return;
    }
    const entry: Entry = { id: record.id, json, bytes, tell: then };
    this.#queue.push(entry);
    this.#queuedBytes += bytes;
    if (this.#state === "idle") this.#flushSoon();
    else if (this.#broken) queueMicrotask(() => this.#tellFailure([entry]));
  }

  /** For {@link openJournal}: begins the first segment. */
  open(then: (error?: Error) => void): void {
    this.#openSegment((error) => {
      if (error !== null) return then(error);
      then();
      this.#proceed();
    });
  }

  /**
   * Writes what is queued, ends the segment and closes it; appends from now on fail. `then` gets an error where queued
   * records could not be written: after a failure the disk gets one last try.
   */
  close(then: (error?: Error) => void): void {
    this.#closers.push(then);
    if (this.#closing) {
      if (this.#state === "closed") queueMicrotask(() => this.#closed());
      return;
    }
    this.#closing = true;
    if (this.#gathering !== undefined) this.#flush();
    else if (this.#state === "idle" || this.#state === "failed") this.#finish();
  }

  #finish(): void {
    if (this.#state === "idle") {
      this.#state = "closed";
      return this.#endSegment(() => this.#closed());
    }
    if (this.#queue.length === 0 || this.#lastTry) {
      this.#state = "closed";
      return this.#closed(this.#queue.length === 0 ? undefined : this.#lastError);
    }
    this.#lastTry = true;
    this.#reopen();
  }

  #closed(error?: Error): void {
    this.#open.close();
    for (const then of this.#closers.splice(0)) then(error);
  }

  #openSegment(then: (error: Error | null) => void): void {
    const { files, folder, name } = this.#options;
    const path = join(folder, segmentFile(name, this.#segment));
    files.create(path, (createError, descriptor) => {
      if (createError !== null) {
        // What an attempt left that could not even be removed: its number is used up.
        if (createError.code === "EEXIST") this.#segment += 1;
        return then(createError);
      }
      const begin = markLine(this.#durableHash, {
        kind: "begin",
        format: 1,
        name,
        segment: this.#segment,
        previous: this.#durableHash,
      });
      const bytes = Buffer.from(begin.line);
      const abandon = (error: Error): void => {
        files.close(descriptor, () => files.remove(path, () => then(error)));
      };
      files.write(descriptor, { bytes, at: 0 }, (writeError) => {
        if (writeError !== null) return abandon(writeError);
        files.sync(descriptor, (syncError) => {
          if (syncError !== null) return abandon(syncError);
          files.syncFolder(folder, (folderError) => {
            if (folderError !== null) return abandon(folderError);
            this.#descriptor = descriptor;
            this.#room.begin(descriptor);
            this.#durableHash = begin.hash;
            this.#durableBytes = bytes.length;
            this.#segmentRecords = 0;
            then(null);
          });
        });
      });
    });
  }

  /** At once where calls are few: only company makes waiting worthwhile. */
  #flushSoon(): void {
    if (this.#gathering !== undefined) return;
    const { gatherMs } = this.#options;
    const isBusy = this.#queue.length + this.#lastGroup >= busyGroup && performance.now() - this.#flushedAtMs < 5;
    if (gatherMs === 0 || !isBusy || this.#closing) this.#flush();
    else this.#gathering = setTimeout(() => this.#flush(), gatherMs);
  }

  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const group = this.#queue;
    this.#queue = [];
    this.#state = "flushing";
    this.#busySinceMs = performance.now();
    let hash = this.#durableHash;
    let text = "";
    for (const entry of group) {
      hash = chainHash(hash, entry.json);
      text += recordLine(hash, entry.json);
    }
    const bytes = Buffer.from(text);
    this.#room.free(this.#durableBytes + bytes.length, () => {
      this.#write(bytes, (error) => {
        if (error !== null) return this.#fail(error, group);
        this.#syncs += 1;
        this.#durableHash = hash;
        this.#durableBytes += bytes.length;
        this.#room.keep(this.#durableBytes);
        this.#settle(group);
      });
    });
  }

  /** Behind what is on disk, and waits until it is there as well. */
  #write(bytes: Uint8Array, then: (error: Error | null) => void): void {
    const { files } = this.#options;
    const descriptor = this.#descriptor;
    files.write(descriptor, { bytes, at: this.#durableBytes }, (error) => {
      if (error !== null) then(error);
      else files.sync(descriptor, then);
    });
  }

  #settle(group: readonly Entry[]): void {
    this.#lastGroup = group.length;
    this.#flushedAtMs = performance.now();
    this.#records += group.length;
    this.#segmentRecords += group.length;
    for (const { id, bytes } of group) {
      this.#queuedBytes -= bytes;
      this.#open.take(id);
    }
    // The disk works on the next group while the callbacks of this one run.
    this.#proceed();
    for (const entry of group) entry.tell?.();
  }

  /** What is next when the disk has nothing to do. */
  #proceed(): void {
    if (this.#durableBytes >= this.#options.maxSegmentBytes) return this.#rotate();
    this.#state = "idle";
    if (this.#queue.length > 0) return this.#flushSoon();
    if (this.#closing) this.#finish();
  }

  #rotate(): void {
    this.#state = "opening";
    this.#busySinceMs = performance.now();
    this.#endSegment(() => {
      this.#segment += 1;
      this.#openSegment((error) => (error === null ? this.#proceed() : this.#fail(error, [])));
    });
  }

  /** A segment whose end mark cannot be written is complete all the same; the next one says where it continues. */
  #endSegment(then: () => void): void {
    const end = markLine(this.#durableHash, { kind: "end", records: this.#segmentRecords });
    const bytes = Buffer.from(end.line);
    this.#room.settled(() => {
      this.#write(bytes, (error) => {
        if (error === null) {
          this.#durableHash = end.hash;
          this.#durableBytes += bytes.length;
          if (this.#room.endBytes <= this.#durableBytes) return this.#leave(then);
        }
        this.#cutBack(then);
      });
    });
  }

  /** Takes away room and what was not made durable, so that the file ends at its last good line; best effort. */
  #cutBack(then: () => void): void {
    this.#room.settled(() => {
      this.#options.files.truncate(this.#descriptor, this.#durableBytes, () => this.#leave(then));
    });
  }

  #leave(then: () => void): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    this.#options.files.close(descriptor, () => then());
  }

  #fail(error: Error, group: readonly Entry[]): void {
    this.#state = "leaving";
    this.#failures += 1;
    this.#lastError = error;
    this.#queue = [...group, ...this.#queue];
    const goOn = (): void => {
      this.#state = "failed";
      if (this.#closing) this.#finish();
      else setTimeout(() => this.#reopen(), this.#options.reopenMs).unref();
    };
    if (this.#descriptor === -1) {
      goOn();
    } else {
      this.#segment += 1;
      this.#cutBack(goOn);
    }
    if (!this.#broken) this.#onHealth(false, error.message);
    this.#broken = true;
    this.#tellFailure([...this.#queue]);
  }

  #reopen(): void {
    if (this.#state !== "failed") return;
    this.#state = "opening";
    this.#openSegment((error) => {
      if (error !== null) return this.#fail(error, []);
      this.#broken = false;
      this.#onHealth(true, `records are written again, to segment ${this.#segment}`);
      this.#proceed();
    });
  }

  #tellFailure(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { tell } = entry;
      entry.tell = undefined;
      tell?.(this.#lastError);
    }
  }
}
