import type { z } from "zod";
import { nearestName, suggestion } from "./nearest.ts";
import type { ConfigPath, Finding, Places } from "./problem.ts";
import { configJsonSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** A schema node, as far as looking up the keys known at a path needs it. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Says in plain words what is wrong with a document's shape: each finding one thing, with what to do. */
export function explainIssues(issues: readonly Issue[], places: Places): readonly Finding[] {
  const findings = issues.flatMap((issue) => explain(issue, places));
  // A mistyped key is also a missing one: only the first is worth reading.
  const meant = new Set(findings.flatMap((finding) => (finding.meant === undefined ? [] : [finding.meant.join("\0")])));
  return findings.filter((finding) => !(finding.missing === true && meant.has(finding.path.join("\0"))));
}

interface Explained extends Finding {
  readonly missing?: boolean;
  /** The path an unknown key probably stands for. */
  readonly meant?: ConfigPath;
}

function explain(issue: Issue, places: Places): readonly Explained[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, path));
    case "invalid_union":
      return explainUnion(issue, path, places);
    case "invalid_type":
      return [wrongType(issue, path, places)];
    case "invalid_value":
      return [
        {
          path,
          message: `expected ${oneOf(issue.values)}${shown(path, places)}`,
          ...nearestValue(issue.values, path, places),
        },
      ];
    case "invalid_key":
      return [{ path, message: issue.issues[0]?.message ?? "not a name" }];
    case "too_small":
    case "too_big":
      return [{ path, message: outOfRange(issue, path, places) }];
    default:
      return [{ path, message: `${issue.message}${shown(path, places)}` }];
  }
}

/** What other gateways and SDKs call it, without case, dashes and underscores. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ["apikey", "key"],
  ["token", "key"],
  ["apikeys", "keys"],
  ["baseurl", "url"],
  ["apibase", "url"],
  ["endpoint", "url"],
  ["type", "kind"],
  ["provider", "kind"],
  ["fallbacks", "targets"],
  ["models", "targets"],
  ["timeout", "timeouts"],
  ["maxretries", "retries"],
]);

function unknownKey(key: string, path: ConfigPath): Explained {
  const known = knownKeys(path);
  const usual = elsewhere.get(key.toLowerCase().replaceAll(/[_-]/gu, ""));
  const nearest = usual !== undefined && known.includes(usual) ? usual : nearestName(key, known);
  const fix = nearest === undefined ? suggestion(key, known, "known keys") : `did you mean ${JSON.stringify(nearest)}?`;
  return {
    path: [...path, key],
    message: `unknown key ${JSON.stringify(key)}`,
    ...(fix === undefined ? {} : { fix }),
    ...(nearest === undefined ? {} : { meant: [...path, nearest] }),
  };
}

/** The branch whose own shape was right is the one that was meant. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: ConfigPath, places: Places): readonly Explained[] {
  const meant = issue.errors.find((branch) => !isOtherShape(branch));
  if (meant !== undefined) {
    return meant.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, places));
  }
  const expected = issue.errors.flatMap((branch) => branch.map((inner) => expectation(inner)));
  return [{ path, message: `expected ${[...new Set(expected)].join(" or ")}${shown(path, places)}` }];
}

function isOtherShape(branch: readonly Issue[]): boolean {
  return branch.some(({ path, code }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"));
}

function expectation(issue: Issue): string {
  if (issue.code === "invalid_value") return oneOf(issue.values);
  if (issue.message.startsWith("expected ")) return issue.message.slice("expected ".length);
  return issue.code === "invalid_type" ? typeWords(issue.expected) : issue.message;
}

function wrongType(issue: z.core.$ZodIssueInvalidType, path: ConfigPath, places: Places): Explained {
  const written = places.written(path);
  if (issue.message.endsWith("received undefined") && written === undefined) {
    return { path, message: `${JSON.stringify(String(path.at(-1) ?? "document"))} is required`, missing: true };
  }
  const quoted = (issue.expected === "number" || issue.expected === "int") && /^-?[0-9.]+$/u.test(written?.text ?? "");
  return {
    path,
    message: `expected ${expectation(issue)}${shown(path, places)}`,
    ...(quoted ? { fix: "remove the quotes" } : {}),
  };
}

function outOfRange(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  path: ConfigPath,
  places: Places,
): string {
  // Own messages are kept; the library's begin with "Too".
  if (!issue.message.startsWith("Too")) return issue.message;
  const [word, bound] = issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
  const exclusive = issue.inclusive === false ? (issue.code === "too_small" ? "more than" : "less than") : word;
  const unit = issue.origin === "string" ? " characters" : issue.origin === "array" ? " entries" : "";
  return `expected ${exclusive} ${String(bound)}${unit}${shown(path, places)}`;
}

function typeWords(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    object: "a mapping (key: value)",
    record: "a mapping (name: value)",
    array: "a list",
    string: "text",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
  };
  return words[expected] ?? expected;
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? JSON.stringify(values[0]) : `one of ${values.map(String).join(", ")}`;
}

function nearestValue(values: readonly unknown[], path: ConfigPath, places: Places): { readonly fix?: string } {
  const nearest = nearestName(places.written(path)?.text ?? "", values.map(String));
  return nearest === undefined ? {} : { fix: `did you mean ${JSON.stringify(nearest)}?` };
}

/** `, not "5 s"`: what stands in the file, unless it may be a secret. */
function shown(path: ConfigPath, places: Places): string {
  const written = places.written(path);
  if (written === undefined) return "";
  const text = written.text.length > 60 ? `${written.text.slice(0, 60)}…` : written.text;
  return `, not ${written.isText ? JSON.stringify(text) : text}`;
}

/** The keys the schema knows at a path, in the schema's order. */
function knownKeys(path: ConfigPath): readonly string[] {
  let nodes: readonly SchemaNode[] = [configJsonSchema() as SchemaNode];
  for (const part of path) {
    nodes = nodes.flatMap(withBranches).flatMap((node) => below(node, part));
  }
  return [...new Set(nodes.flatMap(withBranches).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function withBranches(node: SchemaNode): readonly SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(withBranches)];
}

function below(node: SchemaNode, part: string | number): readonly SchemaNode[] {
  if (typeof part === "number") return node.items === undefined ? [] : [node.items];
  const own = node.properties?.[part];
  if (own !== undefined) return [own];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
}
