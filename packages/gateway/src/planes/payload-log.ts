import { Buffer, isUtf8 } from "node:buffer";
import { mkdir, open, readdir, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Payload, PayloadPart, PayloadRule, PayloadSink } from "#domain/payload";
import type { Log } from "./log.ts";
import type { MetricsSample } from "./metrics.ts";

/** The log's folder inside the data folder. */
export const payloadsFolder = "payloads";

export interface PayloadLogOptions {
  /** Absolute; made when the first payload comes, for its owner alone. */
  readonly folder: string;
  /** Of its writer: no two write to one file. */
  readonly name: string;
  /** The rule of this moment; undefined while nothing is to be kept. What was kept before leaves in its time all the same. */
  readonly rule: () => PayloadRule | undefined;
  /** Whether the disk has room for what is kept besides records; absent: always. What comes meanwhile is dropped. */
  readonly hasRoom?: () => boolean;
  readonly log: Log;
  readonly wallMs: () => number;
  readonly everyMs?: number;
  readonly tidyEveryMs?: number;
  readonly maxQueuedBytes?: number;
  readonly maxFileBytes?: number;
}

interface OpenFile {
  readonly handle: FileHandle;
  /** UTC, `2026-11-26`. */
  readonly day: string;
  /** Of whole lines. */
  bytes: number;
}

const defaultEveryMs = 250;
/** Beyond it payloads are dropped: the disk is slower than the calls. */
const defaultQueuedBytes = 16 * 1024 * 1024;
const defaultFileBytes = 64 * 1024 * 1024;
/** So many files make the whole at least: the oldest that leaves is a small part of it. */
const leastFiles = 8;
const defaultTidyMs = 60_000;
const complainEveryMs = 60_000;
/** How long what was kept stays where the configuration does not speak of it any more. */
const keepMsWithoutRule = 7 * 86_400_000;
const ownFile = /^[\w-]+\.jsonl$/u;

/**
 * Writes sampled payloads, one line of JSON each, apart from the ledger and without its promises: nothing is synced, nobody
 * waits, and what cannot be written is counted and gone. Files are a writer's own, begun anew each day (UTC) and at 64 MiB or
 * an eighth of the whole; whole files leave once their last line is too old, or the folder too large.
 */
export class PayloadLog implements PayloadSink {
  readonly #options: PayloadLogOptions;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #file: OpenFile | undefined;
  #begun = 0;
  #written = 0;
  #dropped = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  readonly #tidying: NodeJS.Timeout;

  constructor(options: PayloadLogOptions) {
    this.#options = options;
    this.#tidying = setInterval(() => void this.#tidyNow(), options.tidyEveryMs ?? defaultTidyMs).unref();
  }

