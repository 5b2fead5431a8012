import { isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";

/**
 * Reads a request as Google's JSON does (https://protobuf.dev/programming-guides/json): a field's name in camelCase or as
 * the proto has it (snake_case), `null` as absent, numbers as strings too, and one value where a list is expected.
 */
export class RequestReader extends ShapeReader {
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
    const camel: Record<string, unknown> = {};
    for (const name of names) {
      const key = camelCase(name);
      if (key !== name && Object.hasOwn(object, key)) {
        this.refuse(path === "" ? key : `${path}.${key}`, "is given in two spellings; send it once");
      }
      camel[key] = object[name];
    }
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
