import type { AnswerFrame, Dialect, EncodeTarget, StreamEncoder } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import type { Call } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { GenerateRequest } from "#domain/request";
import { spliceFields, type FieldScan } from "#wire/json-splice";

/** How one target's answer gets to this caller: the same bytes, or the same meaning in another language. */
export interface Lane {
  readonly kind: "relay" | "translate";
  /** The language the target speaks. */
  readonly upstream: Dialect;
  /** Pieces in order. */
  readonly body: readonly Uint8Array[];
  readonly headers: Readonly<Record<string, string>>;
  /** Keeps a silent stream alive in the caller's language. */
  readonly heartbeat: Uint8Array;
  /** What the translation loses, in words. */
  readonly warnings: () => readonly string[];
  /** The bytes a frame means to the caller; empty where it means nothing. */
  readonly renderFrame: (frame: AnswerFrame) => Uint8Array;
  /** A whole answer in the caller's language; undefined where the events are not a whole answer. */
  readonly renderAnswer: (body: Uint8Array, events: readonly AnswerEvent[]) => Uint8Array | undefined;
}

export interface LaneInput {
  readonly call: Call;
  readonly scan: FieldScan;
  readonly dialect: Dialect;
  readonly target: EncodeTarget;
  readonly upstream: Dialect;
  readonly answer: { readonly createdAtS: number };
  /** Decoded once for all attempts. */
  readonly decoded: () => GenerateRequest | Failure;
}

const nothing = new Uint8Array(0);

/** Chooses the lane and makes the request bytes for it; a failure says why this target cannot be asked this. */
export function chooseLane(input: LaneInput): Lane | Failure {
  return input.upstream.id === input.dialect.id ? relay(input) : translate(input);
}

export function isLane(made: Lane | Failure): made is Lane {
  return "renderFrame" in made;
}

function relay(input: LaneInput): Lane {
  const { call, scan, target, upstream } = input;
  const { edits, usageAdded, warnings = [] } = upstream.relayEdits(scan, call.body, target);
  return {
    kind: "relay",
    upstream,
    body: spliceFields(call.body, scan, edits),
    headers: { ...upstream.defaultHeaders, ...call.passHeaders },
    heartbeat: upstream.heartbeat,
    warnings: () => warnings,
    // Usage that only we asked for is not the caller's.
    renderFrame: (frame) => (frame.usageOnly && usageAdded ? nothing : frame.raw),
    renderAnswer: (body) => body,
  };
}

function translate(input: LaneInput): Lane | Failure {
  const request = input.decoded();
  if (!("turns" in request)) return request;
  const encoded = input.upstream.encodeRequest(request, input.target);
  if (encoded.kind === "refused") return { ...encoded.failure, kind: "not_translatable" };
  const { call, dialect, target } = input;
  const lostInAnswer = new Set<string>();
  const options = {
    fallbackId: call.id,
    model: target.model,
    createdAtS: input.answer.createdAtS,
    includeUsage: request.usageInStream,
    issuer: target.issuer,
    ...(request.legacyFunctions === undefined ? {} : { legacyFunctions: request.legacyFunctions }),
    onLoss: (warning: string) => lostInAnswer.add(warning),
  };
  let encoder: StreamEncoder | undefined;
  return {
    kind: "translate",
    upstream: input.upstream,
    body: [encoded.body],
    headers: { ...input.upstream.defaultHeaders, ...encoded.headers },
    heartbeat: dialect.heartbeat,
    warnings: () => [...encoded.warnings, ...(encoder?.warnings ?? []), ...lostInAnswer],
    renderFrame(frame) {
      encoder ??= dialect.streamEncoder(options);
      let text = "";
      for (const event of frame.events) text += encoder.encode(event);
      return text === "" ? nothing : Buffer.from(text, "utf8");
    },
    renderAnswer: (_body, events) => dialect.encodeAnswer(events, options),
  };
}

/** The call's body in the hub's words, parsed at most once. */
export function decodeOnce(call: Call, dialect: Dialect): () => GenerateRequest | Failure {
  let made: GenerateRequest | Failure | undefined;
  return () => {
    made ??= decode(call, dialect);
    return made;
  };
}

function decode(call: Call, dialect: Dialect): GenerateRequest | Failure {
  const text = Buffer.from(call.body.buffer, call.body.byteOffset, call.body.length).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failure("invalid_request", "The body is not valid JSON.");
  }
  const decoded = dialect.decodeRequest(json, call.passHeaders, text);
  return decoded.kind === "decoded" ? decoded.request : decoded.failure;
}

/** The dialect a target is spoken to in. */
export function upstreamDialect(id: Call["dialect"]): Dialect {
  return dialects[id];
}
