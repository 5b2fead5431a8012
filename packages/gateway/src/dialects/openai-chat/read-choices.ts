import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { isObject, type JsonObject } from "#dialects/shape";
import type { DecodeOptions } from "#dialects/dialect";
import { thinkingText } from "./decode-parts.ts";
import { isBrokenOff, readFinish } from "./finish-words.ts";
import { DetailCollector, detailText, objectsOf } from "./reasoning-details.ts";
import { readLogprobs } from "./read-logprobs.ts";
import { ToolCallReader } from "./read-tool-calls.ts";
import { readUsage } from "./read-usage.ts";

/** OpenAI's own bound on `n`. */
const mostChoices = 128;
/** Completions have a choice for each of `n` and of up to 2,048 prompts. */
const mostTexts = 128 * 2048;

interface OpenText {
  readonly kind: "text" | "reasoning";
  readonly block: number;
  /** `index` of the `reasoning_details` entries it came from: another index is another thought. */
  readonly detail?: unknown;
}

/**
 * From parsed chunks, or a whole completion, to answer events. Only choice 0 becomes content; the others are watched
 * for their finish, because an answer is whole when every choice is. Content behind the finish, which no upstream should
 * send, is reported as foreign.
 */
export class ChoiceReader {
  readonly #options: DecodeOptions;
  readonly #tools = new ToolCallReader(() => this.#blocks++);
  /** Whether each further choice has finished, by index. */
  readonly #others = new Map<number, boolean>();
  /** Of the open thought, where they are to be given back as they came. */
  readonly #details = new DetailCollector();
  #blocks = 0;
  #open: OpenText | undefined;
  #answerId = "";
  #started = false;
  #finishGiven = false;
  #usageSeen = false;
  #sourcesTold = false;
  #finishWord: string | undefined;
  #stopSequence: string | undefined;

  constructor(options: DecodeOptions) {
    this.#options = options;
  }

  /** Whether every choice that was seen, at least one, has said why it ended. */
  get finished(): boolean {
    return this.#finishWord !== undefined && !this.#others.values().some((hasFinished) => !hasFinished);
  }