  put(payload: Payload): void {
    if (!this.#hasRoom()) {
      this.#dropped += 1;
      return;
    }
    const room = (this.#options.maxQueuedBytes ?? defaultQueuedBytes) - this.#queuedBytes;
    // A line is never shorter than what it says: where there is no room, it is not made.
    const line = payload.request.kept.length + payload.answer.kept.length > room ? undefined : lineOf(payload);
    if (line === undefined || line.length > room) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    this.#timer ??= setTimeout(() => this.#flushSoon(), this.#options.everyMs ?? defaultEveryMs).unref();
  }

  families(): MetricsSample {
    return [
      { name: "hedgerow_payloads_written_total", series: [{ labels: [], values: [this.#written] }] },
      { name: "hedgerow_payloads_dropped_total", series: [{ labels: [], values: [this.#dropped] }] },
    ];
  }

  /** Writes what there is, and ends. */
  async close(): Promise<void> {
    clearInterval(this.#tidying);
    this.#flushSoon();
    await this.#writing;
    await this.#leaveFile();
  }

  /** Files that are too old leave, and the oldest of those that are too many. Any writer may do it for all. */
  async tidy(): Promise<void> {
    const { folder, wallMs, rule } = this.#options;
    const { keepMs = keepMsWithoutRule, maxTotalBytes = Number.POSITIVE_INFINITY } = rule() ?? {};
    try {
      const names = (await readdir(folder)).filter((name) => ownFile.test(name));
      const files = await Promise.all(names.map((name) => facts(join(folder, name))));
      let total = 0;
      for (const { path, size, mtimeMs } of files.toSorted((a, b) => b.mtimeMs - a.mtimeMs)) {
        total += size;
        if (mtimeMs < wallMs() - keepMs || total > maxTotalBytes) await unlink(path).catch(() => {});
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#complain("old payloads cannot be removed", error);
    }
  }

  async #tidyNow(): Promise<void> {
    await this.tidy();
    this.#writing = this.#writing.then(() => this.#letGo());
  }

  /** Of a file that is gone from the folder: open, its content would stay on the disk. */
  async #letGo(): Promise<void> {
    if (this.#file !== undefined && !(await isThere(this.#file))) await this.#leaveFile();
  }

  #flushSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#queue.length === 0) return;
    const lines = this.#queue;
    this.#queue = [];
    this.#writing = this.#writing.then(() => this.#write(lines));
  }

  /** To several files where one would grow beyond its share: else the newest could be too large to stay. */
  async #write(lines: readonly Buffer[]): Promise<void> {
    let done = 0;
    try {
      while (done < lines.length && this.#hasRoom()) {
        const file = await this.#openFile();
        const room = this.#mostFileBytes() - file.bytes;
        let [end, bytes] = [done, 0];
        do {
          bytes += lines[end]?.length ?? 0;
          end += 1;
        } while (end < lines.length && bytes < room);
        await this.#append(file, Buffer.concat(lines.slice(done, end)));
        this.#written += end - done;
        done = end;
      }
    } catch (error) {
      this.#complain("payloads cannot be written and are left out; calls go on", error);
    } finally {
      this.#dropped += lines.length - done;
      this.#queuedBytes -= lines.reduce((sum, { length }) => sum + length, 0);
    }
  }

  /** The last room of a disk is the journal's: without it no call is answered. */
  #hasRoom(): boolean {
    const { hasRoom = () => true } = this.#options;
    if (hasRoom()) return true;
    this.#complain("payloads are left out while the journal cannot be written", undefined);
    return false;
  }

  #mostFileBytes(): number {
    const { rule, maxFileBytes = defaultFileBytes } = this.#options;
    return Math.min(maxFileBytes, (rule()?.maxTotalBytes ?? Number.POSITIVE_INFINITY) / leastFiles);
  }

  /** Of lines that could be written in part alone nothing stays: half a line would spoil the next. */
  async #append(file: OpenFile, bytes: Buffer): Promise<void> {
    try {
      await file.handle.appendFile(bytes);
      file.bytes += bytes.length;
    } catch (error) {
      // The file stays in use: a full disk would otherwise get a new one, empty, with every try.
      await file.handle.truncate(file.bytes).catch(() => this.#leaveFile());
      throw error;
    }
  }

  async #openFile(): Promise<OpenFile> {
    const { folder, name, wallMs } = this.#options;
    const day = new Date(wallMs()).toISOString().slice(0, 10);
    const file = this.#file;
    const isFull = file !== undefined && file.bytes >= this.#mostFileBytes();
    if (file?.day === day && !isFull && (await isThere(file))) return file;
    await this.#leaveFile();
    await this.tidy();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#begun += 1;
    const path = join(folder, `${day}-${name}-${String(this.#begun).padStart(4, "0")}.jsonl`);
    this.#file = { handle: await open(path, "ax", 0o600), day, bytes: 0 };
    return this.#file;
  }

  async #leaveFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => {});
  }

  #complain(what: string, error: unknown): void {
    if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    const why = error === undefined ? {} : { why: (error as Error).message };
    this.#options.log.warn(what, { folder: this.#options.folder, ...why });
  }
}

/** Another writer, or a person, may have removed it: what went there would take room that nobody sees. */
async function isThere({ handle }: OpenFile): Promise<boolean> {
  const { nlink } = await handle.stat().catch(() => ({ nlink: 0 }));
  return nlink > 0;
}

/** A file that somebody else has removed meanwhile is none. */
async function facts(path: string) {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
  return { path, size, mtimeMs };
}

function lineOf({ atMs, request, answer, ...more }: Payload): Buffer {
  const { id, ...rest } = more;
  const said = { id, at: new Date(atMs).toISOString(), ...rest, request: partOf(request), answer: partOf(answer) };
  return Buffer.from(`${JSON.stringify(said)}\n`);
}

/** A cut may have split the last character. */
const longestCharacter = 4;

function partOf({ bytes, kept }: PayloadPart): object {
  const truncated = kept.length < bytes;
  const isText = isUtf8(kept) || (truncated && endsInCharacter(kept));
  const buffer = Buffer.from(kept.buffer, kept.byteOffset, kept.length);
  return {
    bytes,
    ...(truncated ? { truncated } : {}),
    ...(isText ? { text: buffer.toString("utf8") } : { base64: buffer.toString("base64") }),
  };
}

function endsInCharacter(kept: Uint8Array): boolean {
  for (let less = 1; less < longestCharacter; less += 1) {
    if (isUtf8(kept.subarray(0, Math.max(0, kept.length - less)))) return true;
  }
  return false;
}
