import { createHash } from "node:crypto";
import { isObject } from "#dialects/shape";

/** The shortest limit of the languages functions are sent in. */
const longestName = 64;
const separator = "__";
const digestLength = 8;

export interface OwnName {
  readonly name: string;
  readonly namespace?: string;
}

/**
 * Tools of a namespace (Codex groups its own so) under one name each, as languages without namespaces need them, and
 * back again. Both ways are told by the caller's list of tools alone, so that every turn gives the same names.
 */
export class NamespaceNames {
  readonly #flat = new Map<string, OwnName>();
  readonly #plain: ReadonlySet<unknown>;

  /** `tools` as the caller sent them, whatever they are. */
  constructor(tools: unknown) {
    const list: readonly unknown[] = Array.isArray(tools) ? tools : [];
    this.#plain = new Set(list.map((tool) => (isObject(tool) ? tool["name"] : undefined)));
    for (const space of list) {
      if (!isObject(space) || space["type"] !== "namespace" || !Array.isArray(space["tools"])) continue;
      const { name: namespace } = space;
      for (const tool of space["tools"] as readonly unknown[]) {
        const name = isObject(tool) ? tool["name"] : undefined;
        if (typeof name !== "string" || typeof namespace !== "string") continue;
        this.#flat.set(this.flat({ name, namespace }), { name, namespace });
      }
    }
  }

  /** One name that no function outside the namespace has. */
  flat({ name, namespace }: OwnName): string {
    if (namespace === undefined || namespace === "") return name;
    const joined = `${namespace}${separator}${name}`;
    if (joined.length <= longestName && !this.#plain.has(joined)) return joined;
    const digest = createHash("sha256").update(`${namespace}\0${name}`).digest("hex").slice(0, digestLength);
    return `${joined.slice(0, longestName - digestLength - 1)}_${digest}`;
  }

  /** As the caller knows the function. */
  own(flat: string): OwnName {
    return this.#flat.get(flat) ?? { name: flat };
  }
}
