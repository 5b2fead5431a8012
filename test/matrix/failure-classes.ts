import type { DialectId } from "#domain/call";
import type { FailureCode } from "#domain/failure";
import type { Timeouts } from "#domain/plan";
import type { Behaviour } from "#simulation/behaviour";

/** One way in which a provider fails, whatever its language. */
export interface FailureClass {
  readonly name: string;
  /** Or why this provider never fails so. */
  readonly does: Behaviour | ((dialect: DialectId) => Behaviour | string);
  /** What every caller is told, when this is how the call ends. */
  readonly code: FailureCode;
  readonly status: number;
  readonly shouldRetry: boolean;
  readonly retryAfterS?: number;
  /** The client has a part of the answer by then: the stream ends with an error. A whole answer fails as usual. */
  readonly inside?: true;
  /** Why an answer in one piece cannot fail so. */
  readonly streamedOnly?: string;
  readonly timeouts?: (streamed: boolean) => Partial<Timeouts>;
}

const faulty = { code: "upstream_error", status: 502, shouldRetry: true } as const;
const ours = { code: "upstream_error", status: 502, shouldRetry: false } as const;
const overloaded = { code: "overloaded", status: 503, shouldRetry: true } as const;
const late = { code: "upstream_timeout", status: 504, shouldRetry: true } as const;
const broken = { code: "upstream_truncated", status: 502, shouldRetry: true, inside: true } as const;
const noInside = "an answer in one piece has no inside";

/** Long enough that what comes at once is never late. The first byte of an answer in one piece may take all the time. */
const shortMs = 50;

const answer = { chunks: ["One ", "two ", "three ", "four."] };

export const failureClasses: readonly FailureClass[] = [
  { name: "400", does: { errorKind: "invalid-request" }, code: "invalid_request", status: 400, shouldRetry: false },
  { name: "401", does: { errorKind: "authentication" }, ...ours },
  { name: "403", does: { errorKind: "permission" }, ...ours },
  { name: "404", does: { errorKind: "not-found" }, ...ours },
  { name: "408", does: { status: 408, errorKind: "timeout" }, ...faulty },
  {
    name: "413",
    does: { status: 413, errorKind: "too-large" },
    code: "request_too_large",
    status: 413,
    shouldRetry: false,
  },
  {
    name: "429 with retry-after",
    does: { errorKind: "rate-limit", headers: { "retry-after": "7" } },
    code: "rate_limited",
    status: 429,
    shouldRetry: true,
    retryAfterS: 7,
  },
  { name: "no quota left", does: exhausted, code: "no_capacity", status: 503, shouldRetry: false },
  { name: "500", does: { errorKind: "server" }, ...faulty },
  { name: "503", does: { status: 503, errorKind: "overloaded" }, ...overloaded },
  { name: "529", does: { status: 529, errorKind: "overloaded" }, ...overloaded },
  {
    name: "context length",
    does: tooLong,
    code: "context_length_exceeded",
    status: 400,
    shouldRetry: false,
  },
  { name: "content policy", does: filtered, code: "content_filter", status: 400, shouldRetry: false },
  { name: "HTML page", does: { status: 502, htmlPage: true }, ...faulty },
  { name: "200 without an answer", does: { status: 200, body: '{"half' }, ...faulty },
  { name: "reset connection", does: { resetBeforeHead: true }, ...faulty },
  {
    name: "silence",
    does: { answer, stall: { after: "request" } },
    timeouts: (streamed) => (streamed ? { firstByteMs: shortMs } : { totalMs: 2 * shortMs }),
    ...late,
  },
  {
    name: "error inside, before content",
    does: { answer, errorEvent: { after: "lifecycle", kind: "overloaded" } },
    streamedOnly: noInside,
    ...overloaded,
  },
  {
    name: "error inside, after content",
    does: { answer, errorEvent: { after: { chunk: 1 }, kind: "overloaded" } },
    streamedOnly: noInside,
    inside: true,
    ...overloaded,
  },
  { name: "broken off", does: { answer, cut: { afterChunk: 1, how: "fin" } }, ...broken },
  {
    name: "ended too early",
    does: { answer, omitFinish: true, omitDone: true },
    streamedOnly: "an answer in one piece is complete or no JSON",
    ...broken,
  },
  {
    name: "stalled inside",
    does: { answer, stall: { after: { chunk: 1 } } },
    timeouts: () => ({ idleMs: 2 * shortMs }),
    inside: true,
    ...late,
  },
];

function exhausted(dialect: DialectId): Behaviour | string {
  if (dialect !== "gemini") return { errorKind: "quota" };
  return "Gemini says of limits of the rate too that a quota is exceeded";
}

/** As each vendor says it. */
function tooLong(dialect: DialectId): Behaviour {
  switch (dialect) {
    case "openai-chat":
    case "openai-responses":
      return openaiError("context_length_exceeded", "This model's maximum context length is 128000 tokens.");
    case "anthropic-messages":
      return anthropicError("prompt is too long: 210000 tokens > 200000 maximum");
    case "gemini":
      return geminiError("The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).");
    case "bedrock-converse":
      return bedrockError("Input is too long for requested model.");
    case "cohere-chat":
      return {
        status: 400,
        body: { message: "too many tokens: total number of tokens in the prompt cannot exceed 4081" },
      };
  }
}

function filtered(dialect: DialectId): Behaviour | string {
  switch (dialect) {
    case "openai-chat":
    case "openai-responses":
      return openaiError("content_policy_violation", "Your request was rejected by our safety system.");
    case "anthropic-messages":
      return anthropicError("Output blocked by content filtering policy");
    case "gemini":
      return "Gemini answers a prompt it blocks with an answer that ends by policy";
    case "bedrock-converse":
      return bedrockError("Output blocked by content filtering policy");
    case "cohere-chat":
      return { status: 498, body: { message: "The content was blocked." } };
  }
}

function openaiError(code: string, message: string): Behaviour {
  return { status: 400, body: { error: { message, type: "invalid_request_error", param: null, code } } };
}

function anthropicError(message: string): Behaviour {
  return { status: 400, body: { type: "error", error: { type: "invalid_request_error", message } } };
}

function geminiError(message: string): Behaviour {
  return { status: 400, body: { error: { code: 400, message, status: "INVALID_ARGUMENT" } } };
}

function bedrockError(message: string): Behaviour {
  return { status: 400, headers: { "x-amzn-errortype": "ValidationException" }, body: { message } };
}
