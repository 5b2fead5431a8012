import { describedWith, fittedSchemas, movedNames } from "#dialects/schema-words";
import { isObject, type JsonObject } from "#dialects/shape";
import type { LossReport } from "./losses.ts";

const maxDepth = 64;

/**
 * Keywords that Cohere's structured outputs do not support (docs.cohere.com, "Unsupported schema features", 2026-11).
 * Moved into the description, the model still reads them; nothing enforces them.
 */
const unsupported: ReadonlySet<string> = new Set([
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "uniqueItems",
  "contains",
  "minProperties",
  "maxProperties",
  "patternProperties",
  "propertyNames",
  "dependentRequired",
  "dependentSchemas",
  "prefixItems",
]);
const formats: ReadonlySet<unknown> = new Set(["date-time", "date", "time", "uuid"]);
/** Anchors and look-aheads are what its regular expressions lack. */
const unsupportedPattern = /\^|\$|\?[=!<]/u;
const schemaMaps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);

/** A JSON schema as `response_format` takes it; undefined where it describes no object, which Cohere demands. */
export function outputSchema(schema: unknown, report: LossReport): unknown {
  if (!isObject(schema) || (schema["type"] !== "object" && !isObject(schema["properties"]))) {
    report.meet("json-schema-shape", undefined, "response_format");
    return undefined;
  }
  return fitted({ type: "object", ...schema }, report, 0);
}

function fitted(schema: unknown, report: LossReport, depth: number): unknown {
  if (depth > maxDepth) {
    report.meet("schema-depth", undefined, "response_format");
    return {};
  }
  if (!isObject(schema)) return schema;
  if (schema["type"] === "object" && !requiresSomething(schema)) {
    report.meet("json-schema-shape", undefined, "response_format");
  }
  const kept: [string, unknown][] = [];
  const moved: string[] = [];
  const below = (value: unknown): unknown => fitted(value, report, depth + 1);
  for (const [key, value] of Object.entries(schema)) {
    if (isUnsupported(key, value)) moved.push(`${key}: ${JSON.stringify(value)}`);
    else if (key === "$schema" || key === "description") continue;
    else if (schemaMaps.has(key) && isObject(value)) kept.push([key, fittedSchemas(value, below)]);
    else if ((key === "anyOf" || key === "oneOf") && Array.isArray(value)) kept.push(["anyOf", value.map(below)]);
    else if (key === "items" || key === "additionalProperties") kept.push([key, below(value)]);
    else kept.push([key, value]);
  }
  if (moved.length > 0) report.meet("schema-keywords", movedNames(moved));
  const description = describedWith(schema, moved);
  return Object.fromEntries(description === undefined ? kept : [...kept, ["description", description]]);
}

/** "Every object in the schema must have at least one `required` field specified" (the same page). */
function requiresSomething({ required }: JsonObject): boolean {
  return Array.isArray(required) && required.length > 0;
}

function isUnsupported(key: string, value: unknown): boolean {
  if (key === "format") return !formats.has(value);
  if (key === "pattern") return typeof value !== "string" || unsupportedPattern.test(value);
  return unsupported.has(key);
}
