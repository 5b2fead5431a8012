import { validateHeaderName, validateHeaderValue } from "node:http";
import { z } from "zod";

const count = z.int().nonnegative();
const ordinal = z.int().positive();
const millis = z.number().nonnegative();
const probability = z.number().gt(0).max(1);

/** Finish words of the hub; any other word goes on the wire as it is written (`error`, `model_length`, …). */
const finish = z.string().min(1);

const toolCall = z.strictObject({
  name: z.string().min(1),
  /** An object, or the exact JSON text (which may be broken on purpose). Default `{}`. */
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  id: z.string().min(1).optional(),
});

const reasoning = z.union([
  z.string(),
  z.strictObject({
    text: z.string(),
    /** `signature` (default) signs the text, `redacted` sends it sealed, `none` leaves the signature out. */
    seal: z.enum(["signature", "redacted", "none"]).optional(),
  }),
]);

/** Tokens. What is left out is counted: bytes / 4, rounded up. */
const usage = z.strictObject({
  /** Prompt tokens that were neither read from nor written to a cache. */
  input: z.int().optional(),
  cacheRead: z.int().optional(),
  cacheWrite: z.int().optional(),
  /** Visible answer tokens. */
  output: z.int().optional(),
  reasoning: z.int().optional(),
});

const answer = z.strictObject({
  /** Streamed word by word. */
  text: z.string().optional(),
  /** The text in exactly these pieces, in place of `text`. */
  chunks: z.array(z.string()).optional(),
  /** The text is this value as JSON, in place of `text`. */
  json: z.unknown().optional(),
  /** Sends the text so many times over: a flood needs no memory. */
  repeat: ordinal.optional(),
  reasoning: reasoning.optional(),
  /** OpenAI's `refusal` words; the others say them as text. */
  refusal: z.string().optional(),
  toolCalls: z.array(toolCall).optional(),
  /**
   * Probability of the text's tokens, each piece being one: for all, or one each, the last for all that follow. `untold`:
   * no log-probabilities, asked for or not. Left out: as sure as most answers are.
   */
  confidence: z.union([probability, z.array(probability).min(1), z.literal("untold")]).optional(),
  finish: finish.optional(),
  stopSequence: z.string().optional(),
  usage: usage.optional(),
});

/** A place in an answer. In one that is not streamed every place inside the stream means the middle of the body. */
const afterChunk = z.strictObject({ chunk: ordinal });
const afterByte = z.strictObject({ byte: count });

const stall = z.strictObject({
  /** `request`: nothing is answered, not even the head. `lifecycle`: before the first content. */
  after: z.union([z.enum(["request", "head", "lifecycle"]), afterChunk, afterByte]),
  /** Keep-alives of the dialect in the silence. */
  pingEveryMs: z.number().positive().optional(),
  /** Then the answer goes on. Left out: until the other side closes. */
  forMs: millis.optional(),
});

const cut = z.strictObject({
  /** Bytes of the body that still leave, framing not counted. */
  atByte: count.optional(),
  /** Pieces of content that still leave; 0 cuts after the lifecycle events. */
  afterChunk: count.optional(),
  /** `clean-end` ends the transport properly, without what the protocol ends with. */
  how: z.enum(["fin", "rst", "clean-end"]),
});

export const errorKinds = [
  "invalid-request",
  "authentication",
  "permission",
  "not-found",
  "too-large",
  "rate-limit",
  "quota",
  "server",
  "timeout",
  "overloaded",
] as const;
export type ErrorKind = (typeof errorKinds)[number];

const errorEvent = z.strictObject({
  after: z.union([z.enum(["head", "lifecycle"]), afterChunk]),
  kind: z.enum(errorKinds).optional(),
  message: z.string().optional(),
  /** The event's data as it is, in place of the dialect's own shape. */
  body: z.record(z.string(), z.unknown()).optional(),
  /** The stream then still sends the protocol's completion, as some proxies do. */
  thenDone: z.boolean().optional(),
});

export const malformations = [
  "broken-json",
  "two-objects",
  "html",
  "half-frame",
  "unknown-event",
  "oversize",
  "invalid-utf8",
  "duplicate",
  "comment",
  "bad-checksum",
] as const;
export type Malformation = (typeof malformations)[number];

const malformed = z.strictObject({
  /** 0: right after the lifecycle events. */
  afterChunk: count,
  kind: z.enum(malformations),
  /** Size of an `oversize` event. Default 8 MiB. */
  bytes: ordinal.optional(),
});

