import type {
  AnswerFrame,
  Dialect,
  Encoded,
  EncodeOptions,
  EncodeTarget,
  StreamEncoder,
  UpstreamDialect,
} from "#dialects/dialect";
import type { ThreadWish } from "#dialects/threads";
import type { AnswerEvent } from "#domain/answer";
import type { Call, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Usage } from "#domain/usage";
import type { Placement } from "#providers/provider";
import { spliceFields, type FieldScan } from "#wire/json-splice";
import { answerOptions, send, withHeaders, type DecodedOnce } from "./lane-request.ts";
import { ThoughtCollector } from "./thoughts.ts";
import { translateUnary } from "./unary-lane.ts";

/** How one target's answer gets to this caller: the same bytes, or the same meaning in another language. */
export interface Lane {
  readonly kind: "relay" | "translate";
  /** The language the target is asked in. */
  readonly upstream: UpstreamDialect;
  /** The whole path at the provider, with its query. */
  readonly path: string;
  /** Pieces in order. */
  readonly body: readonly Uint8Array[];
  readonly headers: Readonly<Record<string, string>>;
  /** Answer headers (lower case) the caller may see as the upstream sent them. */
  readonly returnHeaders: readonly string[];
  /** Of a stream, as the caller gets it; absent where it is the usual `text/event-stream`. */
  readonly contentType?: string;
  /** Keeps a silent stream alive in the caller's language. */
  readonly heartbeat: Uint8Array;
  /** What the translation loses, in words. */
  readonly warnings: () => readonly string[];
  /** The bytes a frame means to the caller; empty where it means nothing. */
  readonly renderFrame: (frame: AnswerFrame) => Uint8Array;
  /** Frames that say nothing but text may come joined: their bytes go on as they are. */
  readonly joinsText?: true;
  /** A whole answer in the caller's language; undefined where the events are not a whole answer. */
  readonly renderAnswer: (body: Uint8Array, events: readonly AnswerEvent[]) => Uint8Array | undefined;
  /** What the answer's caller may be unable to carry to the next turn; absent where it gets the provider's own bytes. */
  readonly thoughts?: ThoughtCollector;
  /** Log-probabilities were asked for by us alone; the caller does not get them. */
  readonly logprobsAdded?: true;
  /** Reads an answer of an operation that has no events, and says it in the caller's language. */
  readonly readUnary?: (json: unknown, body: Uint8Array) => UnaryRead | Failure;
}

export interface LaneInput {
  readonly call: Call;
  readonly scan: FieldScan;
  readonly dialect: Dialect;
  readonly target: EncodeTarget;
  /** The language to ask in. */
  readonly upstream: UpstreamDialect;
  /** What to ask for: the call's operation, or an answer where that does instead. */
  readonly operation: Operation;
  readonly answer: Pick<EncodeOptions, "createdAtS" | "elapsedMs">;
  /** What the caller said by reference, which its body says whole. */
  readonly wish?: ThreadWish;
  /** Something is to be put at the end of a stream once it is known. */
  readonly attaches?: true;
  /** Decoded once for all attempts. */
  readonly decoded: DecodedOnce;
  /** Where the provider wants a request of this language. */
  readonly place: (path: string, headers: Readonly<Record<string, string>>) => Placement;
}

/** An answer in one piece: its bytes for the caller, and what it used. */
export interface UnaryRead {
  readonly body: Uint8Array;
  readonly usage?: Usage;
}

const nothing = new Uint8Array(0);
const asChat = "completion-as-chat: the target has no completions, so the prompt was sent as a chat's only message";

/** Chooses the lane and makes the request bytes for it; a failure says why this target cannot be asked this. */
export function chooseLane(input: LaneInput): Lane | Failure {
  const { call, upstream, operation, target } = input;
  const { framing } = call.address;
  const isOwn = upstream.id === input.dialect.id && operation === call.operation;
  const variant = isOwn || call.operation !== "embed" ? call.address.variant : upstream.unary?.embed?.variant;
  const path = upstream.upstreamPath(operation, {
    model: target.model,
    streamed: call.streamed,
    ...(framing === undefined ? {} : { framing }),
    ...(variant === undefined ? {} : { variant }),
  });
  if (path === undefined) return failure("not_translatable", "The target's language has no such operation.");
  if (isOwn) return relay(input, path);
  return operation === "generate" ? translate(input, path) : translateUnary(input, path);
}

export function isLane(made: Lane | Failure): made is Lane {
  return "renderFrame" in made;
}

function relay(input: LaneInput, path: string): Lane | Failure {
  const { call, scan, target, dialect } = input;
  const relayed = dialect.relayEdits(scan, call.body, target);
  const { edits, usageAdded, logprobsAdded, warnings = [], unfit, fitAnswer } = relayed;
  if (unfit !== undefined) return { ...unfit, kind: "not_translatable" };
  const headers = { ...dialect.defaultHeaders, ...call.passHeaders };
  const placed = input.place(path, headers);
  const { framing } = call.address;
  const name = namer(input);
  const strip = logprobsAdded === undefined ? undefined : dialect.stripLogprobs;
  const fit = (bytes: Uint8Array): Uint8Array => name(strip?.(bytes) ?? bytes);
  // Usage that only we asked for is not the caller's.
  const shown = (frame: AnswerFrame): Uint8Array => (frame.usageOnly && usageAdded ? nothing : fit(frame.raw));
  return {
    kind: "relay",
    upstream: dialect,
    path: placed.path,
    body: spliceFields(call.body, scan, placed.edits === undefined ? edits : new Map([...edits, ...placed.edits])),
    headers: withHeaders(headers, placed.headers),
    returnHeaders: dialect.returnHeaders,
    ...contentTypeOf(dialect, framing),
    heartbeat: dialect.heartbeat,
    warnings: () => [...warnings, ...(placed.warnings ?? [])],
    renderFrame: closingTogether(shown, input),
    renderAnswer: (body) => fit(fitAnswer?.(body) ?? body),
    ...(logprobsAdded === undefined ? {} : { logprobsAdded }),
    ...(logprobsAdded === undefined && input.attaches === undefined ? { joinsText: true } : {}),
    ...(isAnswered(call.operation) ? {} : { readUnary: relayedUnary(input) }),
  };
}

