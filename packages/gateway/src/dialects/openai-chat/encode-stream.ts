import type { AnswerEvent } from "#domain/answer";
import type { Usage } from "#domain/usage";
import { encodeSse } from "#wire/sse";
import { attachFacts as attachToLast } from "#dialects/attach-facts";
import type { EncodeOptions, LateMembers, TextStreamEncoder } from "#dialects/dialect";
import { encodeUsage, finishWord, signed, type ReasoningDetail } from "./encode-answer.ts";
import { streamError } from "./encode-failure.ts";
import { LossReport } from "./losses.ts";

/** Keeps a silent stream alive: a comment, which no client shows. */
export const heartbeat: Uint8Array = Buffer.from(": keep-alive\n\n");
const done = "data: [DONE]\n\n";

export function streamEncoder(options: EncodeOptions): TextStreamEncoder {
  return new ChatStreamEncoder(options);
}

/**
 * Into the last chunk, where one waits with the `[DONE]`; else in a chunk of their own in front of it, which has no
 * choices, as that of usage has none.
 */
export function attachFacts(terminal: Uint8Array, facts: LateMembers): Uint8Array {
  const attached = attachToLast(terminal, facts);
  if (attached !== terminal || Object.keys(facts).length === 0) return attached;
  const chunk = encodeSse({ data: JSON.stringify({ object: "chat.completion.chunk", choices: [], ...facts }) });
  return Buffer.concat([Buffer.from(chunk), terminal]);
}

/** Many a client reads the first choice of every chunk, so that the last that has one is to carry what comes late. */
export function closes(frame: Uint8Array): boolean {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return bytes.includes('"finish_reason"') && /"finish_reason"\s*:\s*"[^"]/u.test(bytes.toString("latin1"));
}

interface OpenCall {
  readonly index: number;
  hasArguments: boolean;
}

/**
 * Chunks as openai 7's stream helper demands them: the role first, a tool call's id, type and name in its first chunk
 * only, `finish_reason` always, usage in a chunk without choices, then `[DONE]`, or an error and nothing more.
 */
class ChatStreamEncoder implements TextStreamEncoder {
  readonly #options: EncodeOptions;
  readonly #report = new LossReport();
  readonly #calls = new Map<number, OpenCall>();
  /** For each thought its place among `reasoning_details`. */
  readonly #thoughts = new Map<number, number>();
  /** Everything of a chunk before its choices, as JSON. */
  #head = "";
  #usage: Usage | undefined;
  #over = false;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  get warnings(): readonly string[] {
    return this.#report.warnings;
  }

  encode(event: AnswerEvent): string {
    if (this.#over) return "";
    switch (event.kind) {
      case "start":
        return this.#start(event.id, event.createdAtS);
      case "text-delta":
        return event.text === "" ? "" : this.#delta({ content: event.text }, event.logprobs);
      case "refusal-delta":
        return event.text === "" ? "" : this.#delta({ refusal: event.text });
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-signature":
        return this.#reasoning(event);
      case "tool-start":
      case "tool-delta":
      case "tool-end":
        return this.#tool(event);
      case "tool-signature":
        return this.#signature(event.block, event.signature);
      case "ping":
        return ": keep-alive\n\n";
      case "foreign":
        this.#report.meet("foreign-event", event.what);
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish": {
        const stop = event.finish.stopSequence;
        const reason = { finish_reason: finishWord(event.finish, this.#report, this.#options.legacyFunctions) };
        return this.#choice({ delta: {}, ...reason, ...(stop === undefined ? {} : { stop_reason: stop }) });
      }
      case "end":
        this.#over = true;
        return `${this.#lastChunk()}${done}`;
      case "failed":
        this.#over = true;
        return streamError(event.failure);
      default:
        return "";
    }
  }

  #start(id: string, createdAtS: number | undefined): string {
    const head = {
      id: id === "" ? this.#options.fallbackId : id,
      object: "chat.completion.chunk",
      created: createdAtS ?? this.#options.createdAtS,
      model: this.#options.model,
    };
    this.#head = JSON.stringify(head).slice(0, -1);
    return this.#delta({ role: "assistant", content: "" });
  }

  #reasoning(
    event: AnswerEvent & { readonly kind: "reasoning-start" | "reasoning-delta" | "reasoning-signature" },
  ): string {
    let index = this.#thoughts.get(event.block);
    if (index === undefined) {
      index = this.#thoughts.size;
      this.#thoughts.set(event.block, index);
    }
    const place = { format: this.#options.issuer, index };
    if (event.kind === "reasoning-delta") {
      if (event.text === "") return "";
      return this.#thought({ type: "reasoning.text", text: event.text, ...place }, event.text);
    }
    if (event.kind === "reasoning-signature") {
      return this.#thought({ type: "reasoning.text", signature: event.signature, ...place });
    }
    if (event.redacted === undefined) return "";
    return this.#thought({ type: "reasoning.encrypted", data: event.redacted, ...place });
  }

  /** The plain field is what most clients show, the typed one what they must send back for the seal to hold. */
  #thought(detail: ReasoningDetail, text?: string): string {
    return this.#delta({ ...(text === undefined ? {} : { reasoning_content: text }), reasoning_details: [detail] });
  }

  #tool(event: AnswerEvent & { readonly kind: "tool-start" | "tool-delta" | "tool-end" }): string {
    const isLegacy = this.#options.legacyFunctions === true;
    if (event.kind === "tool-start") {
      const index = this.#calls.size;
      const called = { name: event.name, arguments: "" };
      if (isLegacy && index > 0) {
        this.#report.meet("further-call");
        return "";
      }
      this.#calls.set(event.block, { index, hasArguments: false });
      if (isLegacy) return this.#delta({ function_call: called });
      return this.#delta({ tool_calls: [{ index, id: event.id, type: "function", function: called }] });
    }
    const call = this.#calls.get(event.block);
    if (call === undefined) return "";
    // A call without arguments is `{}`: an empty string is no JSON.
    const json = event.kind === "tool-delta" ? event.json : call.hasArguments ? "" : "{}";
    if (json === "") return "";
    call.hasArguments = true;
    if (isLegacy) return this.#delta({ function_call: { arguments: json } });
    return this.#delta({ tool_calls: [{ index: call.index, function: { arguments: json } }] });
  }

  #signature(block: number, signature: string): string {
    const call = this.#calls.get(block);
    if (call === undefined || this.#options.legacyFunctions === true) return "";
    // Clients add the arguments of every entry to those before.
    const entry = { index: call.index, function: { arguments: "" }, ...signed(signature, this.#options.issuer) };
    return this.#delta({ tool_calls: [entry] });
  }

  #delta(delta: object, logprobs?: unknown): string {
    return this.#choice(
      logprobs === undefined ? { delta, finish_reason: null } : { delta, logprobs, finish_reason: null },
    );
  }

  #choice(choice: object): string {
    return this.#chunk(`[${JSON.stringify({ index: 0, ...choice })}]`);
  }

  /** Usage where it was asked for, and late facts, in one last chunk; none where there is neither. */
  #lastChunk(): string {
    const usage = this.#options.includeUsage ? this.#usage : undefined;
    const facts = this.#options.facts?.();
    if (usage === undefined && facts === undefined) return "";
    const tail = { usage: usage === undefined ? undefined : encodeUsage(usage), hedgerow: facts };
    return this.#chunk(`[],${JSON.stringify(tail).slice(1, -1)}`);
  }

  #chunk(choicesAndMore: string): string {
    if (this.#head === "") this.#start("", undefined);
    return `data: ${this.#head},"choices":${choicesAndMore}}\n\n`;
  }
}
