import { ShapeReader, type JsonObject } from "#dialects/shape";

/**
 * Reads a Messages request. Besides shapes it keeps what nobody asked for, so that a translation can name it.
 * `null` counts as absent in optional fields, as it does in the Messages API.
 */
export class RequestReader extends ShapeReader {
  readonly #leftovers = new Map<string, unknown>();

  /** Fields nobody asked for, by path. Array positions are left out, so that fifty tools give one entry. */
  get leftovers(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#leftovers);
  }

  override object(value: unknown, path: string): JsonObject {
    return super.object(value, path) ?? {};
  }

  optionalArray(value: unknown, path: string): readonly unknown[] {
    return isAbsent(value) ? [] : this.array(value, path);
  }

  /** A word of a closed list. */
  optionalChoice<Word extends string>(value: unknown, words: readonly Word[], path: string): Word | undefined {
    if (isAbsent(value)) return undefined;
    return words.find((word) => word === value) ?? this.refuse(path, `must be one of ${words.join(", ")}`);
  }

  /** Keeps fields outside `known` as leftovers; a field that holds null says nothing. */
  leave(object: JsonObject, known: ReadonlySet<string>, path: string): void {
    for (const [key, value] of Object.entries(object)) {
      if (known.has(key) || isAbsent(value)) continue;
      const name = (path === "" ? key : `${path}.${key}`).replace(/\[\d+\]/gu, "[]");
      if (!this.#leftovers.has(name)) this.#leftovers.set(name, value);
    }
  }
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