const rawBytes = z.union([z.string(), z.strictObject({ base64: z.base64() })]);

/**
 * How the simulated provider treats one request. The parts compose: what an answer says (`answer` or `status`), when
 * its bytes leave, and what goes wrong on the way. Without `answer` and `status` the built-in assistant answers.
 */
export const behaviourSchema = z.strictObject({
  answer: answer.optional(),
  /** Interim (1xx) responses: `raw`. */
  status: z.int().min(200).max(999).optional(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  /** With `status`: text or JSON. Left out: an error in the dialect's own shape. */
  body: z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
  /** With `status`: the HTML error page of a provider's edge. */
  htmlPage: z.boolean().optional(),
  /** An error of this kind in the dialect's own shape; its status too, unless `status` says another. */
  errorKind: z.enum(errorKinds).optional(),

  delayMs: millis.optional(),
  firstContentDelayMs: millis.optional(),
  interChunkDelayMs: millis.optional(),
  stall: stall.optional(),

  cut: cut.optional(),
  errorEvent: errorEvent.optional(),
  malformed: malformed.optional(),
  /** No `[DONE]`, no `message_stop`. */
  omitDone: z.boolean().optional(),
  /** No finish reason either: neither the finish chunk nor `message_delta`. */
  omitFinish: z.boolean().optional(),
  omitUsage: z.boolean().optional(),
  /** OpenAI: usage in the finish chunk, asked for or not, as DeepSeek and Mistral do. */
  usageInFinish: z.boolean().optional(),
  /** Lines of the stream end in CRLF. */
  crlf: z.boolean().optional(),
  /** Bytes per write; each write is flushed on its own. */
  slice: ordinal.optional(),
  /** How the body's end is told. Default: `chunked` for streams, `length` otherwise. */
  framing: z.enum(["chunked", "length", "close-delimited"]).optional(),
  /** With `length` framing: added to the declared content-length, may be negative. */
  lengthOff: z.int().optional(),
  /** Exactly these bytes on the socket, in place of everything HTTP; then the connection is closed. */
  raw: rawBytes.optional(),
  /** The request is read, then the connection is reset. */
  resetBeforeHead: z.boolean().optional(),
});

export type Behaviour = z.infer<typeof behaviourSchema>;
export type AnswerScript = z.infer<typeof answer>;

export interface BehaviourComplaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Combinations that would silently ignore a part. */
export function contradictions(behaviour: Behaviour): readonly BehaviourComplaint[] {
  const found: BehaviourComplaint[] = [];
  const complain = (key: keyof Behaviour, message: string): void => void found.push({ path: [key], message });
  if (behaviour.answer !== undefined && behaviour.status !== undefined && behaviour.status >= 300) {
    complain("status", "an answer cannot have an error status: keep `answer` or `status`");
  }
  if (behaviour.answer !== undefined && behaviour.errorKind !== undefined) {
    complain("errorKind", "an answer cannot be an error: keep `answer` or `errorKind`");
  }
  for (const key of ["body", "htmlPage"] as const) {
    if (behaviour[key] !== undefined && behaviour.status === undefined) complain(key, `\`${key}\` needs a \`status\``);
  }
  if (behaviour.body !== undefined && behaviour.htmlPage === true) complain("htmlPage", "keep `body` or `htmlPage`");
  if (behaviour.lengthOff !== undefined && behaviour.framing !== undefined && behaviour.framing !== "length") {
    complain("lengthOff", "needs `framing: length`");
  }
  for (const [name, value] of Object.entries(behaviour.headers ?? {})) {
    if (!isHeader(name, value)) complain("headers", `\`${name}\` cannot be sent as an HTTP header`);
  }
  const cut = behaviour.cut;
  if (cut !== undefined && (cut.atByte === undefined) === (cut.afterChunk === undefined)) {
    complain("cut", "needs exactly one of `atByte` and `afterChunk`");
  }
  const texts = [behaviour.answer?.text, behaviour.answer?.chunks, behaviour.answer?.json];
  if (texts.filter((text) => text !== undefined).length > 1) {
    complain("answer", "needs only one of `text`, `chunks` and `json`");
  }
  if (behaviour.raw !== undefined && (behaviour.answer !== undefined || behaviour.status !== undefined)) {
    complain("raw", "replaces the whole response: leave out `answer` and `status`");
  }
  return found;
}

function isHeader(name: string, value: string | readonly string[]): boolean {
  try {
    validateHeaderName(name);
    for (const one of [value].flat()) validateHeaderValue(name, one);
    return true;
  } catch {
    return false;
  }
}
