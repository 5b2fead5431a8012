import type { AnswerEvent } from "#domain/answer";
import type { EncodeOptions, TextStreamEncoder } from "#dialects/dialect";
import { encodeUsage, finishWord } from "./encode-answer.ts";
import { streamError } from "./encode-failure.ts";
import { LossReport } from "./losses.ts";

/** A whole answer as `/v1/completions` writes it; undefined where the events do not end in `end`. */
export function encodeCompletion(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  if (events.at(-1)?.kind !== "end") return undefined;
  const state = new CompletionState(options);
  let text = "";
  for (const event of events) text += state.see(event);
  const body = {
    ...state.head,
    choices: [choiceOf(text, state.finish ?? "stop")],
    ...(state.usage === undefined ? {} : { usage: state.usage }),
    ...(options.facts === undefined ? {} : { hedgerow: options.facts() }),
  };
  for (const warning of state.report.warnings) options.onLoss?.(warning);
  return Buffer.from(JSON.stringify(body));
}

export function completionEncoder(options: EncodeOptions): TextStreamEncoder {
  const state = new CompletionState(options);
  let over = false;
  const chunk = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ ...state.head, choices, ...more })}\n\n`;
  return {
    get warnings() {
      return state.report.warnings;
    },
    encode(event) {
      if (over) return "";
      const text = state.see(event);
      if (text !== "") return chunk([choiceOf(text, null)]);
      switch (event.kind) {
        case "finish":
          return chunk([choiceOf("", state.finish ?? "stop")]);
        case "ping":
          return ": keep-alive\n\n";
        case "failed":
          over = true;
          return streamError(event.failure);
        case "end": {
          over = true;
          const facts = options.facts?.();
          const late = {
            ...(options.includeUsage && state.usage !== undefined ? { usage: state.usage } : {}),
            ...(facts === undefined ? {} : { hedgerow: facts }),
          };
          return `${Object.keys(late).length === 0 ? "" : chunk([], late)}data: [DONE]\n\n`;
        }
        default:
          return "";
      }
    },
  };
}

/** What whole and streamed completions have in common. They have no place for thoughts and tools: only text is told. */
class CompletionState {
  head: object;
  finish: string | undefined;
  usage: object | undefined;
  readonly report = new LossReport();
  readonly #options: EncodeOptions;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.head = this.#headOf("", undefined);
  }

  /** The text an event says. */
  see(event: AnswerEvent): string {
    switch (event.kind) {
      case "start":
        this.head = this.#headOf(event.id, event.createdAtS);
        return "";
      case "text-delta":
      case "refusal-delta":
        return event.text;
      case "usage":
        this.usage = encodeUsage(event.usage);
        return "";
      case "finish":
        this.finish = finishWord(event.finish, this.report);
        return "";
      case "foreign":
        this.report.meet("foreign-event", event.what);
        return "";
      default:
        return "";
    }
  }

  #headOf(id: string, createdAtS: number | undefined): object {
    const { fallbackId, model } = this.#options;
    return {
      id: id === "" ? fallbackId : id,
      object: "text_completion",
      created: createdAtS ?? this.#options.createdAtS,
      model,
    };
  }
}

function choiceOf(text: string, finish: string | null): object {
  return { text, index: 0, logprobs: null, finish_reason: finish };
}
