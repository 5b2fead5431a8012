import { isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";

/**
 * Reads a request as Google's JSON does (https://protobuf.dev/programming-guides/json): a field's name in camelCase or as
 * the proto has it (snake_case), `null` as absent, numbers as strings too, and one value where a list is expected.
 */
export class RequestReader extends ShapeReader {
  /** Of objects with names in snake_case: the caller's spelling by ours. */
  readonly #spellings = new WeakMap<JsonObject, ReadonlyMap<string, string>>();

  /** What is left is named as the caller wrote it. */
  override leave(object: JsonObject, known: ReadonlySet<string>, path: string): void {
    const names = Object.entries(object).map(([name, value]) => {
      return [known.has(name) ? name : this.spelling(object, name), value] as const;
    });
    super.leave(Object.fromEntries(names), known, path);
  }

  /** A member's name as the caller wrote it. */
  spelling(object: JsonObject, name: string): string {
    return this.#spellings.get(object)?.get(name) ?? name;
  }

  override object(value: unknown, path: string): JsonObject {
    return this.#camel(super.object(value, path) ?? {}, path);
  }

  override optionalObject(value: unknown, path: string): JsonObject | undefined {
    return isAbsent(value) ? undefined : this.object(value, path);
  }

  override optionalNumber(value: unknown, path: string): number | undefined {
    return super.optionalNumber(numberOf(value), path);
  }

  override optionalCount(value: unknown, path: string, least: number): number | undefined {
    return super.optionalCount(numberOf(value), path, least);
  }

  /** A repeated field: a list, one value in its place, or nothing. */
  list(value: unknown): readonly unknown[] {
    if (isAbsent(value)) return [];
    return Array.isArray(value) ? (value as readonly unknown[]) : [value];
  }

  /** A word of an enum, in upper case; undefined where it says that it says nothing. */
  optionalWord(value: unknown, path: string): string | undefined {
    const word = this.optionalString(value, path)?.toUpperCase();
    return word === undefined || word === "" || word.endsWith("UNSPECIFIED") ? undefined : word;
  }

  #camel(object: JsonObject, path: string): JsonObject {
    const names = Object.keys(object);
    if (!names.some((name) => name.includes("_"))) return object;
    const spelling = new Map<string, string>();
    for (const name of names) {
      const key = camelCase(name);
      if (spelling.has(key)) {
        this.refuse(path === "" ? key : `${path}.${key}`, "is given in two spellings; send it once");
      }
      spelling.set(key, name);
    }
    const camel = Object.fromEntries([...spelling].map(([key, name]) => [key, object[name]]));
    this.#spellings.set(camel, spelling);
    return camel;
  }
}

/** `system_instruction` as `systemInstruction`. */
export function camelCase(name: string): string {
  return name.replace(/^_/u, "").replaceAll(/_([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase());
}

/** A member under either spelling, of JSON that nobody checked. */
export function memberOf(object: unknown, name: string): unknown {
  if (!isObject(object)) return undefined;
  const key = Object.keys(object).find((each) => camelCase(each) === name);
  return key === undefined ? undefined : object[key];
}

function numberOf(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/u.test(value) ? Number(value) : value;
}
