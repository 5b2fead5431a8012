import type { JsonObject } from "./shape.ts";

/** Each schema of a map from names to schemas, fitted; the names are no keywords. */
export function fittedSchemas(schemas: JsonObject, fit: (schema: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, value]) => [name, fit(value)]));
}

/** The schema's own description and, in words the model reads, the keywords that the target does not take. */
export function describedWith(
  schema: JsonObject,
  moved: readonly string[],
  also: readonly string[] = [],
): string | undefined {
  const said = typeof schema["description"] === "string" ? [schema["description"]] : [];
  const words = [...said, ...also, ...(moved.length === 0 ? [] : [`Must hold: ${moved.join("; ")}.`])];
  return words.length === 0 ? undefined : words.join("\n");
}

/** The names of keywords that were moved there, for a warning. */
export function movedNames(moved: readonly string[]): string {
  return moved.map((keyword) => keyword.split(":")[0]).join(", ");
}