  /**
   * Called at the protocol's terminator. Some upstreams never say why they ended (recorded at OpenRouter, 2025); a usage
   * report, which is made after the last token, stands in for it. False where the answer is not whole.
   */
  endsAtTerminator(events: AnswerEvent[]): boolean {
    if (this.finished) return true;
    const isSilent = this.#finishWord === undefined && this.#started && this.#usageSeen;
    if (!isSilent || this.#others.size > 0) return false;
    return this.#finish(events) === undefined;
  }

  /** The event of a chunk that is known to hold choice 0's next piece of text and nothing else. */
  goOn(text: string): AnswerEvent | undefined {
    const open = this.#open;
    if (open?.kind !== "text" || this.#finishGiven || text === "") return undefined;
    return { kind: "text-delta", block: open.block, text };
  }

  /** Adds the events of one chunk; a failure ends the answer. */
  read(chunk: JsonObject, events: AnswerEvent[]): Failure | undefined {
    const complaint = chunk["error"] ?? groqError(chunk);
    if (complaint !== undefined && complaint !== null && complaint !== false) {
      return this.#options.classify(chunk["error"] === complaint ? chunk : { error: { message: complaint } });
    }
    const choices = chunk["choices"];
    const usage = usageOf(chunk);
    if (!Array.isArray(choices) && usage === undefined) return this.#noChoices(chunk);
    if (Array.isArray(choices) && choices.length > 0) {
      if (!this.#started) this.#start(chunk, events);
      this.#sources(chunk, events);
      for (const choice of choices as readonly unknown[]) {
        if (!isObject(choice)) return failure("bad_upstream_response", "The provider sent a choice that is no object.");
        const broken = this.#choice(choice, events);
        if (broken !== undefined) return broken;
      }
      if (!this.#finishGiven && this.finished) {
        const broken = this.#finish(events);
        if (broken !== undefined) return broken;
      }
    }
    const counts = usage === undefined ? undefined : readUsage(usage, this.#options.quirks, chunk["service_tier"]);
    if (counts !== undefined) {
      if (!this.#started) this.#start(chunk, events);
      this.#usageSeen = true;
      events.push({ kind: "usage", usage: counts });
    }
    return undefined;
  }

  /** Perplexity says in every chunk where an answer is from; once is enough for whoever cannot be told. */
  #sources(chunk: JsonObject, events: AnswerEvent[]): void {
    if (this.#sourcesTold) return;
    for (const name of ["citations", "search_results"]) {
      const list = chunk[name];
      if (!Array.isArray(list) || list.length === 0) continue;
      this.#sourcesTold = true;
      events.push({ kind: "foreign", what: name, payload: list });
    }
  }

  #finish(events: AnswerEvent[]): Failure | undefined {
    this.#finishGiven = true;
    this.#close(events);
    if (!this.#tools.close(this.#answerId, events)) {
      return failure("bad_upstream_response", "The provider sent a tool call without a name.");
    }
    const seen = {
      toolCalls: this.#tools.seen,
      ...(this.#stopSequence === undefined ? {} : { stopSequence: this.#stopSequence }),
    };
    events.push({ kind: "finish", finish: readFinish(this.#finishWord, seen) });
    return undefined;
  }

  #noChoices(chunk: JsonObject): Failure {
    // Mistral and vLLM put an error at the top level: `{ "object": "error", "message": … }`.
    if (chunk["object"] === "error" || typeof chunk["message"] === "string") return this.#options.classify(chunk);
    return failure("bad_upstream_response", "The provider's answer has no choices.");
  }

  #start(chunk: JsonObject, events: AnswerEvent[]): void {
    this.#started = true;
    const { id, model, created } = chunk;
    this.#answerId = typeof id === "string" ? id : "";
    const at = typeof created === "number" && created > 0 ? { createdAtS: Math.trunc(created) } : {};
    events.push({ kind: "start", id: this.#answerId, model: typeof model === "string" ? model : "", ...at });
  }

  #choice(choice: JsonObject, events: AnswerEvent[]): Failure | undefined {
    const index = typeof choice["index"] === "number" ? choice["index"] : 0;
    const word = choice["finish_reason"];
    const hasFinished = typeof word === "string" && word !== "";
    if (hasFinished && isBrokenOff(word)) {
      return this.#options.classify({ error: choice["error"] ?? { message: `finish_reason ${word}`, code: word } });
    }
    if (index !== 0) {
      const most = typeof choice["text"] === "string" ? mostTexts : mostChoices;
      if (!(index > 0 && index < most))
        return failure("bad_upstream_response", "The provider sent a choice out of range.");
      this.#others.set(index, hasFinished || this.#others.get(index) === true);
      return undefined;
    }
    // A choice of `/v1/completions` is its text; some servers write that into chat chunks as well.
    const piece = choice["delta"] ?? choice["message"] ?? textPiece(choice["text"]);
    const content = this.#finishGiven ? [] : events;
    if (isObject(piece) && !this.#piece(piece, choice["logprobs"], content)) {
      return failure("bad_upstream_response", "The provider sent more tool calls than any answer can hold.");
    }
    if (this.#finishGiven) {
      if (content.length > 0) events.push({ kind: "foreign", what: "content behind the finish", payload: piece });
    } else if (hasFinished) {
      this.#finishWord = word;
      // vLLM and its kin say here which stop sequence was met.
      if (typeof choice["stop_reason"] === "string") this.#stopSequence = choice["stop_reason"];
    }
    return undefined;
  }

  /** False where a bound was passed. */
  #piece(piece: JsonObject, logprobs: unknown, events: AnswerEvent[]): boolean {
    let bounded = true;
    this.#reasoning(piece, events);
    const { content, refusal, tool_calls: calls, function_call: call } = piece;
    if (typeof content === "string") this.#text(content, readLogprobs(logprobs, piece), events);
    else if (Array.isArray(content)) this.#contentParts(content, events);
    if (typeof refusal === "string" && refusal !== "") events.push({ kind: "refusal-delta", text: refusal });
    const entries: readonly unknown[] = Array.isArray(calls) ? calls : isObject(calls) ? [calls] : [];
    if (entries.length > 0) {
      this.#close(events);
      for (const [at, entry] of entries.entries()) {
        if (isObject(entry)) bounded = this.#tools.read(entry, at, events) && bounded;
      }
    }
    if (isObject(call)) {
      this.#close(events);
      bounded = this.#tools.read({ index: -1, function: call }, 0, events);
    }
    if (isObject(piece["audio"])) {
      events.push({ kind: "foreign", what: "audio", payload: piece["audio"], content: true });
    }
    for (const [name, content] of pieceLists) {
      const list = piece[name];
      if (!Array.isArray(list) || list.length === 0) continue;
      events.push({ kind: "foreign", what: name, payload: list, ...content });
    }
    return bounded;
  }

  #text(text: string, logprobs: unknown, events: AnswerEvent[]): void {
    if (text === "") return;
    const block = this.#block("text", undefined, events);
    if (logprobs === undefined) events.push({ kind: "text-delta", block, text });
    else events.push({ kind: "text-delta", block, text, logprobs });
  }

  /** Mistral's reasoning models send content as parts, `thinking` among them. */
  #contentParts(parts: readonly unknown[], events: AnswerEvent[]): void {
    for (const part of parts) {
      if (!isObject(part)) continue;
      if (part["type"] === "thinking") this.#thought(thinkingText(part["thinking"]), undefined, events);
      else if (typeof part["text"] === "string") this.#text(part["text"], undefined, events);
      else events.push({ kind: "foreign", what: "content part", payload: part, content: true });
    }
  }

  #reasoning(piece: JsonObject, events: AnswerEvent[]): void {
    const details = objectsOf(piece["reasoning_details"]);
    const plain = piece["reasoning_content"] ?? piece["reasoning"];
    if (details.length > 0 && this.#options.quirks.reasoningDetails === true) {
      this.#keepDetails(details, plain, events);
      return;
    }
    const told = this.#readDetails(details, events);
    if (!told && typeof plain === "string") this.#thought(plain, undefined, events);
  }

  /** OpenRouter's typed list. Returns whether it held the text that the plain field repeats. */
  #readDetails(details: readonly JsonObject[], events: AnswerEvent[]): boolean {
    let told = false;
    for (const detail of details) {
      const { data, signature, index } = detail;
      const text = detailText(detail);
      if (typeof data === "string") {
        this.#close(events);
        const block = this.#blocks++;
        events.push({ kind: "reasoning-start", block, redacted: data }, { kind: "reasoning-end", block });
      }
      if (text !== "") {
        told = true;
        this.#thought(text, index, events);
      }
      if (typeof signature === "string" && signature !== "") {
        const block = this.#block("reasoning", index, events);
        events.push({ kind: "reasoning-signature", block, signature });
        this.#close(events);
      }
    }
    return told;
  }

  /** The whole list becomes the thought's one seal, because its host takes nothing less back. */
  #keepDetails(details: readonly JsonObject[], plain: unknown, events: AnswerEvent[]): void {
    this.#block("reasoning", undefined, events);
    this.#details.add(details);
    const told = details.map(detailText).join("");
    this.#thought(told === "" && typeof plain === "string" ? plain : told, undefined, events);
  }

  #thought(text: string, detail: unknown, events: AnswerEvent[]): void {
    if (text === "") return;
    events.push({ kind: "reasoning-delta", block: this.#block("reasoning", detail, events), text });
  }

  /** The open block of this kind, opened where another kind, or nothing, is open. */
  #block(kind: "text" | "reasoning", detail: unknown, events: AnswerEvent[]): number {
    const open = this.#open;
    if (open?.kind === kind && (detail === undefined || open.detail === undefined || open.detail === detail)) {
      return open.block;
    }
    this.#close(events);
    const block = this.#blocks++;
    this.#open = { kind, block, detail };
    events.push({ kind: kind === "text" ? "text-start" : "reasoning-start", block });
    return block;
  }

  #close(events: AnswerEvent[]): void {
    if (this.#open === undefined) return;
    const { kind, block } = this.#open;
    const signature = kind === "reasoning" ? this.#details.take() : undefined;
    if (signature !== undefined) events.push({ kind: "reasoning-signature", block, signature });
    events.push({ kind: kind === "text" ? "text-end" : "reasoning-end", block });
    this.#open = undefined;
  }
}

/** Lists beside the text: OpenAI's annotations, OpenRouter's generated images, the tools that Groq itself ran. */
const pieceLists: readonly (readonly [name: string, content: { readonly content?: true }])[] = [
  ["annotations", {}],
  ["images", { content: true }],
  ["executed_tools", {}],
];

/** `usage`, or Groq's `x_groq.usage`. */
function usageOf(chunk: JsonObject): JsonObject | undefined {
  if (isObject(chunk["usage"])) return chunk["usage"];
  const groq = chunk["x_groq"];
  return isObject(groq) && isObject(groq["usage"]) ? groq["usage"] : undefined;
}

/** Why a stream stopped early, in words (groq-sdk 0.37, `XGroq.error`). */
function groqError(chunk: JsonObject): unknown {
  const groq = chunk["x_groq"];
  return isObject(groq) && typeof groq["error"] === "string" && groq["error"] !== "" ? groq["error"] : undefined;
}

function textPiece(text: unknown): JsonObject | undefined {
  return typeof text === "string" ? { content: text } : undefined;
}
