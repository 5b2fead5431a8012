import { hasFragileNumbers, parseExact } from "#dialects/exact-numbers";
import { isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";

/** Reads a Converse request. `null` counts as absent in optional fields, as it does in Amazon's protocols. */
export class RequestReader extends ShapeReader {
  /** The messages once more, with the digits their numbers came with; undefined where parsing changes none. */
  readonly #exact: unknown;

  /** `text` is the body; `messages` of it are read from under `path`. */
  constructor(text: string, path: readonly string[]) {
    super();
    const isFragile = (text.includes('"toolUse"') || text.includes('"json"')) && hasFragileNumbers(text);
    this.#exact = isFragile ? at(parseExact(text), path) : undefined;
  }

  /** The value's JSON with the digits it came with; `steps` lead to it from the request. */
  json(value: unknown, steps: readonly (string | number)[]): string {
    const exact = this.#exact === undefined ? undefined : at(this.#exact, steps);
    return JSON.stringify(exact ?? value);
  }

  override object(value: unknown, path: string): JsonObject {
    return super.object(value, path) ?? {};
  }

  optionalArray(value: unknown, path: string): readonly unknown[] {
    return isAbsent(value) ? [] : this.array(value, path);
  }

  /** The one member of a union, by name; `type` beside it says the same and is not counted. */
  member(value: unknown, path: string): readonly [name: string, inside: unknown] {
    const members = Object.entries(this.object(value, path)).filter(
      ([name, inside]) => name !== "type" && !isAbsent(inside),
    );
    const [only] = members;
    if (members.length === 1 && only !== undefined) return only;
    this.refuse(path, "must have exactly one member");
    return ["", undefined];
  }
}

function at(value: unknown, steps: readonly (string | number)[]): unknown {
  let inside = value;
  for (const step of steps) {
    if (typeof step === "number") inside = Array.isArray(inside) ? (inside as readonly unknown[])[step] : undefined;
    else inside = isObject(inside) ? inside[step] : undefined;
  }
  return inside;
}
