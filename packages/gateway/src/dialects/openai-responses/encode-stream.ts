import type { AnswerEvent, Finish } from "#domain/answer";
import type { Failure } from "#domain/failure";
import type { Usage } from "#domain/usage";
import { encodeSse } from "#wire/sse";
import type { EncodeOptions, TextStreamEncoder } from "#dialects/dialect";
import { endingOf, isCut } from "./encode-answer.ts";
import { errorFields, responseError } from "./encode-failure.ts";
import { answerWarning } from "./losses.ts";
import { ResponseObject, type ResponseState } from "./response-object.ts";
import { OutputWriter } from "./write-output.ts";

/** Keeps a silent stream alive: a comment, which no client shows. */
export const heartbeat: Uint8Array = Buffer.from(": keep-alive\n\n");

/** OpenAI sends none; Open Responses demands it, and every known client takes it (protocols §0.7). */
const done = "data: [DONE]\n\n";

export function streamEncoder(options: EncodeOptions): TextStreamEncoder {
  return new ResponseStreamEncoder(options);
}

/** Events in the recorded order, `sequence_number` rising from 0 by one each; an error instead of a completion. */
class ResponseStreamEncoder implements TextStreamEncoder {
  readonly #options: EncodeOptions;
  readonly #response: ResponseObject;
  readonly #writer: OutputWriter;
  readonly #warnings = new Set<string>();
  #written = "";
  #sequence = 0;
  #begun = false;
  #over = false;
  #usage: Usage | undefined;
  #finish: Finish = { reason: "stop" };

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#response = new ResponseObject(options);
    this.#writer = new OutputWriter(options, (type, fields) => this.#event(type, fields));
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  encode(event: AnswerEvent): string {
    if (this.#over) return "";
    this.#accept(event);
    const written = this.#written;
    this.#written = "";
    return written;
  }

  #accept(event: AnswerEvent): void {
    switch (event.kind) {
      case "start":
        this.#response.createdAtS = event.createdAtS ?? this.#options.createdAtS;
        this.#begin();
        return;
      case "ping":
        this.#written += heartbeat.toString();
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "foreign":
        this.#warnings.add(answerWarning("foreign-event", event.what));
        return;
      case "finish":
        this.#finish = event.finish;
        this.#begin();
        this.#writer.finish(isCut(endingOf(event.finish, () => {})));
        return;
      case "end":
        this.#end();
        return;
      case "failed":
        this.#fail(event.failure);
        return;
      default:
        this.#begin();
        this.#writer.write(event);
    }
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const response = this.#response.show({ status: "in_progress", output: [] });
    this.#event("response.created", { response });
    this.#event("response.in_progress", { response });
  }

  #end(): void {
    this.#begin();
    this.#over = true;
    const ending = endingOf(this.#finish, (warning) => this.#warnings.add(warning));
    this.#writer.finish(isCut(ending));
    const { facts } = this.#options;
    this.#terminal({ ...ending, output: this.#writer.items, usage: this.#usage }, facts?.());
    if (ending.status !== "failed") this.#written += done;
  }

  #fail(failed: Failure): void {
    this.#begin();
    this.#over = true;
    this.#event("error", errorFields(failed));
    this.#terminal({ status: "failed", output: this.#writer.partial(), error: responseError(failed) });
  }

  #terminal(state: ResponseState, facts?: object): void {
    const response = this.#response.show(state);
    this.#event(`response.${state.status}`, { response, ...(facts === undefined ? {} : { hedgerow: facts }) });
  }

  #event(type: string, fields: object): void {
    this.#written += encodeSse({
      event: type,
      data: JSON.stringify({ type, sequence_number: this.#sequence, ...fields }),
    });
    this.#sequence += 1;
  }
}
