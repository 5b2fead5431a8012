import { canonicalJson } from "./canonical-json.ts";
import { characters } from "./characters.ts";
import { isObject, type JsonObject } from "./json-value.ts";
import { patternSteps } from "./pattern-steps.ts";

/** What a check may take, in estimated steps of patterns, which are nanoseconds; a visited schema takes as long as some. */
const maxSteps = 2_000_000;
const stepsPerSchema = 40;
const maxDepth = 100;

export interface SchemaCheck {
  readonly fault?: SchemaFault;
  /** Keywords of the schema that were not checked, by name. At most 16. */
  readonly unchecked: readonly string[];
}

/** The first violation. It names the schema's words, and nothing of the value. */
export interface SchemaFault {
  /** `items[].name`; empty for the value itself. */
  readonly path: string;
  readonly keyword: string;
  /** Of `required`: the property that is missing. */
  readonly missing?: string;
}

/**
 * Checks a JSON value against what structured output uses of JSON Schema (draft 2020-12, and what earlier drafts and
 * OpenAPI spell otherwise): types, values, bounds, `anyOf`, `oneOf`, `allOf`, `not`, and `$ref` inside the document. What it
 * does not know or cannot check in time is no fault, and is named in `unchecked`.
 */
export function checkSchema(value: unknown, schema: unknown): SchemaCheck {
  const check = new Check(schema);
  const fault = check.faultOf(value, schema, { path: "", depth: 0 });
  return { ...(fault === undefined ? {} : { fault }), unchecked: [...check.unchecked].toSorted().slice(0, 16) };
}

interface Place {
  readonly path: string;
  readonly depth: number;
}

/** Says nothing of a value. */
const annotations: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$comment",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "deprecated",
  "example",
  "examples",
  "format",
  "readOnly",
  "writeOnly",
  "nullable",
  "strict",
  "propertyOrdering",
]);

type Rule = (given: {
  value: unknown;
  limit: unknown;
  schema: JsonObject;
  place: Place;
  check: Check;
}) => SchemaFault | boolean;

class Check {
  readonly unchecked = new Set<string>();
  readonly #root: unknown;
  #steps = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  faultOf(value: unknown, schema: unknown, place: Place): SchemaFault | undefined {
    if (schema === false) return { path: place.path, keyword: "false" };
    if (!isObject(schema)) return undefined;
    if (place.depth > maxDepth || !this.afford(stepsPerSchema)) {
      this.unchecked.add(place.depth > maxDepth ? "(too deep)" : "(too large)");
      return undefined;
    }
    if (value === null && schema["nullable"] === true) return undefined;
    for (const [keyword, limit] of Object.entries(schema)) {
      const rule = Object.hasOwn(rules, keyword) ? rules[keyword] : undefined;
      if (rule === undefined) {
        if (!annotations.has(keyword)) this.unchecked.add(keyword.slice(0, 40));
        continue;
      }
      const found = rule({ value, limit, schema, place, check: this });
      if (found === false) return { path: place.path, keyword };
      if (found !== true) return found;
    }
    return undefined;
  }

  afford(steps: number): boolean {
    this.#steps += steps;
    return this.#steps <= maxSteps;
  }

  /** One text for equal values; undefined where it takes too long, or the value is too deep. */
  spelled(value: unknown): string | undefined {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    const text = json !== undefined && this.afford(json.length * stepsPerSchema) ? canonicalJson(json) : undefined;
    if (text === undefined) this.unchecked.add("(too large)");
    return text;
  }

  /** A JSON pointer inside the document. */
  target(reference: unknown): unknown {
    if (reference === "#") return this.#root;
    if (typeof reference !== "string" || !reference.startsWith("#/")) return undefined;
    let at: unknown = this.#root;
    for (const part of reference.slice(2).split("/")) {
      const name = unescaped(part);
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
      at = (at as JsonObject)[name];
    }
    return at;
  }
}

