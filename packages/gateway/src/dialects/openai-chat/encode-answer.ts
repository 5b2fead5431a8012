import type { AnswerEvent, Finish } from "#domain/answer";
import { completionTokens, promptTokens, type Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { finishWords } from "./finish-words.ts";
import { LossReport } from "./losses.ts";

/** One entry of `reasoning_details`, as OpenRouter writes it. `format` names who can read a seal. */
export interface ReasoningDetail {
  readonly type: "reasoning.text" | "reasoning.encrypted";
  text?: string;
  signature?: string;
  readonly data?: string;
  readonly format: string;
  readonly index: number;
}

/** Chat usage: counts include cached tokens and reasoning, as OpenAI's do. */
export function encodeUsage(usage: Usage): object {
  const prompt = promptTokens(usage);
  const completion = completionTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite + usage.cacheWriteLong,
      ...(usage.inputAudio === undefined ? {} : { audio_tokens: usage.inputAudio }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      ...(usage.outputAudio === undefined ? {} : { audio_tokens: usage.outputAudio }),
    },
  };
}

export function finishWord(finish: Finish, report: LossReport, isLegacy = false): string {
  if (isLegacy && finish.reason === "tools") return "function_call";
  if (finish.reason === "paused") report.meet("answer-paused");
  if (finish.reason === "malformed") report.meet("answer-malformed");
  return finishWords[finish.reason];
}

/** A whole chat completion; undefined where the events do not end in `end`. */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  if (events.at(-1)?.kind !== "end") return undefined;
  const answer = new AnswerCollector(options);
  for (const event of events) answer.add(event);
  const body = Buffer.from(JSON.stringify(answer.completion()));
  for (const warning of answer.warnings) options.onLoss?.(warning);
  return body;
}

interface Call {
  readonly id: string;
  readonly name: string;
  json: string;
  signature?: string;
}

/** Where Google's chat answers have a call's signature, with the vendor's name, so that it goes back to no other. */
export function signed(signature: string, issuer: string): object {
  return { extra_content: { [issuer]: { thought_signature: signature } } };
}

class AnswerCollector {
  readonly #options: EncodeOptions;
  #id: string;
  #createdAtS: number;
  #text: string | undefined;
  #refusal: string | undefined;
  readonly #logprobs: unknown[] = [];
  readonly #thoughts: string[] = [];
  readonly #details = new Map<number, ReasoningDetail>();
  readonly #calls = new Map<number, Call>();
  readonly #report = new LossReport();
  #finish: Finish = { reason: "stop" };
  #usage: Usage | undefined;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#id = options.fallbackId;
    this.#createdAtS = options.createdAtS;
  }

  add(event: AnswerEvent): void {
    switch (event.kind) {
      case "start":
        if (event.id !== "") this.#id = event.id;
        this.#createdAtS = event.createdAtS ?? this.#createdAtS;
        break;
      case "text-delta":
        this.#text = (this.#text ?? "") + event.text;
        if (event.logprobs !== undefined) this.#logprobs.push(...tokensOf(event.logprobs));
        break;
      case "refusal-delta":
        this.#refusal = (this.#refusal ?? "") + event.text;
        break;
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-signature":
        this.#reasoning(event);
        break;
      case "tool-start":
        this.#calls.set(event.block, { id: event.id, name: event.name, json: "" });
        break;
      case "tool-delta": {
        const call = this.#calls.get(event.block);
        if (call !== undefined) call.json += event.json;
        break;
      }
      case "tool-signature": {
        const call = this.#calls.get(event.block);
        if (call !== undefined) call.signature = event.signature;
        break;
      }
      case "foreign":
        this.#report.meet("foreign-event", event.what);
        break;
      case "usage":
        this.#usage = event.usage;
        break;
      case "finish":
        this.#finish = event.finish;
        break;
      default:
    }
  }

  get warnings(): readonly string[] {
    return this.#report.warnings;
  }

  completion(): object {
    const calls = [...this.#calls.values()];
    const details = [...this.#details.values()];
    const isSealed = details.some((detail) => detail.signature !== undefined || detail.data !== undefined);
    return {
      id: this.#id,
      object: "chat.completion",
      created: this.#createdAtS,
      model: this.#options.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: this.#text ?? (calls.length > 0 || this.#refusal !== undefined ? null : ""),
            refusal: this.#refusal ?? null,
            ...(this.#thoughts.length > 0 ? { reasoning_content: this.#thoughts.join("") } : {}),
            ...(isSealed ? { reasoning_details: details } : {}),
            ...this.#callFields(calls),
          },
          logprobs: this.#logprobs.length > 0 ? { content: this.#logprobs, refusal: null } : null,
          finish_reason: finishWord(this.#finish, this.#report, this.#options.legacyFunctions),
          ...(this.#finish.stopSequence === undefined ? {} : { stop_reason: this.#finish.stopSequence }),
        },
      ],
      ...(this.#usage === undefined ? {} : { usage: encodeUsage(this.#usage) }),
      ...(this.#options.facts === undefined ? {} : { hedgerow: this.#options.facts() }),
    };
  }

  #callFields(calls: readonly Call[]): object {
    const [first, second] = calls;
    if (first === undefined) return {};
    if (this.#options.legacyFunctions !== true)
      return { tool_calls: calls.map((call) => toolCall(call, this.#options.issuer)) };
    if (second !== undefined) this.#report.meet("further-call");
    return { function_call: called(first) };
  }

  #reasoning(
    event: AnswerEvent & { readonly kind: "reasoning-start" | "reasoning-delta" | "reasoning-signature" },
  ): void {
    const head = { format: this.#options.issuer, index: this.#details.size };
    const detail = this.#details.get(event.block);
    if (event.kind === "reasoning-start") {
      this.#details.set(
        event.block,
        event.redacted === undefined
          ? { type: "reasoning.text", text: "", ...head }
          : { type: "reasoning.encrypted", data: event.redacted, ...head },
      );
    } else if (event.kind === "reasoning-delta") {
      this.#thoughts.push(event.text);
      if (detail !== undefined) detail.text = (detail.text ?? "") + event.text;
    } else if (detail !== undefined) {
      detail.signature = event.signature;
    }
  }
}

function toolCall(call: Call, issuer: string): object {
  const { signature } = call;
  const extra = signature === undefined ? {} : signed(signature, issuer);
  return { id: call.id, type: "function", function: called(call), ...extra };
}

function called({ name, json }: Call): object {
  return { name, arguments: json === "" ? "{}" : json };
}

function tokensOf(logprobs: unknown): readonly unknown[] {
  const content = (logprobs as { readonly content?: unknown }).content;
  return Array.isArray(content) ? (content as readonly unknown[]) : [];
}
