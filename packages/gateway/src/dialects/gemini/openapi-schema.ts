import { isObject, type JsonObject } from "#dialects/shape";
import { camelCase } from "./request-reader.ts";

const typeWords: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean", "array", "object", "null"]);

/** Counts, which the proto has as 64-bit numbers and its JSON as strings. */
const counts: ReadonlySet<string> = new Set([
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
  "minProperties",
  "maxProperties",
]);

/** OpenAPI's formats of numbers and enums, which say no more than the type does. */
const numberFormats: ReadonlySet<string> = new Set(["int32", "int64", "float", "double", "enum"]);

/** The proto's fields of several words, which may come as the proto has them. */
const protoNames: ReadonlySet<string> = new Set(["any_of", "property_ordering", ...[...counts].map(snakeCase)]);

const maps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions", "patternProperties"]);
const lists: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const schemas: ReadonlySet<string> = new Set(["items", "additionalProperties", "not"]);

/**
 * JSON Schema of what Google takes as one: its subset of OpenAPI 3.0 (`type: "STRING"`, `nullable`, `propertyOrdering`:
 * https://ai.google.dev/api/caching#Schema), JSON Schema itself, and mixtures such as Gemini CLI sends (upper-case types
 * in a `parametersJsonSchema`).
 */
export function jsonSchemaOf(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const read = Object.fromEntries(Object.entries(schema).flatMap(([name, value]) => wordOf(name, value)));
  const ordering = schema["propertyOrdering"] ?? schema["property_ordering"];
  if (isObject(read["properties"]) && Array.isArray(ordering)) {
    read["properties"] = ordered(read["properties"], ordering);
  }
  if (read["enum"] !== undefined) read["enum"] = enumOf(read["enum"], read["type"]);
  return schema["nullable"] === true ? nullable(read) : read;
}

/** One word of a schema in JSON Schema's form; none where JSON Schema says it elsewhere or not at all. */
function wordOf(name: string, value: unknown): readonly (readonly [name: string, value: unknown])[] {
  const key = protoNames.has(name) ? camelCase(name) : name;
  switch (key) {
    case "nullable":
    case "propertyOrdering":
      return [];
    case "format":
      return typeof value === "string" && numberFormats.has(value) ? [] : [[key, value]];
    case "example":
      return [["examples", [value]]];
    case "type":
      return value === "TYPE_UNSPECIFIED" ? [] : [[key, typeOf(value)]];
    default:
      return [[key, memberOf(key, value)]];
  }
}

/** The schema of a function's arguments; one that takes none may come without. */
export function argumentsSchemaOf(schema: unknown): unknown {
  const read = jsonSchemaOf(schema);
  if (isObject(read) && Object.keys(read).length > 0) return read;
  return { type: "object", properties: {} };
}

function memberOf(key: string, value: unknown): unknown {
  if (maps.has(key) && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonSchemaOf(each)]));
  }
  if (lists.has(key) && Array.isArray(value)) return value.map(jsonSchemaOf);
  if (schemas.has(key)) return Array.isArray(value) ? value.map(jsonSchemaOf) : jsonSchemaOf(value);
  if (counts.has(key) && typeof value === "string" && /^\d+$/u.test(value)) return Number(value);
  return value;
}

function typeOf(type: unknown): unknown {
  if (Array.isArray(type)) return type.map(typeOf);
  const word = typeof type === "string" ? type.toLowerCase() : "";
  return typeWords.has(word) ? word : type;
}

/** Enums of the proto are strings whatever the type. */
function enumOf(values: unknown, type: unknown): unknown {
  if (!Array.isArray(values) || (type !== "integer" && type !== "number")) return values;
  return values.map((value: unknown) => (typeof value === "string" && isNumeric(value) ? Number(value) : value));
}

function isNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

function nullable(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (type === undefined && values === undefined) {
    return Array.isArray(schema["anyOf"])
      ? { ...schema, anyOf: [...(schema["anyOf"] as readonly unknown[]), { type: "null" }] }
      : schema;
  }
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return {
    ...schema,
    ...(type === undefined || types.includes("null") ? {} : { type: [...types, "null"] }),
    ...(!Array.isArray(values) || values.includes(null) ? {} : { enum: [...(values as readonly unknown[]), null] }),
  };
}

/** A model writes properties in the order it is shown them. */
function ordered(properties: JsonObject, ordering: readonly unknown[]): JsonObject {
  const first = ordering.filter((name): name is string => typeof name === "string" && Object.hasOwn(properties, name));
  const names = new Set([...first, ...Object.keys(properties)]);
  return Object.fromEntries([...names].map((name) => [name, properties[name]]));
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}
