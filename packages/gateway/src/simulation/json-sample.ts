import { object, objects } from "./received-request.ts";

/** Deeper than any schema a person writes; a schema that refers to itself ends here. */
const maxDepth = 12;
/** From here down only what the schema requires is made: optional parts that refer to themselves would never end. */
const sparseDepth = 4;

/**
 * A small value that fits a JSON Schema: enough for the keywords tools and structured output use (type, properties,
 * required, items, enum, const, anyOf, oneOf, allOf, $ref into the same document, lengths, bounds, common formats).
 */
export function sampleJson(schema: unknown, root: unknown = schema, depth = 0): unknown {
  const rules = object(schema);
  if (rules === undefined || depth > maxDepth) return {};
  if ("const" in rules) return rules["const"];
  if (Array.isArray(rules["enum"]) && rules["enum"].length > 0) return rules["enum"][0];
  if (rules["default"] !== undefined) return rules["default"];
  if (typeof rules["$ref"] === "string") return sampleJson(resolve(root, rules["$ref"]), root, depth + 1);
  const all = objects(rules["allOf"]);
  if (all.length > 0) {
    const parts = [{ ...rules, allOf: undefined }, ...all].map((part) => sampleJson(part, root, depth + 1));
    return Object.assign({}, ...parts.filter((part) => object(part)));
  }
  const options = [...objects(rules["anyOf"]), ...objects(rules["oneOf"])];
  if (options[0] !== undefined) return sampleJson(options[0], root, depth + 1);
  return sampleType(rules, root, depth);
}

function sampleType(rules: Readonly<Record<string, unknown>>, root: unknown, depth: number): unknown {
  const types = Array.isArray(rules["type"]) ? rules["type"] : [rules["type"]];
  const type: unknown = types.find((one) => one !== "null") ?? types[0];
  switch (typeof type === "string" ? type.toLowerCase() : undefined) {
    case "string":
      return sampleString(rules);
    case "integer":
      return Math.ceil(sampleNumber(rules, 1));
    case "number":
      return sampleNumber(rules, 1);
    case "boolean":
      return true;
    case "null":
      return null;
    case "array": {
      const asked = typeof rules["minItems"] === "number" ? rules["minItems"] : depth < sparseDepth ? 1 : 0;
      const items = Array.isArray(rules["prefixItems"]) ? rules["prefixItems"] : [];
      const most = typeof rules["maxItems"] === "number" ? rules["maxItems"] : 100;
      const length = Math.min(Math.max(asked, items.length), most);
      return Array.from({ length }, (_, index) => sampleJson(items[index] ?? rules["items"], root, depth + 1));
    }
    default: {
      const required = Array.isArray(rules["required"]) ? rules["required"] : [];
      const properties = object(rules["properties"]) ?? {};
      const wanted = Object.entries(properties).filter(([name]) => depth < sparseDepth || required.includes(name));
      return Object.fromEntries(wanted.map(([name, part]) => [name, sampleJson(part, root, depth + 1)]));
    }
  }
}

const formats: Readonly<Record<string, string>> = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  time: "12:00:00Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
  ipv4: "192.0.2.1",
};

function sampleString(rules: Readonly<Record<string, unknown>>): string {
  const format = typeof rules["format"] === "string" ? formats[rules["format"]] : undefined;
  if (format !== undefined) return format;
  const least = typeof rules["minLength"] === "number" ? Math.min(rules["minLength"], 10_000) : 0;
  const most = typeof rules["maxLength"] === "number" ? rules["maxLength"] : Number.POSITIVE_INFINITY;
  return "simulated".padEnd(least, ".").slice(0, Math.max(most, least));
}

function sampleNumber(rules: Readonly<Record<string, unknown>>, wish: number): number {
  const bound = (key: string): number | undefined => (typeof rules[key] === "number" ? rules[key] : undefined);
  const over = bound("exclusiveMinimum");
  const under = bound("exclusiveMaximum");
  const least = bound("minimum") ?? (over === undefined ? wish : over + 1);
  const most = bound("maximum") ?? (under === undefined ? Number.POSITIVE_INFINITY : under - 1);
  return Math.min(Math.max(wish, least), most);
}

function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith("#")) return {};
  let found: unknown = root;
  for (const part of reference.slice(1).split("/").filter(Boolean)) {
    found = object(found)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return found;
}
