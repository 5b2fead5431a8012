import { LineCounter, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { behaviourSchema, contradictions, type Behaviour } from "./behaviour.ts";
import type { ReceivedRequest } from "./received-request.ts";

const match = z.strictObject({
  /** The model's name as the request says it. */
  model: z.string().optional(),
  dialect: z
    .enum(["openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse", "cohere-chat"])
    .optional(),
  /** Default `generate`. */
  operation: z.enum(["generate", "count-tokens", "embed", "complete", "moderate", "rerank"]).optional(),
  streamed: z.boolean().optional(),
  /** Whether log-probabilities are asked for. */
  logprobs: z.boolean().optional(),
  /** Some text of the prompt contains this, case and all. */
  contains: z.string().min(1).optional(),
  /** Only the nth request that meets the other conditions and was not taken by an earlier rule; from 1. */
  nth: z.int().positive().optional(),
  /** Only the first so many of them. */
  times: z.int().positive().optional(),
});

const ruleSchema = z.strictObject({ match: match.optional(), behaviour: behaviourSchema });

const scriptSchema = z.strictObject({
  rules: z.array(ruleSchema),
  /** What `GET /v1/models` lists. Default: the built-in models. */
  models: z.array(z.string().min(1)).optional(),
  /** What happens to new connections. `{reset: n}`: the first n are reset, the rest accepted. */
  connections: z
    .union([z.enum(["accept", "refuse", "reset"]), z.strictObject({ reset: z.int().positive() })])
    .optional(),
});

export type Match = z.infer<typeof match>;
export type ConnectionPolicy = NonNullable<z.infer<typeof scriptSchema>["connections"]>;

/** In code a rule's behaviour may be computed from the request. */
export type Responder = (request: ReceivedRequest) => Behaviour;

export interface Rule {
  readonly match?: Match | undefined;
  readonly behaviour: Behaviour | Responder;
}

export interface Script {
  /** The first rule that matches decides; where none does, the built-in assistant answers. */
  readonly rules: readonly Rule[];
  readonly models?: readonly string[] | undefined;
  readonly connections?: ConnectionPolicy | undefined;
}

export type ScriptParsed =
  | { readonly kind: "parsed"; readonly script: Script }
  | { readonly kind: "refused"; readonly errors: readonly string[] };

/** Reads a script from YAML or JSON text: `{rules: […]}` or the list of rules alone. Errors name line and path. */
export function parseScript(text: string, fileName = "script"): ScriptParsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return { kind: "refused", errors: document.errors.map((error) => `${fileName}: ${error.message.split("\n")[0]}`) };
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const listed = Array.isArray(value);
  const checked = scriptSchema.safeParse(listed ? { rules: value } : value);
  const complaints = checked.success ? checkRules(checked.data.rules) : checked.error.issues.flatMap(flatten);
  if (!checked.success || complaints.length > 0) {
    const at = (path: readonly PropertyKey[]): string => place(document, lines, listed ? path.slice(1) : path);
    return {
      kind: "refused",
      errors: complaints.map(({ path, message }) => `${fileName}${at(path)}: ${dotted(path)}: ${message}`),
    };
  }
  return { kind: "parsed", script: checked.data };
}

/** The same check for scripts given as objects: a mistake in a test fails at the start, not as a strange answer. */
export function checkRules(rules: readonly Rule[]): readonly Complaint[] {
  return rules.flatMap((rule, index) =>
    typeof rule.behaviour === "function"
      ? []
      : contradictions(rule.behaviour).map(({ path, message }) => ({
          path: ["rules", index, "behaviour", ...path],
          message,
        })),
  );
}

export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A union's issue hides the useful ones inside: the branch with the fewest complaints is the one that was meant. */
function flatten(issue: z.core.$ZodIssue): readonly Complaint[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: "no such key here; see docs/simulation.md",
    }));
  }
  if (issue.code === "invalid_union") {
    const close = issue.errors.filter((branch) => branch.some((inner) => inner.path.length > 0));
    const [best] = close.toSorted((a, b) => a.length - b.length);
    if (best !== undefined) {
      return best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    return [{ path: issue.path, message: issue.errors.map((branch) => branch[0]?.message ?? "").join("; or ") }];
  }
  return [{ path: issue.path, message: issue.message }];
}

export function dotted(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    text += typeof part === "number" ? `[${part}]` : `${text === "" ? "" : "."}${String(part)}`;
  }
  return text === "" ? "the script" : text;
}

/** `:line:column` of the node, or of the nearest one above it that exists. */
function place(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const range = hasRange(node) ? node.range : undefined;
    if (range) {
      const { line, col } = lines.linePos(range[0]);
      return `:${line}:${col}`;
    }
  }
  return "";
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] | null } {
  return typeof node === "object" && node !== null && "range" in node;
}

/** Decides which rule a request falls to, and counts for `nth` and `times`. */
export class RuleBook {
  readonly #rules: readonly Rule[];
  readonly #met: number[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#met = rules.map(() => 0);
  }

  /** Whether some rule may answer for this model: then it exists, for what no rule is asked about too. */
  knows(model: string): boolean {
    return this.#rules.some((rule) => (rule.match?.model ?? model) === model);
  }

  /** Undefined: no rule, the built-in assistant answers. */
  choose(request: ReceivedRequest): Behaviour | undefined {
    for (const [index, { match = {}, behaviour }] of this.#rules.entries()) {
      if (!meets(match, request)) continue;
      const met = (this.#met[index] ?? 0) + 1;
      this.#met[index] = met;
      if (match.nth !== undefined && match.nth !== met) continue;
      if (match.times !== undefined && match.times < met) continue;
      return typeof behaviour === "function" ? behaviour(request) : behaviour;
    }
    return undefined;
  }
}

function meets(match: Match, request: ReceivedRequest): boolean {
  return (
    (match.operation ?? "generate") === request.operation &&
    (match.model === undefined || match.model === request.model) &&
    (match.dialect === undefined || match.dialect === request.dialect) &&
    (match.streamed === undefined || match.streamed === request.streamed) &&
    (match.logprobs === undefined || match.logprobs === (request.logprobs !== undefined)) &&
    (match.contains === undefined || request.promptText.includes(match.contains))
  );
}
