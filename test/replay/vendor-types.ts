import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ClientDialectId } from "#domain/call";
import { objectOf } from "./json-view.ts";

const modules = resolve(import.meta.dirname, "../../node_modules");

/** JSON that a client of a language gets: a whole answer, or one event of a stream. */
export interface TypedJson {
  readonly dialect: ClientDialectId;
  readonly kind: "whole" | "event";
  readonly json: unknown;
  /** Where it is from. */
  readonly name: string;
}

/**
 * The vendors' types of answers, of their official clients, which are generated from their schemas. What a client adds
 * to the JSON is left out, enumerations are the words they stand for, and bytes are base64. Fields that the types do not
 * know may be there: every language allows new ones.
 */
const prelude = String.raw`
import type OpenAI from "openai";
import type Anthropic from "@anthropic-ai/sdk";
import type { GenerateContentResponse } from "@google/genai";
import type { ConverseCommandOutput, ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";

type Wire<T> = T extends Uint8Array ? string
  : T extends string ? ${"`${T}`"}
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer Item)[] ? readonly Wire<Item>[]
  : T extends Function ? never
  : T extends object ? { readonly [Key in keyof T as T[Key] extends Function ? never : Key]: Wire<T[Key]> }
  : unknown;

// OpenAI's own answers have null where the schema lets a field out.
type Loose<T> = { readonly [Key in keyof T]: {} extends Pick<T, Key> ? Wire<T[Key]> | null : Wire<T[Key]> };
type Response = Loose<Omit<OpenAI.Responses.Response, "output_text">>;
type OfResponse<E> = E extends { response: OpenAI.Responses.Response }
  ? Wire<Omit<E, "response">> & { readonly response: Response }
  : Wire<E>;
// A delta may hold nothing but what others than OpenAI invented.
type Choice = Wire<Omit<OpenAI.Chat.ChatCompletionChunk.Choice, "delta">> & {
  readonly delta: Wire<OpenAI.Chat.ChatCompletionChunk.Choice.Delta> & { readonly reasoning_details?: unknown };
};
type Known<E> = E extends { $unknown: [string, unknown] } ? never : E;

interface Types {
  "openai-chat whole": Wire<OpenAI.Chat.ChatCompletion>;
  "openai-chat event": Wire<Omit<OpenAI.Chat.ChatCompletionChunk, "choices">> & { readonly choices: readonly Choice[] };
  "openai-responses whole": Response;
  "openai-responses event": OfResponse<OpenAI.Responses.ResponseStreamEvent>;
  "anthropic-messages whole": Wire<Anthropic.Message>;
  "anthropic-messages event": Wire<Anthropic.RawMessageStreamEvent>;
  "gemini whole": Wire<Pick<GenerateContentResponse, "candidates" | "modelVersion" | "promptFeedback" | "responseId" | "usageMetadata">>;
  "gemini event": Types["gemini whole"];
  "bedrock-converse whole": Wire<Omit<ConverseCommandOutput, "$metadata">>;
  "bedrock-converse event": Wire<Known<ConverseStreamOutput>>;
}

declare function check<Name extends keyof Types, const Json extends Types[Name]>(name: Name, json: Json): void;
`;

/** What the compiler finds wrong, each with the name of what it is about. */
export function typeFaults(all: readonly TypedJson[]): readonly string[] {
  const lines = new Map<string, string>();
  for (const { dialect, kind, json, name } of all) {
    const line = `check("${dialect} ${kind}", ${JSON.stringify(skeleton(json))});`;
    if (!lines.has(line)) lines.set(line, name);
  }
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-types-"));
  try {
    writeFileSync(join(folder, "answers.ts"), `${prelude}${[...lines.keys()].join("\n")}\n`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    const { stdout, error } = spawnSync(
      process.execPath,
      [join(modules, "typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      {
        encoding: "utf8",
      },
    );
    if (error !== undefined) throw error;
    const first = prelude.split("\n").length;
    const names = [...lines.values()];
    const codes = [...lines.keys()];
    return stdout
      .split("\n")
      .filter((line) => line.includes("error TS"))
      .map((line) => {
        const at = Number(/answers\.ts\((\d+)/u.exec(line)?.[1] ?? 0) - first;
        return `${names[at] ?? "?"}: ${line.slice(0, 400)} in ${codes[at]?.slice(0, 600) ?? ""}`;
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const configuration = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: "preserve",
    moduleResolution: "bundler",
    target: "esnext",
    lib: ["esnext", "dom"],
    skipLibCheck: true,
    types: [],
    paths: Object.fromEntries(
      ["openai", "@anthropic-ai/sdk", "@google/genai", "@aws-sdk/client-bedrock-runtime"].flatMap((name) => [
        [name, [join(modules, name)]],
        [`${name}/*`, [join(modules, name, "*")]],
      ]),
    ),
  },
  files: ["answers.ts"],
};

/** Members whose words are free: what they hold says nothing of the shape. */
const free: ReadonlySet<string> = new Set(
  (
    "text content delta name arguments partial_json thinking signature id call_id item_id refusal reasoning " +
    "reasoning_content summary model created modelVersion responseId toolUseId input instructions token stop_sequence " +
    "stop_reason_text data encrypted_content thoughtSignature thought_signature redactedContent format"
  ).split(" "),
);

/** The same shape with free texts and numbers made alike, so that each shape is checked once. */
function skeleton(json: unknown, member = ""): unknown {
  if (typeof json === "string") return free.has(member) || !/^[A-Za-z0-9_.-]{1,60}$/u.test(json) ? "" : json;
  if (typeof json === "number") return 1;
  if (Array.isArray(json)) return json.map((item) => skeleton(item, member));
  if (typeof json !== "object" || json === null) return json;
  // The arguments of a call are the caller's own.
  if (member === "input" || member === "args") return {};
  return Object.fromEntries(Object.entries(objectOf(json)).map(([name, value]) => [name, skeleton(value, name)]));
}
