import type { AnswerEvent, Finish } from "#domain/answer";
import type { CallAddress } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Usage } from "#domain/usage";
import type { EncodeOptions, TextStreamEncoder } from "#dialects/dialect";
import { errorJson } from "./encode-failure.ts";
import { responseHead, responseJson, type ResponseHead } from "./response-json.ts";
import { PartsWriter, type WrittenPart } from "./write-parts.ts";

type Framing = CallAddress["framing"];

/**
 * White space, which is nothing between the elements of an array and an empty event in a stream. A comment would be
 * proper too, but Google's client 1.30, which is in gemini-cli 0.61, takes nothing but white space before `data:`.
 */
const blank = "\r\n";

export const heartbeat: Uint8Array = Buffer.from(blank);

export function streamContentType(framing: Framing): string {
  return framing === "json-array" ? "application/json; charset=UTF-8" : "text/event-stream; charset=utf-8";
}

/** One server-sent event. */
export function eventFrame(json: string): string {
  return `data: ${json}\r\n\r\n`;
}

/** Behind the elements of an array, one at least. */
export function lastElement(json: string): string {
  return `,\r\n${json}\r\n]`;
}

export function streamEncoder(options: EncodeOptions): TextStreamEncoder {
  return new ResponseStreamEncoder(options);
}

/**
 * Chunks that are whole `GenerateContentResponse`s, with the finish, the usage and nothing else in the last. An array
 * begins with an empty chunk as soon as the answer does, so that whatever comes later, an error too, stands behind a
 * comma.
 */
class ResponseStreamEncoder implements TextStreamEncoder {
  readonly #options: EncodeOptions;
  readonly #writer: PartsWriter;
  readonly #warnings = new Set<string>();
  readonly #isArray: boolean;
  #head: ResponseHead;
  #begun = false;
  #spoke = false;
  #done = false;
  #usage: Usage | undefined;
  #finish: Finish | undefined;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#isArray = options.framing === "json-array";
    this.#head = responseHead(undefined, options);
    this.#writer = new PartsWriter(options, (warning) => this.#warnings.add(warning));
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  encode(event: AnswerEvent): string {
    if (this.#done) return "";
    switch (event.kind) {
      case "start":
        this.#head = responseHead(event, this.#options);
        return this.#begin();
      case "usage":
        this.#usage = event.usage;
        return "";
      case "ping":
        return blank;
      case "finish":
        this.#finish = event.finish;
        return this.#chunk(this.#writer.close());
      case "failed":
        return this.#fail(event.failure);
      case "end":
        return this.#end();
      default:
        return this.#content(event);
    }
  }

  #content(event: AnswerEvent): string {
    const parts = this.#writer.write(event);
    if (!this.#writer.overfull) return this.#chunk(parts);
    return this.#fail(failure("event_too_large", "The answer's tool arguments are larger than can be put together."));
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    return this.#isArray ? `[${responseJson(this.#head, [])}` : "";
  }

  #chunk(parts: readonly WrittenPart[]): string {
    if (parts.length === 0) return "";
    this.#spoke = true;
    const json = responseJson(this.#head, parts);
    return this.#begin() + (this.#isArray ? `,\r\n${json}` : eventFrame(json));
  }

  #end(): string {
    this.#done = true;
    const facts = this.#options.facts?.();
    const json = responseJson(this.#head, this.#writer.close(), {
      finish: this.#finish,
      refused: this.#writer.refused,
      spoke: this.#spoke,
      usage: this.#usage,
      ...(facts === undefined ? {} : { facts }),
    });
    return this.#begin() + (this.#isArray ? lastElement(json) : eventFrame(json));
  }

  #fail(failed: Failure): string {
    const begun = this.#begin();
    this.#done = true;
    return begun + (this.#isArray ? lastElement(errorJson(failed)) : eventFrame(errorJson(failed)));
  }
}
