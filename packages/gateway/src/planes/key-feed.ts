import { dirname, join } from "node:path";
import { KeyStore, type ChangedKey } from "#control/keys/key-store";
import { openSqlFile, type SqlStore } from "#control/store/sql";
import type { IssuedKey, KeyNews } from "#domain/gateway-key";
import type { KeyAnswer, KeyAsk, KeyChange, KeyDesk } from "#domain/key-desk";
import { KeyCopy, keyCopyFile } from "./key-copy.ts";
import type { Log } from "./log.ts";

export interface KeyFeedOptions {
  /** The database of all nodes; absent: this node's own file at `path`. */
  readonly sql: SqlStore | undefined;
  readonly path: string;
  readonly log: Pick<Log, "error" | "info">;
  readonly everyMs?: number;
  readonly onChange?: (change: KeyChange) => void;
}

/** Others that share the database change keys as well: a key that one revokes is refused everywhere within two seconds. */
const usualEveryMs = 500;
const complainEveryMs = 60_000;

/**
 * Where the keys cannot be read at first a node starts nevertheless: it lets in the configuration's and, of a database of
 * several nodes, those that it knew when it ran last; and nobody without a key.
 */
export async function openKeyFeed(options: KeyFeedOptions): Promise<KeyFeed> {
  const { sql, path, log, everyMs = usualEveryMs, onChange } = options;
  const opened = sql === undefined ? openSqlFile(path) : { kind: "shared" as const, store: sql };
  const store =
    opened.kind === "refused" ? unreadable(opened.message) : new KeyStore({ sql: opened.store, wallMs: Date.now });
  const close = async (): Promise<void> => (opened.kind === "opened" ? opened.store.close() : undefined);
  const copy = sql === undefined ? {} : { copy: new KeyCopy(join(dirname(path), keyCopyFile)) };
  const feed = new KeyFeed({ store, log, everyMs, close, ...copy, ...(onChange === undefined ? {} : { onChange }) });
  await feed.start();
  return feed;
}

function unreadable(why: string): KeyFeedParts["store"] {
  return { ask: () => Promise.reject(new Error(why)), changes: () => Promise.reject(new Error(why)) };
}

export interface KeyFeedParts {
  readonly store: Pick<KeyStore, "ask" | "changes">;
  readonly log: Pick<Log, "error" | "info">;
  readonly everyMs: number;
  readonly close: () => Promise<void>;
  /** For a start without the store. */
  readonly copy?: KeyCopy;
  /** Told of what was changed here or elsewhere, once the workers are. */
  readonly onChange?: (change: KeyChange) => void;
}

/**
 * The one process of a node that writes issued keys and reads what others wrote: it tells the workers what changed. Who asks
 * for a change is answered when the workers have been told.
 */
export class KeyFeed implements KeyDesk {
  readonly #parts: KeyFeedParts;
  readonly #keys = new Map<string, IssuedKey>();
  #revision = 0;
  /** Nothing was read yet: whether keys were issued nobody knows, and so nobody is let in without one. */
  #isRead = false;
  #tell: (news: KeyNews) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: KeyFeedParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#look();
    if (!this.#isRead) for (const key of this.#parts.copy?.read() ?? []) this.#keys.set(key.id, key);
    this.#timer = setInterval(() => void this.#look(), this.#parts.everyMs);
  }

  /** All that are known, for a worker that starts. */
  get current(): KeyNews {
    return { keys: [...this.#keys.values()], gone: [], guards: !this.#isRead || this.#revision > 0 };
  }

  /** From now on `tell` is told what changes. */
  follow(tell: (news: KeyNews) => void): void {
    this.#tell = tell;
  }

  async ask(ask: KeyAsk): Promise<KeyAnswer> {
    try {
      const answer = await this.#parts.store.ask(ask);
      if (ask.kind !== "list" && ask.kind !== "show") await this.#look();
      return answer;
    } catch (error) {
      return { kind: "unavailable", why: (error as Error).message };
    }
  }

  async finish(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#parts.close();
  }

  /** `before`: the keys as they were known. */
  #tellChanges(changed: readonly ChangedKey[], before: ReadonlySet<string>): void {
    for (const { id, name, isRevoked, by } of changed) {
      const what = isRevoked ? "revoked" : before.has(id) ? "rotated" : "issued";
      const who = { id, name, ...(by === undefined ? {} : { by }) };
      this.#parts.log.info(`a key was ${what}`, who);
      this.#parts.onChange?.({ what, ...who });
    }
  }

  /** One after the other; whoever asked for one before it began has waited for all that was written until then. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOnce());
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    try {
      const { revision, news, changed } = await this.#parts.store.changes(this.#revision);
      // What was known from the copy alone, and is not there any more.
      const here = new Set(this.#isRead ? [] : news.keys.map(({ id }) => id));
      const lost = this.#isRead ? [] : [...this.#keys.keys()].filter((id) => !here.has(id));
      // What was so before this process began is nothing that it saw happen.
      const seen = this.#isRead ? changed : [];
      this.#isRead = true;
      if (revision === this.#revision) return;
      this.#revision = revision;
      const gone = [...news.gone, ...lost];
      const before = new Set(seen.length === 0 ? [] : this.#keys.keys());
      for (const id of gone) this.#keys.delete(id);
      for (const key of news.keys) this.#keys.set(key.id, key);
      this.#tell({ ...news, gone });
      this.#tellChanges(seen, before);
      await this.#keepCopy();
    } catch (error) {
      this.#complain("the issued keys cannot be read: those that are known work on, changes wait", error);
    }
  }

  async #keepCopy(): Promise<void> {
    try {
      await this.#parts.copy?.write([...this.#keys.values()]);
    } catch (error) {
      this.#complain("the issued keys cannot be copied to this node: it would start without them", error);
    }
  }

  #complain(message: string, error: unknown): void {
    if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    this.#parts.log.error(message, { why: (error as Error).message });
  }
}
