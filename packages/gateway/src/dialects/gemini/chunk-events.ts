import type { AnswerEvent, Finish } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { hasFragileNumbers, parseExact } from "#dialects/exact-numbers";
import { isObject, type JsonObject } from "#dialects/shape";
import { finishOf } from "./finish-words.ts";
import { readLogprobs } from "./logprobs.ts";
import { foreignName } from "./own-foreign.ts";
import { PartReader } from "./read-parts.ts";
import { UsageCounter } from "./usage-fields.ts";

/** What a candidate says beside its content that the hub has no word for. */
const besides = ["groundingMetadata", "citationMetadata", "urlContextMetadata"] as const;

/**
 * Events of one answer, chunk by chunk: each chunk is a whole `GenerateContentResponse` with the next parts. The finish
 * is told by `complete`, because the words that count (usage, a late part) may come behind the chunk that names it.
 */
export class ChunkEvents {
  readonly #classify: (complaint: unknown) => Failure;
  readonly #usage = new UsageCounter();
  readonly #parts: PartReader;
  #started = false;
  #answerId = "";
  #finishWord: string | undefined;
  #blocked: string | undefined;

  constructor(classify: (complaint: unknown) => Failure) {
    this.#classify = classify;
    this.#parts = new PartReader(() => this.#answerId);
  }

  /** A reason to stop was given. */
  get finished(): boolean {
    return this.#finishWord !== undefined || this.#blocked !== undefined;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Adds the chunk's events; a failure ends the answer. `text` is what `chunk` was parsed from. */
  accept(chunk: JsonObject, text: string, events: AnswerEvent[]): Failure | undefined {
    const { error, candidates, promptFeedback } = chunk;
    if (error !== undefined && error !== null) return this.#classify(chunk);
    const usage = this.#usage.report(chunk["usageMetadata"]);
    if (!Array.isArray(candidates) && !isObject(promptFeedback) && !isObject(chunk["usageMetadata"])) {
      events.push({ kind: "foreign", what: foreignName("chunk"), payload: chunk });
      return undefined;
    }
    this.#start(chunk, text, events);
    for (const candidate of Array.isArray(candidates) ? (candidates as readonly unknown[]) : []) {
      const wrong = isObject(candidate) ? this.#candidate(candidate, text, events) : undefined;
      if (wrong !== undefined) return failure("bad_upstream_response", `The provider's answer is malformed: ${wrong}.`);
    }
    if (isObject(promptFeedback) && typeof promptFeedback["blockReason"] === "string") {
      this.#blocked = promptFeedback["blockReason"];
    }
    if (usage !== undefined) events.push({ kind: "usage", usage });
    return undefined;
  }

  /** The last events of an answer whose finish was seen. */
  complete(events: AnswerEvent[]): void {
    this.#parts.close(events);
    events.push({ kind: "finish", finish: this.#finish() }, { kind: "end" });
  }

  #finish(): Finish {
    if (this.#finishWord === undefined && this.#blocked !== undefined) return { reason: "policy", raw: this.#blocked };
    return finishOf(this.#finishWord ?? "STOP", this.#parts.callsTools);
  }

  #start(chunk: JsonObject, text: string, events: AnswerEvent[]): void {
    if (this.#started) return;
    this.#started = true;
    const { responseId, modelVersion, createTime } = chunk;
    const id = typeof responseId === "string" ? responseId : "";
    // Ids we make for calls must differ from answer to answer; its first chunk holds what it is about and its counts.
    this.#answerId = id === "" ? text : id;
    const createdMs = typeof createTime === "string" ? Date.parse(createTime) : Number.NaN;
    const created = Number.isFinite(createdMs) ? { createdAtS: Math.floor(createdMs / 1000) } : {};
    events.push({ kind: "start", id, model: typeof modelVersion === "string" ? modelVersion : "", ...created });
  }

  #candidate(candidate: JsonObject, text: string, events: AnswerEvent[]): string | undefined {
    const { index = 0, content, finishReason } = candidate;
    if (index !== 0) {
      events.push({ kind: "foreign", what: foreignName("candidate"), payload: candidate, content: true });
      return undefined;
    }
    const parts = isObject(content) && Array.isArray(content["parts"]) ? (content["parts"] as readonly unknown[]) : [];
    const exact = parts.some((part) => isObject(part) && isObject(part["functionCall"])) ? exactParts(text) : [];
    const before = events.length;
    for (const [place, part] of parts.entries()) {
      if (!isObject(part)) continue;
      const wrong = this.#parts.read(part, argsOf(exact[place]), events);
      if (wrong !== undefined) return wrong;
    }
    this.#addLogprobs(candidate["logprobsResult"], events, before);
    for (const name of besides) {
      const payload = candidate[name];
      if (isObject(payload) && Object.keys(payload).length > 0) {
        events.push({ kind: "foreign", what: foreignName(name), payload });
      }
    }
    if (typeof finishReason === "string" && finishReason !== "FINISH_REASON_UNSPECIFIED") {
      this.#finishWord = finishReason;
    }
    return undefined;
  }

  /** They are about the chunk as a whole: the first text of it carries them. */
  #addLogprobs(result: unknown, events: AnswerEvent[], from: number): void {
    const logprobs = readLogprobs(result);
    if (logprobs === undefined) return;
    const at = events.findIndex((event, index) => index >= from && event.kind === "text-delta");
    const event = events[at];
    if (event?.kind === "text-delta") events[at] = { ...event, logprobs };
  }
}

/** The parts of the first candidate with numbers as they came; none where no number is in danger. */
function exactParts(text: string): readonly unknown[] {
  if (!hasFragileNumbers(text)) return [];
  const chunk = parseExact(text);
  const candidates = isObject(chunk) ? chunk["candidates"] : undefined;
  const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
  const content = isObject(first) ? first["content"] : undefined;
  return isObject(content) && Array.isArray(content["parts"]) ? (content["parts"] as readonly unknown[]) : [];
}

function argsOf(part: unknown): unknown {
  const call = isObject(part) ? part["functionCall"] : undefined;
  return isObject(call) ? call["args"] : undefined;
}
