import type { ChatChunk } from "./chat-response.ts";
import { errorFromEvent } from "./error-from-reply.ts";
import { type HedgerowError, ManualInterventionRequired, Truncated } from "./errors.ts";
import { EventData } from "./event-data.ts";
import { type GatewayFacts, factsWithBody } from "./gateway-facts.ts";
import { type JsonObject, isObject, parseJson } from "./json.ts";
import type { Lifeline } from "./lifeline.ts";

const closePatienceMs = 250;

/**
 * A streamed answer. It can be read once, by `for await` or by `text()`; leaving the loop early aborts the call, so
 * that the gateway stops the provider.
 *
 * It ends quietly only where the answer is complete: every choice finished and the terminator seen. Anything else is
 * a `Truncated` error after the chunks that came.
 */
export class ChatStream implements AsyncIterable<ChatChunk> {
  readonly #body: ReadableStream<Uint8Array>;
  readonly #lifeline: Lifeline;
  #facts: GatewayFacts;
  #text = "";
  #begun = false;

  constructor(reply: {
    readonly body: ReadableStream<Uint8Array>;
    readonly facts: GatewayFacts;
    readonly lifeline: Lifeline;
  }) {
    this.#body = reply.body;
    this.#facts = reply.facts;
    this.#lifeline = reply.lifeline;
  }

  /** What is known so far: at first from the headers, at the end with the late facts, where those were asked for. */
  get hedgerow(): GatewayFacts {
    return this.#facts;
  }

  /** Reads to the end and gives the first choice's text. */
  async text(): Promise<string> {
    for await (const _chunk of this) {
      // The text is collected while the chunks pass.
    }
    return this.#text;
  }

  /** Ends the call of a stream that nobody will read. */
  abort(): void {
    this.#begun = true;
    this.#lifeline.release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatChunk, void, undefined> {
    if (this.#begun) throw new TypeError("This stream was read or aborted before: a stream can be read once.");
    this.#begun = true;
    const progress = new Progress();
    const events = new EventData();
    const decoder = new TextDecoder();
    const reader = this.#body.getReader();
    try {
      for (;;) {
        const read = await reader.read();
        if (read.done) throw this.#truncated("The stream ended before the answer was complete.");
        for (const data of events.push(decoder.decode(read.value, { stream: true }))) {
          if (data === "[DONE]") {
            if (!progress.complete) throw this.#truncated("The stream was closed before the answer had finished.");
            await closeOf(reader);
            return;
          }
          yield this.#chunkFrom(data, progress);
        }
      }
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#lifeline.release();
    }
  }

  #chunkFrom(data: string, progress: Progress): ChatChunk {
    const event = parseJson(data);
    const failed = errorFromEvent(event, { requestId: this.#facts.requestId, partialText: this.#text });
    if (failed !== undefined) throw failed;
    if (!isObject(event) || !Array.isArray(event["choices"])) {
      throw this.#truncated("The stream held something that is no part of a chat answer.");
    }
    this.#facts = factsWithBody(this.#facts, event["hedgerow"]);
    for (const choice of event["choices"].filter(isObject)) {
      this.#text += progress.observe(choice);
    }
    return event as unknown as ChatChunk;
  }

  #explain(error: unknown): HedgerowError {
    const ended = this.#lifeline.explain(this.#facts.requestId);
    if (ended !== undefined) return ended;
    if (Truncated.isInstance(error) || ManualInterventionRequired.isInstance(error)) return error;
    return this.#truncated(
      error instanceof Error ? `The stream broke off: ${error.message}` : "The stream broke off.",
      error,
    );
  }

  #truncated(message: string, cause?: unknown): Truncated {
    const { requestId } = this.#facts;
    return new Truncated(message, {
      code: "upstream_truncated",
      ...(requestId !== undefined && { requestId }),
      partialText: this.#text,
      cause,
    });
  }
}

/**
 * Lets a complete stream close by itself, so that its connection can serve the next call and the gateway does not see
 * a client that left.
 */
async function closeOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closePatienceMs);
  });
  const closed = reader.read().catch(() => {
    // The answer is complete: how its connection ends no longer matters.
  });
  await Promise.race([closed, patience]);
  clearTimeout(timer);
}

/** Which choices have begun and which have finished. */
class Progress {
  readonly #open = new Set<unknown>();
  readonly #finished = new Set<unknown>();

  get complete(): boolean {
    return this.#finished.size > 0 && this.#open.size === 0;
  }

  /** Notes a piece; gives what it adds to the first choice's text. */
  observe(choice: JsonObject): string {
    const index = choice["index"] ?? 0;
    if (typeof choice["finish_reason"] === "string") {
      this.#open.delete(index);
      this.#finished.add(index);
    } else if (!this.#finished.has(index)) {
      this.#open.add(index);
    }
    const delta = choice["delta"];
    const content = index === 0 && isObject(delta) ? delta["content"] : undefined;
    return typeof content === "string" ? content : "";
  }
}
