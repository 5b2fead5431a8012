import { isObject } from "#dialects/shape";

const deepest = 64;
const schemaMaps = ["properties", "$defs", "definitions"] as const;
const schemaLists = ["anyOf", "prefixItems"] as const;
/** Keywords outside the part that OpenAI enforces (its guide to structured outputs, 2026-11). */
const outside = ["allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "dependentSchemas"] as const;

/**
 * Whether OpenAI enforces a schema as it stands: every object is closed and requires all its properties. One that is
 * not is answered with 400 under `strict: true`.
 */
export function isStrictSchema(schema: unknown): boolean {
  return isObject(schema) && schema["type"] === "object" && schema["anyOf"] === undefined && fits(schema, 0);
}

function fits(schema: unknown, depth: number): boolean {
  if (depth > deepest || !isObject(schema) || outside.some((keyword) => keyword in schema)) return false;
  const { type, properties = {}, required = [], additionalProperties } = schema;
  if (type === "object" || isObject(schema["properties"])) {
    if (additionalProperties !== false || !isObject(properties) || !Array.isArray(required)) return false;
    if (!Object.keys(properties).every((name) => required.includes(name))) return false;
  }
  const below = [
    ...schemaMaps.flatMap((keyword) => Object.values(isObject(schema[keyword]) ? schema[keyword] : {})),
    ...schemaLists.flatMap((keyword) =>
      Array.isArray(schema[keyword]) ? (schema[keyword] as readonly unknown[]) : [],
    ),
    ...("items" in schema ? [schema["items"]] : []),
  ];
  return below.every((each) => fits(each, depth + 1));
}
