import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configJsonSchema, renderConfigSchema } from "./schema.ts";

const packageFolder = new URL("../../../", import.meta.url);
const documentation = readFileSync(new URL("../../docs/configuration.md", packageFolder), "utf8");

interface Node {
  readonly default?: string | number | boolean;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  /** What stands in several places, once: the places point here. */
  readonly $defs?: Readonly<Record<string, Node>>;
}

/** Every path of the schema, as the documentation writes it, with what its `default` cell must hold. */
function schemaRows(node: Node, path = ""): readonly (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  const add = (name: string, child: Node, required = false) => {
    const byDefault = child.default === undefined ? "" : `\`${child.default}\``;
    rows.push([name, required ? "required" : byDefault], ...schemaRows(child, name));
  };
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    add(path === "" ? key : `${path}.${key}`, child, node.required?.includes(key));
  }
  if (typeof node.additionalProperties === "object") add(`${path}.NAME`, node.additionalProperties);
  if (node.items !== undefined) add(`${path}[]`, node.items);
  for (const branch of node.anyOf ?? []) rows.push(...schemaRows(branch, path));
  for (const [name, shared] of Object.entries(node.$defs ?? {})) rows.push(...schemaRows(shared, name));
  return rows;
}

function documentedRows(): readonly (readonly [string, string])[] {
  return documentation
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [, path = "", , byDefault = ""] = line.split("|").map((cell) => cell.trim());
      return [path.replaceAll("`", ""), byDefault] as const;
    });
}

/** Paths that say nothing about themselves, neither at their place nor in a branch. */
function undescribed(node: Node, path = ""): readonly string[] {
  const found: string[] = [];
  const look = (child: Node, at: string) => {
    const silent =
      child.description === undefined &&
      !("$ref" in child) &&
      !child.anyOf?.some((branch) => branch.description !== undefined);
    if (silent) found.push(at);
    found.push(...undescribed(child, at));
  };
  for (const [key, child] of Object.entries(node.properties ?? {})) look(child, `${path}.${key}`);
  if (typeof node.additionalProperties === "object") look(node.additionalProperties, `${path}.NAME`);
  if (node.items !== undefined) look(node.items, `${path}[]`);
  for (const branch of node.anyOf ?? []) found.push(...undescribed(branch, path));
  for (const [name, shared] of Object.entries(node.$defs ?? {})) look(shared, name);
  return found;
}

describe("the published schema", () => {
  it("is up to date: run `node --conditions=hedgerow-source scripts/build-schema.ts` when this fails", () => {
    expect(readFileSync(new URL("hedgerow.schema.json", packageFolder), "utf8")).toBe(renderConfigSchema());
  });

  it("describes every key", () => {
    expect(undescribed(configJsonSchema() as Node)).toEqual([]);
  });
});

describe("docs/configuration.md", () => {
  it("documents every path of the schema with its default, and no path that does not exist", () => {
    const byPath = (rows: readonly (readonly [string, string])[]) => rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
    expect(byPath(documentedRows())).toEqual(byPath(schemaRows(configJsonSchema() as Node)));
  });
});
