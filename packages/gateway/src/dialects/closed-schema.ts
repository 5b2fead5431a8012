import { describedWith, fittedSchemas, movedNames } from "./schema-words.ts";
import { isObject } from "./shape.ts";

const maxDepth = 64;

/**
 * Keywords that structured output refuses (Anthropic's documentation and the AI SDK's list, 2026-11). Moved into the
 * description, the model still reads them; nothing enforces them.
 */
const unsupported: ReadonlySet<string> = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "uniqueItems",
  "contains",
  "minContains",
  "maxContains",
  "minProperties",
  "maxProperties",
  "patternProperties",
  "propertyNames",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedProperties",
  "unevaluatedItems",
  "if",
  "then",
  "else",
  "not",
]);

const formats: ReadonlySet<unknown> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
]);

/** Keywords whose value is a map from names to schemas: the names are no keywords. */
const schemaMaps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
const schemaLists: ReadonlySet<string> = new Set(["anyOf", "allOf", "prefixItems"]);

/** Hears what a schema loses; each language has rows of these names in its table. */
export interface SchemaLosses {
  note(name: "schema-depth" | "schema-keywords", detail?: string): void;
}

/**
 * A JSON schema as Claude's structured output and strict tools accept it: objects are closed, `oneOf` is `anyOf`, what is
 * not supported moves to the description.
 */
export function closedSchema(schema: unknown, ledger: SchemaLosses): unknown {
  return closed(schema, ledger, 0);
}

function closed(schema: unknown, ledger: SchemaLosses, depth: number): unknown {
  if (depth > maxDepth) {
    ledger.note("schema-depth");
    return {};
  }
  if (!isObject(schema)) return schema;
  const kept: [string, unknown][] = [];
  const moved: string[] = [];
  const below = (value: unknown): unknown => closed(value, ledger, depth + 1);
  for (const [key, value] of Object.entries(schema)) {
    if (unsupported.has(key) || (key === "format" && !formats.has(value)))
      moved.push(`${key}: ${JSON.stringify(value)}`);
    else if (key === "additionalProperties" || key === "$schema" || key === "description") continue;
    else if (schemaMaps.has(key) && isObject(value)) kept.push([key, fittedSchemas(value, below)]);
    else if (key === "oneOf" && Array.isArray(value)) kept.push(["anyOf", value.map(below)]);
    else if (schemaLists.has(key) && Array.isArray(value)) kept.push([key, value.map(below)]);
    else if (key === "items") kept.push([key, below(value)]);
    else kept.push([key, value]);
  }
  const { additionalProperties } = schema;
  if (additionalProperties === true || isObject(additionalProperties)) {
    moved.push(`additionalProperties: ${JSON.stringify(additionalProperties)}`);
  }
  if (schema["type"] === "object" || isObject(schema["properties"])) kept.push(["additionalProperties", false]);
  if (moved.length > 0) ledger.note("schema-keywords", movedNames(moved));
  const description = describedWith(schema, moved);
  return Object.fromEntries(description === undefined ? kept : [...kept, ["description", description]]);
}
