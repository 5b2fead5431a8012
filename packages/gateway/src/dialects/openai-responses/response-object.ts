import { createHash } from "node:crypto";
import type { Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { isAbsent, isObject, type JsonObject } from "#dialects/shape";
import { usageJson } from "./read-usage.ts";

/** What of a response changes while it is made. */
export interface ResponseState {
  readonly status: "in_progress" | "completed" | "incomplete" | "failed";
  readonly output: readonly object[];
  readonly usage?: Usage | undefined;
  readonly error?: { readonly code: string; readonly message: string };
  /** `incomplete_details.reason` */
  readonly reason?: string;
}

const idLength = 40;

/** What the ids of an answer are made of: the call's own id, so that they are the same however often they are made. */
export function idBase(fallbackId: string): string {
  const bare = fallbackId.replace(/^[a-z]+_/u, "").replace(/[^A-Za-z0-9]/gu, "");
  return bare.length > 0 && bare.length <= idLength
    ? bare
    : createHash("sha256").update(fallbackId).digest("hex").slice(0, idLength);
}

function responseId(fallbackId: string): string {
  return `resp_${idBase(fallbackId)}`;
}

/** Whether an asked-for value may stand where the schema wants this kind. */
type Fits = (value: unknown) => boolean;

const isText: Fits = (value) => typeof value === "string";
const isNumber: Fits = (value) => typeof value === "number";
const isFlag: Fits = (value) => typeof value === "boolean";
const isList: Fits = (value) => Array.isArray(value);
const isChoice: Fits = (value) => typeof value === "string" || isObject(value);

/**
 * A response as lifecycle events and whole answers show it: every field the schema requires, with what was asked for
 * repeated exactly, or OpenAI's default (recorded 2026; https://platform.openai.com/docs/api-reference/responses/object).
 */
export class ResponseObject {
  readonly id: string;
  readonly #options: EncodeOptions;
  readonly #asked: JsonObject;
  createdAtS: number;

  constructor(options: EncodeOptions) {
    this.id = responseId(options.fallbackId);
    this.#options = options;
    this.#asked = isObject(options.requestJson) ? options.requestJson : {};
    this.createdAtS = options.createdAtS;
  }

  show(state: ResponseState): object {
    const asked = this.#asked;
    const { text, reasoning } = asked;
    const { wish } = this.#options;
    const named = wish?.conversation ?? asked["conversation"];
    const thread = typeof named === "string" ? { id: named } : named;
    return {
      id: this.id,
      object: "response",
      access_programs: null,
      created_at: this.createdAtS,
      status: state.status,
      background: false,
      completed_at: null,
      error: state.error ?? null,
      frequency_penalty: 0,
      incomplete_details: state.reason === undefined ? null : { reason: state.reason },
      instructions: this.#asked["instructions"] ?? null,
      max_output_tokens: this.#or("max_output_tokens", isNumber, null),
      max_tool_calls: this.#or("max_tool_calls", isNumber, null),
      model: this.#options.model,
      output: state.output,
      parallel_tool_calls: this.#or("parallel_tool_calls", isFlag, true),
      presence_penalty: 0,
      previous_response_id: wish?.previous ?? this.#or("previous_response_id", isText, null),
      ...(isObject(thread) ? { conversation: { id: thread["id"] } } : {}),
      prompt_cache_key: this.#or("prompt_cache_key", isText, null),
      reasoning: { effort: null, summary: null, ...(isObject(reasoning) ? reasoning : {}) },
      safety_identifier: this.#or("safety_identifier", isText, null),
      service_tier: state.usage?.serviceTier ?? "default",
      store: this.#or("store", isFlag, true),
      temperature: this.#or("temperature", isNumber, 1),
      text: { format: { type: "text" }, ...(isObject(text) ? defaultsKept(text) : {}) },
      tool_choice: this.#or("tool_choice", isChoice, "auto"),
      tools: this.#or("tools", isList, []),
      top_logprobs: this.#or("top_logprobs", isNumber, 0),
      top_p: this.#or("top_p", isNumber, 1),
      truncation: this.#or("truncation", isText, "disabled"),
      usage: state.usage === undefined ? null : usageJson(state.usage),
      user: this.#or("user", isText, null),
      metadata: this.#or("metadata", isObject, {}),
    };
  }

  #or(name: string, fits: Fits, otherwise: unknown): unknown {
    const value = this.#asked[name];
    return fits(value) ? value : otherwise;
  }
}

/** Null means the default. */
function defaultsKept(text: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(text).filter(([, value]) => !isAbsent(value)));
}
