import { isObject, type JsonObject } from "./shape.ts";

const maxDepth = 64;
/** Schemas a reference is replaced in: a schema may double with each level. */
const maxInlined = 2000;
const values: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);
const maps: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas"]);

export type InlinedSchema =
  | { readonly kind: "inlined"; readonly schema: unknown }
  /** It refers to itself, to something that is not there or not in it, or grows beyond bounds. */
  | { readonly kind: "impossible"; readonly why: string };

/**
 * A JSON Schema in which each `$ref` to a part of itself (`#/$defs/Name`, `#/definitions/Name`, any pointer) is replaced
 * by that part, for languages that know no references. Words beside a `$ref` win over the part's own. The definitions
 * themselves are left out. A schema without references comes back as it was.
 */
export function inlineRefs(schema: unknown): InlinedSchema {
  if (!JSON.stringify(schema ?? null).includes('"$ref"')) return { kind: "inlined", schema };
  const inliner = new Inliner(schema);
  const inlined = inliner.read(schema, [], 0);
  return inliner.problem === undefined
    ? { kind: "inlined", schema: inlined }
    : { kind: "impossible", why: inliner.problem };
}

class Inliner {
  readonly #root: unknown;
  #inlined = 0;
  problem: string | undefined;

  constructor(root: unknown) {
    this.#root = root;
  }

  /** `within`: the references this place was reached by. */
  read(value: unknown, within: readonly string[], depth: number): unknown {
    if (this.problem !== undefined) return {};
    if (depth > maxDepth) return this.#fail("it is nested more than 64 levels deep");
    if (Array.isArray(value)) return value.map((each: unknown) => this.read(each, within, depth + 1));
    if (!isObject(value)) return value;
    const ref = value["$ref"];
    if (typeof ref !== "string") return this.#members(value, within, depth);
    if (within.includes(ref)) return this.#fail(`${ref} refers to itself`);
    this.#inlined += 1;
    if (this.#inlined > maxInlined) return this.#fail("its references make it too large");
    const target = targetOf(this.#root, ref);
    if (!isObject(target)) return this.#fail(`${ref} leads to nothing`);
    const { $ref: _, ...beside } = value;
    return this.read({ ...target, ...beside }, [...within, ref], depth + 1);
  }

  #members(value: JsonObject, within: readonly string[], depth: number): JsonObject {
    const kept = Object.entries(value).filter(([key]) => key !== "$defs" && (key !== "definitions" || depth > 0));
    return Object.fromEntries(kept.map(([key, each]) => [key, this.#member(key, each, { within, depth: depth + 1 })]));
  }

  #member(key: string, value: unknown, at: { readonly within: readonly string[]; readonly depth: number }): unknown {
    // A value is no schema, and the keys of a map are names, whatever they look like.
    if (values.has(key)) return value;
    if (!maps.has(key) || !isObject(value)) return this.read(value, at.within, at.depth);
    return Object.fromEntries(
      Object.entries(value).map(([name, schema]) => [name, this.read(schema, at.within, at.depth + 1)]),
    );
  }

  #fail(why: string): object {
    this.problem ??= why;
    return {};
  }
}

/** A JSON Pointer (RFC 6901) in a URI fragment. */
function targetOf(root: unknown, ref: string): unknown {
  if (ref !== "#" && !ref.startsWith("#/")) return undefined;
  let found = root;
  for (const step of ref.split("/").slice(1)) {
    const name = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(found)) found = (found as readonly unknown[])[Number(name)];
    else found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