/** What comes after an answer's last chunk is its usage, and no longer than a few chunks. */
const maxKeptBytes = 64 * 1024;

/**
 * Where something is to be attached, an answer's last chunk and what follows wait for the terminator, so that there is a
 * chunk to attach it to.
 */
function closingTogether(shown: Lane["renderFrame"], { dialect, attaches }: LaneInput): Lane["renderFrame"] {
  const { closes } = dialect;
  if (closes === undefined || attaches === undefined) return shown;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  return (frame) => {
    const said = shown(frame);
    if (kept.length === 0 && (frame.terminal || !closes(said))) return said;
    kept.push(said);
    keptBytes += said.length;
    if (!frame.terminal && keptBytes <= maxKeptBytes) return nothing;
    const together = Buffer.concat(kept);
    kept = [];
    keptBytes = 0;
    return together;
  };
}

/** A provider that was told a thread whole does not know what the caller called it. */
function namer({ dialect, wish }: LaneInput): (answer: Uint8Array) => Uint8Array {
  const { threads } = dialect;
  const isNamed = wish?.previous !== undefined || wish?.conversation !== undefined;
  if (threads === undefined || wish === undefined || !isNamed) return (answer) => answer;
  return (answer) => threads.name(answer, wish);
}

/** Whether an operation's answer is made of events, whole or streamed. */
function isAnswered(operation: Operation): boolean {
  return operation === "generate" || operation === "complete";
}

function relayedUnary({ call, scan, dialect }: LaneInput): NonNullable<Lane["readUnary"]> {
  return (json, body) => {
    const fitted = dialect.unaryClient?.fitRelayed?.(call.operation, json, { body: call.body, scan });
    if (fitted !== undefined && "kind" in fitted) return fitted;
    const usage = dialect.unary?.readUsage?.(call.operation, json);
    return { body: fitted ?? body, ...(usage === undefined ? {} : { usage }) };
  };
}

function translate(input: LaneInput, path: string): Lane | Failure {
  const decoded = input.decoded.request();
  if (!("request" in decoded)) return decoded;
  const encoded = input.upstream.encodeRequest(decoded.request, input.target);
  const sent = send(input, path, encoded);
  if (!("path" in sent)) return sent;
  const { dialect, call } = input;
  const voice = call.operation === "complete" ? dialect.completion : dialect;
  if (voice === undefined) return failure("not_translatable", "The caller's language has no such operation.");
  const lostInAnswer = new Set<string>(call.operation === "complete" ? [asChat] : []);
  const options = answerOptions(input, decoded, (warning) => lostInAnswer.add(warning));
  const thoughts = new ThoughtCollector(input.target.issuer);
  const isAdded = encoded.kind === "encoded" && encoded.logprobsAdded === true;
  let encoder: StreamEncoder | undefined;
  return {
    kind: "translate",
    upstream: input.upstream,
    ...sent,
    returnHeaders: [],
    ...contentTypeOf(dialect, input.call.address.framing),
    heartbeat: dialect.heartbeat,
    thoughts,
    ...(isAdded ? { logprobsAdded: true } : {}),
    warnings: () => [...warningsOf(encoded), ...(encoder?.warnings ?? []), ...lostInAnswer],
    renderFrame: closingTogether((frame) => {
      encoder ??= voice.streamEncoder(options);
      for (const event of frame.events) thoughts.see(event);
      return written(isAdded ? withoutLogprobs(frame.events) : frame.events, encoder);
    }, input),
    renderAnswer(_body, events) {
      for (const event of events) thoughts.see(event);
      return voice.encodeAnswer(isAdded ? withoutLogprobs(events) : events, options);
    },
  };
}

function withoutLogprobs(events: readonly AnswerEvent[]): readonly AnswerEvent[] {
  return events.map((event) => {
    if (event.kind !== "text-delta" || event.logprobs === undefined) return event;
    const { logprobs: _, ...rest } = event;
    return rest;
  });
}

/** Most languages write text, whose pieces are joined before they become bytes. */
function written(events: readonly AnswerEvent[], encoder: StreamEncoder): Uint8Array {
  let text = "";
  const pieces: Uint8Array[] = [];
  for (const event of events) {
    const said = encoder.encode(event);
    if (typeof said === "string") text += said;
    else if (said.length > 0) pieces.push(said);
  }
  if (pieces.length > 0) return Buffer.concat(text === "" ? pieces : [...pieces, Buffer.from(text, "utf8")]);
  return text === "" ? nothing : Buffer.from(text, "utf8");
}

function warningsOf(encoded: Encoded): readonly string[] {
  return encoded.kind === "encoded" ? encoded.warnings : [];
}

function contentTypeOf(dialect: Dialect, framing: Call["address"]["framing"]): { readonly contentType?: string } {
  const contentType = dialect.streamContentType?.(framing);
  return contentType === undefined ? {} : { contentType };
}
