import { isAbsent, ShapeReader, type JsonObject } from "#dialects/shape";

/** Reads a Messages request. `null` counts as absent in optional fields, as it does in the Messages API. */
export class RequestReader extends ShapeReader {
  /** Tool inputs with the digits they came with, by path, where parsing would change them. */
  readonly exactInputs: ReadonlyMap<string, string>;

  constructor(inputs: ReadonlyMap<string, string>) {
    super();
    this.exactInputs = inputs;
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
}
