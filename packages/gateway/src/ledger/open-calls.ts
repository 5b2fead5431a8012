import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { BegunCall } from "#domain/begun-call";

/**
 * Calls of a journal that are on their way, one page each: a line of JSON (a {@link BegunCall}) and whatever stood there before. A page is written over once its call's record is in the journal.
 */
const pageBytes = 4096;
/** More are not written down; as many calls at once as a process can hold. */
const mostPages = 65_536;
/** Pages of calls that have ended are cleared this late, where no other call has taken them by then. */
const sweepMs = 10_000;

/** `w1-1795264805123` gives `w1-1795264805123.open`. */
export function openCallsFile(name: string): string {
  return `${name}${suffix}`;
}

/** The reverse; undefined for a file that is none. */
export function parseOpenCallsFile(file: string): string | undefined {
  return file.endsWith(suffix) ? file.slice(0, -suffix.length) : undefined;
}

const suffix = ".open";

/**
 * Writes down which calls a process has on their way, so that those of a killed one are found. Beside the journal, whose
 * every write is synced: here nothing is, because what was written is there whatever becomes of the process (not of the
 * machine). One write of a page for each, measured at 4 µs.
 */
export class OpenCalls {
  readonly #path: string;
  /** By call. No `Map`: see {@link RecentlyUsed} for what one costs that every call comes to and leaves. */
  readonly #pages: Record<string, number> = Object.create(null) as Record<string, number>;
  #size = 0;
  /** Of no open call; the last that became free is the next that is used. */
  readonly #free: number[] = [];
  /** Free pages that still hold an ended call. */
  readonly #stale: boolean[] = [];
  #next = 0;
  #descriptor: number | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get size(): number {
    return this.#size;
  }

  /** Calls that could not be written down: the disk failed, the record was too long, or there were too many. */
  get failures(): number {
    return this.#failures;
  }

  /** A call is under way. Once more with the same id takes the place of what was said. */
  put(call: BegunCall): void {
    const known = this.#pages[call.id];
    const page = known ?? this.#free.pop() ?? this.#next;
    const bytes = Buffer.from(`${JSON.stringify(call)}\n`);
    if (bytes.length > pageBytes || page >= mostPages) {
      this.#failures += 1;
      if (known === undefined && page !== this.#next) this.#free.push(page);
      return;
    }
    if (page === this.#next) this.#next += 1;
    if (known === undefined) this.#size += 1;
    this.#pages[call.id] = page;
    this.#stale[page] = false;
    this.#write(bytes, page);
  }

  /** Its record is in the journal. */
  take(id: string): void {
    const page = this.#pages[id];
    if (page === undefined) return;
    delete this.#pages[id];
    this.#size -= 1;
    this.#free.push(page);
    this.#stale[page] = true;
    this.#sweep ??= setTimeout(() => this.#clear(), sweepMs).unref();
  }

  /** The file is removed where no call is open; else it stays, for whoever looks after this process. */
  close(): void {
    clearTimeout(this.#sweep);
    if (this.#descriptor === undefined) return;
    if (this.#size > 0) this.#clear();
    try {
      closeSync(this.#descriptor);
      if (this.#size === 0) unlinkSync(this.#path);
    } catch {
      this.#failures += 1;
    }
    this.#descriptor = undefined;
  }

  #clear(): void {
    this.#sweep = undefined;
    const empty = Buffer.from("\n");
    for (const [page, isStale] of this.#stale.entries()) {
      if (!isStale) continue;
      this.#stale[page] = false;
      this.#write(empty, page);
    }
  }

  #write(bytes: Uint8Array, page: number): void {
    try {
      this.#descriptor ??= openSync(this.#path, "wx", 0o600);
      writeSync(this.#descriptor, bytes, 0, bytes.length, page * pageBytes);
    } catch {
      // A call is served all the same: this is for the case that the process dies as well.
      this.#failures += 1;
    }
  }
}

/** The calls that were open when the file was last written, and of some that have ended since. */
export async function readOpenCalls(path: string): Promise<readonly BegunCall[]> {
  const bytes = await readFile(path);
  const calls: BegunCall[] = [];
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const end = bytes.indexOf(0x0a, at);
    if (end <= at || end >= at + pageBytes) continue;
    const call = parseCall(bytes.toString("utf8", at, end));
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

function parseCall(json: string): BegunCall | undefined {
  try {
    const value = JSON.parse(json) as Partial<BegunCall> | null;
    if (value?.version !== 1 || typeof value.id !== "string" || !Array.isArray(value.attempts)) return undefined;
    return value as BegunCall;
  } catch {
    return undefined;
  }
}
