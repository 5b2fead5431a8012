import { inlineRefs } from "#dialects/inline-refs";
import { describedWith, fittedSchemas, movedNames } from "#dialects/schema-words";
import { isObject, type JsonObject } from "#dialects/shape";
import type { LossLedger } from "./losses.ts";

const maxDepth = 64;

/**
 * The part of JSON Schema that `parametersJsonSchema` and `responseJsonSchema` know
 * (ai.google.dev/api/generate-content#GenerationConfig, 2026-11).
 */
const known: ReadonlySet<string> = new Set([
  "type",
  "format",
  "title",
  "description",
  "enum",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "required",
  "propertyOrdering",
  "$ref",
]);

/** Words about the schema, which no answer depends on. */
const remarks: ReadonlySet<string> = new Set(["$schema", "$id", "$anchor", "$comment", "id", "deprecated", "examples"]);
const maps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
const lists: ReadonlySet<string> = new Set(["anyOf", "prefixItems"]);

/**
 * A JSON schema as Gemini takes it, by allow-list: references are replaced by what they stand for (recursive ones stay,
 * Gemini unrolls them itself), `const` is an `enum` of one, `oneOf` is `anyOf`, `allOf` is joined, and what is not
 * known moves to the description.
 */
export function knownSchema(schema: unknown, ledger: LossLedger): unknown {
  if (depthOf(schema) > maxDepth) {
    ledger.note("schema-depth");
    return {};
  }
  const inlined = inlineRefs(schema);
  return reduced(inlined.kind === "inlined" ? inlined.schema : schema, ledger);
}

/** How deep a value is nested, as far as it matters. */
function depthOf(value: unknown, depth = 0): number {
  if (depth > maxDepth + 1 || typeof value !== "object" || value === null) return depth;
  return Object.values(value).reduce<number>((most, each) => Math.max(most, depthOf(each, depth + 1)), depth);
}

function reduced(schema: unknown, ledger: LossLedger): unknown {
  if (!isObject(schema)) return schema === true || schema === false ? {} : schema;
  const joined = Array.isArray(schema["allOf"]) ? joinAll(schema, schema["allOf"]) : schema;
  const kept: [string, unknown][] = [];
  const moved: string[] = [];
  const byDefault: string[] = [];
  const below = (value: unknown): unknown => reduced(value, ledger);
  for (const [key, value] of Object.entries(joined)) {
    if (key === "description" || remarks.has(key)) continue;
    if (known.has(key)) kept.push([key, value]);
    else if (maps.has(key) && isObject(value)) kept.push([key, fittedSchemas(value, below)]);
    else if (lists.has(key) && Array.isArray(value)) kept.push([key, value.map(below)]);
    else if (key === "oneOf" && Array.isArray(value)) kept.push(["anyOf", value.map(below)]);
    else if (key === "items") kept.push(Array.isArray(value) ? ["prefixItems", value.map(below)] : [key, below(value)]);
    else if (key === "additionalProperties") kept.push([key, isObject(value) ? below(value) : value]);
    else if (key === "const" && isWord(value)) kept.push(["enum", [value]]);
    else if (key === "default") byDefault.push(`Default: ${JSON.stringify(value)}.`);
    else moved.push(`${key}: ${JSON.stringify(value)}`);
  }
  if (moved.length > 0) ledger.note("schema-keywords", movedNames(moved));
  const description = describedWith(joined, moved, byDefault);
  return Object.fromEntries(description === undefined ? kept : [...kept, ["description", description]]);
}

/** An `enum` holds texts and numbers alone. */
function isWord(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

/** All of several schemas in one: properties and requirements add up, of other words the first one counts. */
function joinAll(schema: JsonObject, all: readonly unknown[]): JsonObject {
  const { allOf: _, ...outer } = schema;
  const properties: Record<string, unknown> = {};
  const required = new Set<unknown>();
  const words: Record<string, unknown> = {};
  for (const part of [outer, ...all].filter(isObject)) {
    const whole = Array.isArray(part["allOf"]) ? joinAll(part, part["allOf"]) : part;
    addMissing(properties, objectOr(whole["properties"]));
    for (const name of listOr(whole["required"])) required.add(name);
    addMissing(words, whole);
  }
  if (Object.keys(properties).length > 0) words["properties"] = properties;
  if (required.size > 0) words["required"] = [...required];
  return words;
}

function addMissing(to: Record<string, unknown>, from: JsonObject): void {
  for (const [key, value] of Object.entries(from)) if (!Object.hasOwn(to, key)) to[key] = value;
}

function objectOr(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOr(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A default asks for nothing in a JSON schema either: as words it loses nothing. */
