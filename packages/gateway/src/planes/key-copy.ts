import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import type { IssuedKey } from "#domain/gateway-key";

/** The copy's file in the data folder. */
export const keyCopyFile = "issued-keys.json";

/**
 * A node's own copy of keys that are kept elsewhere, for a start without that place: hashes and facts, for its owner alone.
 * One write at a time; what changes meanwhile is written after it.
 */
export class KeyCopy {
  readonly #path: string;
  #latest: readonly IssuedKey[] | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where there is none that can be read. */
  read(): readonly IssuedKey[] | undefined {
    try {
      const keys: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      return Array.isArray(keys) ? (keys as IssuedKey[]) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Resolves when it is written, or a later one is. Rejects where it cannot be. */
  write(keys: readonly IssuedKey[]): Promise<void> {
    this.#latest = keys;
    const written = this.#writing.then(() => this.#writeLatest());
    this.#writing = written.catch(() => {});
    return written;
  }

  async #writeLatest(): Promise<void> {
    const keys = this.#latest;
    if (keys === undefined) return;
    this.#latest = undefined;
    await writeFile(`${this.#path}.new`, JSON.stringify(keys), { mode: 0o600 });
    await rename(`${this.#path}.new`, this.#path);
  }
}
