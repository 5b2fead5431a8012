import { textOfAnswer } from "./answer-text.ts";
import type { ChatRequest } from "./chat-request.ts";
import type { ChatResponse } from "./chat-response.ts";
import { ChatStream } from "./chat-stream.ts";
import type { Connection } from "./connection.ts";
import { errorFromPending } from "./error-from-reply.ts";
import { type HedgerowError, Truncated, UpstreamFailed } from "./errors.ts";
import { type GatewayFacts, factsFromHeaders, factsWithBody } from "./gateway-facts.ts";
import { isObject, parseJson } from "./json.ts";
import { Lifeline, mustBeTimeout } from "./lifeline.ts";

export type StreamedRequest = ChatRequest & { readonly stream: true };
export type WholeRequest = ChatRequest & { readonly stream?: false | null | undefined };

/** `hedgerow.chat.completions`, as in OpenAI's library. */
export class Completions {
  readonly #connection: Connection;
  readonly #timeoutMs: number | undefined;

  constructor(connection: Connection, timeoutMs: number | undefined) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Asks for an answer. Raises a `HedgerowError` of the class that says what went wrong. A stream is given once the
   * gateway has committed to an answer: what fails before that is raised here.
   */
  create(request: StreamedRequest): Promise<ChatStream>;
  create(request: WholeRequest): Promise<ChatResponse>;
  create(request: ChatRequest): Promise<ChatResponse | ChatStream>;
  async create(request: ChatRequest): Promise<ChatResponse | ChatStream> {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    mustBeTimeout(timeoutMs);
    const lifeline = new Lifeline({ signal: request.signal, timeoutMs });
    const streamed = request.stream === true;
    try {
      const response = await this.#connection.send(
        {
          method: "POST",
          path: "/chat/completions",
          accept: streamed ? "text/event-stream" : "application/json",
          body: () => wireBody(request, lifeline.leftMs),
        },
        lifeline,
      );
      if (response.status === 202) throw await pendingFrom(response, lifeline);
      if (streamed) return streamFrom(response, lifeline);
      const answer = await wholeAnswer(response, lifeline);
      lifeline.release();
      return answer;
    } catch (error) {
      lifeline.release();
      throw error;
    }
  }
}

/** The request as it travels: our options move into the body's `hedgerow` object, everything else stays. */
function wireBody(request: ChatRequest, leftMs: number | undefined): object {
  const { timeoutMs: _timeout, minConfidence, signal: _signal, extraBody, hedgerow, ...fields } = request;
  const options = {
    ...hedgerow,
    ...(leftMs !== undefined && { timeout_ms: leftMs }),
    ...(minConfidence !== undefined && { min_confidence: minConfidence }),
  };
  return { ...extraBody, ...fields, ...(Object.keys(options).length > 0 && { hedgerow: options }) };
}

function streamFrom(response: Response, lifeline: Lifeline): ChatStream {
  const facts = factsFromHeaders(response.headers);
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || !type.startsWith("text/event-stream")) {
    throw strangeReply(facts, `asked for a stream and got ${type === "" ? "no content type" : type}`);
  }
  return new ChatStream({ body: response.body, facts, lifeline });
}

async function pendingFrom(response: Response, lifeline: Lifeline): Promise<HedgerowError> {
  const facts = factsFromHeaders(response.headers);
  const body = parseJson(await wholeText(response, { facts, lifeline }));
  return errorFromPending(body, { requestId: facts.requestId }) ?? strangeReply(facts, "the reply is no answer");
}

async function wholeAnswer(response: Response, lifeline: Lifeline): Promise<ChatResponse> {
  const facts = factsFromHeaders(response.headers);
  const body = parseJson(await wholeText(response, { facts, lifeline }));
  if (!isObject(body) || !Array.isArray(body["choices"])) {
    throw strangeReply(facts, "the reply is not a chat completion");
  }
  return {
    ...(body as unknown as ChatResponse),
    text: textOfAnswer(body) ?? "",
    hedgerow: factsWithBody(facts, body["hedgerow"]),
  };
}

/** Reads a body to its end; one that breaks off is not an answer. */
export async function wholeText(
  response: Response,
  context: { readonly facts: GatewayFacts; readonly lifeline: Lifeline },
): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    const ended = context.lifeline.explain(context.facts.requestId);
    if (ended !== undefined) throw ended;
    throw new Truncated("The connection broke before the answer was whole.", {
      code: "upstream_truncated",
      ...known(context.facts),
      cause: error,
    });
  }
}

/** A 2xx that is not what a gateway sends: nearly always something else at that address. */
export function strangeReply(facts: GatewayFacts, what: string): HedgerowError {
  return new UpstreamFailed(`Not a Hedgerow answer: ${what}. Check that baseURL is the gateway's address.`, {
    code: "bad_response",
    ...known(facts),
  });
}

function known(facts: GatewayFacts): { readonly requestId?: string } {
  return facts.requestId === undefined ? {} : { requestId: facts.requestId };
}
