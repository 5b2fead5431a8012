import type { DialectId, Operation } from "#domain/call";

/**
 * One request as the simulated provider saw it: what tests ask for the truth. Times are monotonic milliseconds of the
 * simulator's clock.
 */
export interface LoggedRequest {
  /** From 1. */
  readonly sequence: number;
  /** Which connection it came on, from 1. */
  readonly connection: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Lower-case names; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly body: Buffer;
  readonly dialect?: DialectId;
  readonly operation?: Operation;
  readonly model?: string;
  readonly streamed: boolean;
  readonly startedAtMs: number;
  /** When the head left. */
  readonly headAtMs?: number;
  /** Bytes of the answer's body handed to the socket, framing not counted; with `raw`, of the whole response. */
  readonly bytesWritten: number;
  /** When the other side closed before the answer ended. */
  readonly abortedAtMs?: number;
  readonly endedAtMs?: number;
  /** `complete`: all that the script says left, faults included. */
  readonly state: "running" | "complete" | "aborted";
  readonly status?: number;
  /** Why the simulated provider itself refused: wrong credentials, a breach of the dialect's rules, no such model. */
  readonly refused?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const defaultEntries = 10_000;
const defaultBodyBytes = 256 * 1024 * 1024;

/** The requests in order of arrival. Holds at most so many entries and body bytes; the oldest are forgotten first. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  readonly #maxEntries: number;
  readonly #maxBodyBytes: number;
  readonly #watchers = new Set<() => void>();
  #bodyBytes = 0;
  #forgotten = 0;

  constructor(bounds: { readonly maxEntries?: number; readonly maxBodyBytes?: number } = {}) {
    this.#maxEntries = bounds.maxEntries ?? defaultEntries;
    this.#maxBodyBytes = bounds.maxBodyBytes ?? defaultBodyBytes;
  }

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Entries dropped to stay within the bounds. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get last(): LoggedRequest | undefined {
    return this.#entries.at(-1);
  }

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    this.#bodyBytes += entry.body.length;
    while (
      this.#entries.length > 1 &&
      (this.#entries.length > this.#maxEntries || this.#bodyBytes > this.#maxBodyBytes)
    ) {
      this.#bodyBytes -= this.#entries.shift()?.body.length ?? 0;
      this.#forgotten += 1;
    }
    this.#changed();
  }

  update(entry: LoggedRequest, facts: Partial<LoggedRequest>): void {
    Object.assign(entry as Mutable<LoggedRequest>, facts);
    if (facts.state !== undefined || facts.headAtMs !== undefined) this.#changed();
  }

  clear(): void {
    this.#entries.length = 0;
    this.#bodyBytes = 0;
  }

  /** Resolves once the condition holds; rejects after real time `withinMs`, naming what was seen instead. */
  until(condition: (entries: readonly LoggedRequest[]) => boolean, withinMs = 5_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!condition(this.#entries)) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        const seen = this.#entries.map((entry) => `${entry.method} ${entry.path} ${entry.state}`).join("; ");
        reject(new Error(`not reached within ${withinMs} ms; seen: ${seen === "" ? "no request" : seen}`));
      }, withinMs);
      this.#watchers.add(check);
      check();
    });
  }

  #changed(): void {
    for (const check of this.#watchers) check();
  }
}