function unescaped(part: string): string {
  const plain = part.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

function deeper({ path, depth }: Place, step: string): Place {
  return { path: `${path}${step}`.replace(/^\./u, ""), depth: depth + 1 };
}

/** A rule for numbers, strings, lists or objects alone: anything else passes. */
function bound(sizeOf: (value: unknown) => number | undefined, holds: (size: number, limit: number) => boolean): Rule {
  return ({ value, limit }) => {
    const size = sizeOf(value);
    return size === undefined || typeof limit !== "number" || holds(size, limit);
  };
}

const sizes = {
  number: (value: unknown) => (typeof value === "number" ? value : undefined),
  text: (value: unknown) => (typeof value === "string" ? characters(value) : undefined),
  list: (value: unknown) => (Array.isArray(value) ? value.length : undefined),
  object: (value: unknown) => (isObject(value) ? Object.keys(value).length : undefined),
};
const atLeast = (size: number, limit: number): boolean => size >= limit;
const atMost = (size: number, limit: number): boolean => size <= limit;

const rules: Readonly<Record<string, Rule>> = {
  type: ({ value, limit, check }) => {
    const types = (Array.isArray(limit) ? (limit as readonly unknown[]) : [limit]).map((type) =>
      String(type).toLowerCase(),
    );
    if (types.every((type) => knownTypes.has(type))) return types.some((type) => isOfType(value, type));
    check.unchecked.add("type");
    return true;
  },
  enum: ({ value, limit, check }) => !Array.isArray(limit) || limit.some((one) => isSame(value, one, check)),
  const: ({ value, limit, check }) => isSame(value, limit, check),
  minimum: ({ value, limit, schema }) =>
    typeof value !== "number" ||
    typeof limit !== "number" ||
    (schema["exclusiveMinimum"] === true ? value > limit : value >= limit),
  maximum: ({ value, limit, schema }) =>
    typeof value !== "number" ||
    typeof limit !== "number" ||
    (schema["exclusiveMaximum"] === true ? value < limit : value <= limit),
  exclusiveMinimum: bound(sizes.number, (size, limit) => size > limit),
  exclusiveMaximum: bound(sizes.number, (size, limit) => size < limit),
  multipleOf: bound(sizes.number, (size, limit) => {
    const times = size / limit;
    return limit <= 0 || Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
  }),
  minLength: bound(sizes.text, atLeast),
  maxLength: bound(sizes.text, atMost),
  minItems: bound(sizes.list, atLeast),
  maxItems: bound(sizes.list, atMost),
  minProperties: bound(sizes.object, atLeast),
  maxProperties: bound(sizes.object, atMost),
  pattern: ({ value, limit, check }) => {
    if (typeof value !== "string" || typeof limit !== "string") return true;
    const steps = patternSteps(limit, value.length);
    if (steps !== undefined && check.afford(steps)) return new RegExp(limit, "u").test(value);
    check.unchecked.add("pattern");
    return true;
  },
  uniqueItems: ({ value, limit, check }) => {
    if (limit !== true || !Array.isArray(value)) return true;
    return new Set(value.map((item) => check.spelled(item) ?? {})).size === value.length;
  },
  required: ({ value, limit, place }) => {
    if (!isObject(value) || !Array.isArray(limit)) return true;
    const missing = (limit as readonly unknown[]).find(
      (name) => typeof name === "string" && !Object.hasOwn(value, name),
    );
    return typeof missing === "string" ? { path: place.path, keyword: "required", missing } : true;
  },
  properties: ({ value, limit, place, check }) => {
    if (!isObject(value) || !isObject(limit)) return true;
    for (const [name, schema] of Object.entries(limit)) {
      if (!Object.hasOwn(value, name)) continue;
      const fault = check.faultOf(value[name], schema, deeper(place, `.${name}`));
      if (fault !== undefined) return fault;
    }
    return true;
  },
  additionalProperties: ({ value, limit, schema, place, check }) => {
    if (!isObject(value) || limit === true) return true;
    if (schema["patternProperties"] !== undefined) {
      check.unchecked.add("additionalProperties");
      return true;
    }
    const known = isObject(schema["properties"]) ? schema["properties"] : {};
    for (const [name, item] of Object.entries(value)) {
      if (Object.hasOwn(known, name)) continue;
      if (limit === false) return false;
      const fault = check.faultOf(item, limit, deeper(place, ".*"));
      if (fault !== undefined) return fault;
    }
    return true;
  },
  items: ({ value, limit, schema, place, check }) => {
    if (!Array.isArray(value)) return true;
    const first = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"].length : 0;
    const each = Array.isArray(limit) ? (limit as readonly unknown[]) : undefined;
    return faultOfItems(
      value,
      (index) => (each === undefined ? (index < first ? true : limit) : (each[index] ?? true)),
      {
        place,
        check,
      },
    );
  },
  prefixItems: ({ value, limit, place, check }) => {
    if (!Array.isArray(value) || !Array.isArray(limit)) return true;
    return faultOfItems(value, (index) => (limit as readonly unknown[])[index] ?? true, { place, check });
  },
  allOf: ({ value, limit, place, check }) => {
    const faults = faultsOf(value, limit, { place, check });
    return faults.find((fault) => fault !== undefined) ?? true;
  },
  anyOf: ({ value, limit, place, check }) => {
    const faults = faultsOf(value, limit, { place, check });
    return faults.length === 0 || faults.includes(undefined);
  },
  oneOf: ({ value, limit, place, check }) => {
    const faults = faultsOf(value, limit, { place, check });
    return faults.length === 0 || faults.filter((fault) => fault === undefined).length === 1;
  },
  not: ({ value, limit, place, check }) => check.faultOf(value, limit, deeper(place, "")) !== undefined,
  $ref: ({ value, limit, place, check }) => {
    const target = check.target(limit);
    if (target !== undefined) return check.faultOf(value, target, deeper(place, "")) ?? true;
    check.unchecked.add("$ref");
    return true;
  },
};

const knownTypes: ReadonlySet<string> = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

interface Inside {
  readonly place: Place;
  readonly check: Check;
}

function faultOfItems(
  items: readonly unknown[],
  schemaAt: (index: number) => unknown,
  { place, check }: Inside,
): SchemaFault | true {
  for (const [index, item] of items.entries()) {
    const fault = check.faultOf(item, schemaAt(index), deeper(place, "[]"));
    if (fault !== undefined) return fault;
  }
  return true;
}

function faultsOf(value: unknown, schemas: unknown, { place, check }: Inside): readonly (SchemaFault | undefined)[] {
  if (!Array.isArray(schemas)) return [];
  return (schemas as readonly unknown[]).map((schema) => check.faultOf(value, schema, deeper(place, "")));
}

function isSame(a: unknown, b: unknown, check: Check): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [one, other] = [check.spelled(a), check.spelled(b)];
  return one === undefined || other === undefined || one === other;
}
