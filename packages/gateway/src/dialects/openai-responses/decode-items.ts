import type { Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from "#domain/request";
import { isObject, type JsonObject, type ShapeReader } from "#dialects/shape";
import { decodeContent, decodeOutput } from "./decode-parts.ts";
import type { NamespaceNames } from "./namespaces.ts";
import { foreignName } from "./own-foreign.ts";
import { readSeal } from "./seal-tag.ts";

/**
 * Items beside the model's own words that can be left out without breaking the conversation: what a hosted tool did,
 * whose result the model has already spoken of (`ResponseInputItem`, openai 7.57). All others are needed.
 */
const expendable: ReadonlySet<string> = new Set([
  "web_search_call",
  "file_search_call",
  "code_interpreter_call",
  "image_generation_call",
  "mcp_list_tools",
  "mcp_call",
]);

/** What the model says or does; the rest is said to it. */
const modelItems: ReadonlySet<string> = new Set([
  ...expendable,
  "custom_tool_call",
  "computer_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call",
  "tool_search_call",
  "mcp_approval_request",
  "program",
  "compaction",
]);

const messageFields: ReadonlySet<string> = new Set(["type", "id", "role", "content", "status"]);
const callFields: ReadonlySet<string> = new Set([
  "type",
  "id",
  "call_id",
  "name",
  "namespace",
  "arguments",
  "status",
  "caller",
]);
const outputFields: ReadonlySet<string> = new Set([
  "type",
  "id",
  "call_id",
  "name",
  "namespace",
  "output",
  "status",
  "caller",
]);
const thoughtFields: ReadonlySet<string> = new Set(["type", "id", "summary", "content", "encrypted_content", "status"]);

/**
 * From `input` to turns. What the model did in a row (thoughts, words, calls) is one assistant turn, outputs in a row
 * are one user turn, because other languages need them together.
 */
export function decodeInput(reader: ShapeReader, input: unknown, names: NamespaceNames): readonly Turn[] {
  if (typeof input === "string") return [{ role: "user", parts: [{ kind: "text", text: input }] }];
  const decoder = new ItemDecoder(reader, names);
  const items = reader.array(input, "input");
  if (items.length === 0) reader.refuse("input", "must hold at least one item");
  for (const [index, value] of items.entries()) {
    const path = `input[${index}]`;
    const item = reader.object(value, path);
    if (item === undefined) break;
    decoder.add(item, path);
  }
  return decoder.turns;
}

interface OpenTurn extends Turn {
  readonly parts: Part[];
}

class ItemDecoder {
  readonly turns: OpenTurn[] = [];
  readonly #reader: ShapeReader;
  readonly #names: NamespaceNames;
  /** The turn that the next item of its kind goes on. */
  #open: { readonly kind: "model" | "outputs"; readonly turn: OpenTurn } | undefined;

  constructor(reader: ShapeReader, names: NamespaceNames) {
    this.#reader = reader;
    this.#names = names;
  }

  add(item: JsonObject, path: string): void {
    // A message may leave its type out.
    const told = item["type"] ?? (item["role"] === undefined ? undefined : "message");
    const type = this.#reader.word(told, `${path}.type`);
    switch (type) {
      case "message":
        this.#message(item, path);
        return;
      case "function_call":
        this.#part("model", this.#call(item, path));
        return;
      case "function_call_output":
        this.#part("outputs", this.#output(item, path));
        return;
      case "reasoning":
        this.#part("model", this.#thought(item, path));
        return;
      default:
        this.#foreign(item, type);
    }
  }

  #message(item: JsonObject, path: string): void {
    const { role } = item;
    this.#reader.leave(item, messageFields, path);
    const parts = decodeContent(this.#reader, item["content"], `${path}.content`);
    switch (role) {
      case "assistant":
        for (const part of parts) this.#part("model", part);
        return;
      case "user":
      case "system":
      case "developer":
        this.#open = undefined;
        this.turns.push({ role: role === "user" ? "user" : "system", parts: [...parts] });
        return;
      default:
        this.#reader.refuse(`${path}.role`, 'must be "user", "system", "developer" or "assistant"');
    }
  }

  #part(kind: "model" | "outputs", part: Part): void {
    if (this.#open?.kind !== kind) {
      this.#open = { kind, turn: { role: kind === "model" ? "assistant" : "user", parts: [] } };
      this.turns.push(this.#open.turn);
    }
    this.#open.turn.parts.push(part);
  }

  #call(item: JsonObject, path: string): ToolCallPart {
    const reader = this.#reader;
    reader.leave(item, callFields, path);
    this.#leaveCaller(item, path);
    return {
      kind: "tool-call",
      id: reader.word(item["call_id"], `${path}.call_id`),
      name: this.#names.flat({
        name: reader.word(item["name"], `${path}.name`),
        namespace: reader.optionalString(item["namespace"], `${path}.namespace`) ?? "",
      }),
      argumentsJson: reader.string(item["arguments"], `${path}.arguments`),
    };
  }

  #output(item: JsonObject, path: string): ToolResultPart {
    const reader = this.#reader;
    reader.leave(item, outputFields, path);
    this.#leaveCaller(item, path);
    return {
      kind: "tool-result",
      callId: reader.word(item["call_id"], `${path}.call_id`),
      parts: decodeOutput(reader, item["output"], `${path}.output`),
      failed: false,
    };
  }

  /** Called by a program of the provider's instead of by the model: no other language knows that. */
  #leaveCaller({ caller }: JsonObject, path: string): void {
    if (isObject(caller) && caller["type"] !== "direct") this.#reader.leave({ caller }, new Set(), path);
  }

  #thought(item: JsonObject, path: string): ReasoningPart {
    const reader = this.#reader;
    reader.leave(item, thoughtFields, path);
    const id = reader.optionalString(item["id"], `${path}.id`);
    const seal = readSeal(reader.optionalString(item["encrypted_content"], `${path}.encrypted_content`) ?? "");
    const summary = textsOf(reader, item["summary"], `${path}.summary`);
    const texts = summary.length > 0 ? summary : textsOf(reader, item["content"], `${path}.content`);
    return {
      kind: "reasoning",
      text: texts.join("\n\n"),
      ...(seal === undefined ? {} : { seal: id === undefined || id === "" ? seal : { ...seal, id } }),
    };
  }

  #foreign(item: JsonObject, type: string): void {
    const isModels = modelItems.has(type);
    const needed = expendable.has(type) ? {} : { needed: true as const };
    const part: Part = { kind: "foreign", what: foreignName(type), payload: item, ...needed };
    this.#part(isModels ? "model" : "outputs", part);
  }
}

function textsOf(reader: ShapeReader, value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  return reader.array(value, path).flatMap((part, index) => {
    const text = reader.object(part, `${path}[${index}]`)?.["text"];
    return typeof text === "string" && text !== "" ? [text] : [];
  });
}
