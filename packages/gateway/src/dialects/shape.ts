import { failure, type Failure } from "#domain/failure";
import type { GenerateRequest } from "#domain/request";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object: no array, not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/**
 * Reads untrusted JSON against an expected shape. The first mismatch is kept as an `invalid_request` that names the
 * field's path; readers go on with harmless values, and the caller asks for `failure` once at the end. In optional
 * fields null means the same as absent.
 */
export class ShapeReader {
  failure: Failure | undefined;
  readonly #leftovers = new Map<string, unknown>();
  readonly #needed = new Set<string>();

  /** Fields nobody asked for, by path. Array positions are left out, so that fifty tools give one entry. */
  get remains(): Pick<GenerateRequest, "rest" | "needed"> {
    const rest = Object.fromEntries(this.#leftovers);
    return this.#needed.size === 0 ? { rest } : { rest, needed: [...this.#needed] };
  }

  /** Keeps fields outside `known` as leftovers; one that holds null or nothing in a list says nothing. */
  leave(object: JsonObject, known: ReadonlySet<string>, path: string): void {
    for (const [key, value] of Object.entries(object)) {
      if (known.has(key) || isAbsent(value) || (Array.isArray(value) && value.length === 0)) continue;
      const name = (path === "" ? key : `${path}.${key}`).replace(/\[\d+\]/gu, "[]");
      if (!this.#leftovers.has(name)) this.#leftovers.set(name, value);
    }
  }

  /** Keeps a leftover that must not be lost. */
  need(name: string, value: unknown): void {
    this.#leftovers.set(name, value);
    this.#needed.add(name);
  }

  /** Keeps the first problem: `path` is prefixed to the message and becomes its `param`. */
  refuse(path: string, problem: string): undefined {
    this.failure ??= failure("invalid_request", `${path} ${problem}`, { param: path });
    return undefined;
  }

  object(value: unknown, path: string): JsonObject | undefined {
    return isObject(value) ? value : this.refuse(path, "must be an object");
  }

  array(value: unknown, path: string): readonly unknown[] {
    if (Array.isArray(value)) return value as readonly unknown[];
    this.refuse(path, "must be an array");
    return [];
  }

  string(value: unknown, path: string): string {
    if (typeof value === "string") return value;
    this.refuse(path, "must be a string");
    return "";
  }

  /** A string that is not empty. */
  word(value: unknown, path: string): string {
    if (typeof value === "string" && value !== "") return value;
    this.refuse(path, "must be a string that is not empty");
    return "";
  }

  optionalString(value: unknown, path: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : this.refuse(path, "must be a string");
  }

  optionalNumber(value: unknown, path: string): number | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "number" && Number.isFinite(value) ? value : this.refuse(path, "must be a number");
  }

  /** A whole number of at least `least`. */
  optionalCount(value: unknown, path: string, least: number): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    return this.refuse(path, `must be a whole number of at least ${least}`);
  }

  optionalBoolean(value: unknown, path: string): boolean | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "boolean" ? value : this.refuse(path, "must be true or false");
  }

  optionalObject(value: unknown, path: string): JsonObject | undefined {
    return value === undefined || value === null ? undefined : this.object(value, path);
  }

  optionalOneOf<Word extends string>(value: unknown, path: string, words: readonly Word[]): Word | undefined {
    if (value === undefined || value === null) return undefined;
    return words.find((word) => word === value) ?? this.refuse(path, `must be ${words.join(" or ")}`);
  }

  optionalWords(value: unknown, path: string): readonly string[] | undefined {
    if (value === undefined || value === null) return undefined;
    return this.array(value, path).map((item, index) => this.word(item, `${path}[${index}]`));
  }
}

/** The object without its undefined members, which JSON cannot say and `exactOptionalPropertyTypes` forbids. */
export function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  for (const key of Object.keys(object) as (keyof T)[]) if (object[key] === undefined) delete object[key];
  return object as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** The value's JSON text; undefined where it is nested too deep to be written, which no honest answer is. */
export function jsonText(value: JsonObject | readonly unknown[]): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
