import type { Decoded, Encoded, EncodeOptions } from "#dialects/dialect";
import { failure, type Failure } from "#domain/failure";
import type { Call } from "#domain/call";
import type { Dialect } from "#dialects/dialect";
import type { GenerateRequest } from "#domain/request";
import { editFields, scanFields } from "#wire/json-splice";
import type { LaneInput } from "./lane.ts";

/** Encoders bound what they nest far below this. */
const deepest = 1000;

export interface Sent {
  readonly path: string;
  readonly body: readonly Uint8Array[];
  readonly headers: Readonly<Record<string, string>>;
}

/** A translated request as the provider wants it. */
export function send(input: LaneInput, path: string, encoded: Encoded): Sent | Failure {
  if (encoded.kind === "refused") return { ...encoded.failure, kind: "not_translatable" };
  const headers = { ...input.upstream.defaultHeaders, ...encoded.headers };
  const placed = input.place(path, headers);
  return {
    path: placed.path,
    body: [placed.edits === undefined ? encoded.body : edited(encoded.body, placed.edits)],
    headers: withHeaders(headers, placed.headers),
  };
}

function edited(body: Uint8Array, edits: ReadonlyMap<string, string | undefined>): Uint8Array {
  const scan = scanFields(body, { maxDepth: deepest });
  if ("problem" in scan) throw new Error(`an encoder wrote no JSON object: ${scan.problem}`);
  return editFields(body, scan, edits);
}

export function withHeaders(
  headers: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>> | undefined,
): Readonly<Record<string, string>> {
  if (changes === undefined) return headers;
  const changed: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...headers, ...changes }))
    if (value !== undefined) changed[name] = value;
  return changed;
}

/** What an encoder of answers is told of the call. */
export function answerOptions(
  { call, target, answer, wish }: LaneInput,
  decoded: DecodedCall | undefined,
  onLoss: (warning: string) => void,
): EncodeOptions {
  const { framing } = call.address;
  const request = decoded?.request;
  return {
    fallbackId: call.id,
    model: target.model,
    ...answer,
    includeUsage: request?.usageInStream ?? true,
    issuer: target.issuer,
    ...(request?.legacyFunctions === undefined ? {} : { legacyFunctions: request.legacyFunctions }),
    ...(decoded === undefined ? {} : { request: decoded.request, requestJson: decoded.json }),
    ...(framing === undefined ? {} : { framing }),
    ...(wish === undefined ? {} : { wish }),
    onLoss,
  };
}

/** A call's body: parsed at most once, in the hub's words at most once. */
export interface DecodedOnce {
  json(): { readonly value: unknown; readonly text: string } | Failure;
  request(): DecodedCall | Failure;
}

/** A caller's body in the hub's words, and as parsed. */
export interface DecodedCall {
  readonly request: GenerateRequest;
  readonly json: unknown;
}

/** `complete`: adds to a request what its caller could not carry. */
export function decodeOnce(
  call: Call,
  dialect: Dialect,
  complete: (request: GenerateRequest) => GenerateRequest = (request) => request,
): DecodedOnce {
  let parsed: ReturnType<DecodedOnce["json"]> | undefined;
  let made: DecodedCall | Failure | undefined;
  const json = (): ReturnType<DecodedOnce["json"]> => {
    parsed ??= parse(call);
    return parsed;
  };
  const completed = (decoded: DecodedCall | Failure): DecodedCall | Failure => {
    return "request" in decoded ? { ...decoded, request: complete(decoded.request) } : decoded;
  };
  return {
    json,
    request() {
      made ??= completed(decode(json(), call, dialect));
      return made;
    },
  };
}

function parse(call: Call): ReturnType<DecodedOnce["json"]> {
  const text = Buffer.from(call.body.buffer, call.body.byteOffset, call.body.length).toString("utf8");
  try {
    return { value: JSON.parse(text) as unknown, text };
  } catch {
    return failure("invalid_request", "The body is not valid JSON.");
  }
}

function decode(json: ReturnType<DecodedOnce["json"]>, call: Call, dialect: Dialect): DecodedCall | Failure {
  if (!("value" in json)) return json;
  const decoded = decodedAs(json, call, dialect);
  if (decoded.kind === "refused") return decoded.failure;
  const { address, model, streamed } = call;
  // Languages that say them in the path say nothing of them in the body.
  const request = address.model === undefined ? decoded.request : { ...decoded.request, model, streamed };
  return { request, json: json.value };
}

function decodedAs(
  { value, text }: { readonly value: unknown; readonly text: string },
  call: Call,
  dialect: Dialect,
): Decoded {
  if (call.operation === "complete" && dialect.completion !== undefined) return dialect.completion.decodeRequest(value);
  if (call.operation === "count-tokens" && dialect.decodeCount !== undefined) {
    return dialect.decodeCount(value, call.passHeaders, text);
  }
  return dialect.decodeRequest(value, call.passHeaders, text);
}
