import { object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation } from "#simulation/voice";

/** Fields of Google's `Schema`; JSON Schema has others, and they are refused (ai.google.dev/api/caching#Schema). */
const known = new Set(
  (
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties " +
    "minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum"
  ).split(" "),
);

const types = new Set(["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "TYPE_UNSPECIFIED"]);

/** What Google refuses in a schema of its own kind, the first breach found. */
export function checkSchema(given: unknown, at: string): Violation | undefined {
  const schema = object(given);
  if (schema === undefined) return { message: `Invalid value at '${at}' (oneof), expected a schema.` };
  const odd = Object.keys(schema).find((field) => !known.has(field));
  if (odd !== undefined) {
    return { message: `Invalid JSON payload received. Unknown name "${odd}" at '${at}': Cannot find field.` };
  }
  return checkType(schema, at) ?? checkInside(schema, at);
}

function checkType(schema: JsonObject, at: string): Violation | undefined {
  const { type } = schema;
  if (Array.isArray(type)) {
    return {
      message: `Invalid JSON payload received. Unknown name "type" at '${at}': Proto field is not repeating, cannot start list.`,
    };
  }
  if (type !== undefined && !types.has(wordOf(type).toUpperCase())) {
    return { message: `Invalid value at '${at}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type)` };
  }
  const word = wordOf(type).toUpperCase();
  if (Array.isArray(schema["enum"])) {
    const values = schema["enum"] as readonly unknown[];
    if (values.some((value) => typeof value !== "string")) {
      return { message: `Invalid value at '${at}.enum[0]' (TYPE_STRING)` };
    }
    if (word !== "STRING") return { message: `* GenerateContentRequest.${at}.enum: only allowed for STRING type` };
    if (values.includes("")) return { message: `* GenerateContentRequest.${at}.enum[0]: cannot be empty` };
  }
  return word === "ARRAY" && schema["items"] === undefined
    ? { message: `* GenerateContentRequest.${at}.items: missing field.` }
    : undefined;
}

function checkInside(schema: JsonObject, at: string): Violation | undefined {
  const properties = object(schema["properties"]) ?? {};
  const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
  const undefinedAt = required.findIndex((name) => !Object.hasOwn(properties, wordOf(name)));
  if (undefinedAt >= 0) {
    return { message: `* GenerateContentRequest.${at}.required[${undefinedAt}]: property is not defined` };
  }
  const parts: [string, unknown][] = [
    ...Object.entries(properties).map(([name, part]): [string, unknown] => [`${at}.properties[${name}]`, part]),
    ...objects(schema["anyOf"]).map((part, index): [string, unknown] => [`${at}.any_of[${index}]`, part]),
  ];
  if (schema["items"] !== undefined) parts.push([`${at}.items`, schema["items"]]);
  for (const [place, part] of parts) {
    const wrong = checkSchema(part, place);
    if (wrong) return wrong;
  }
  return undefined;
}
