import type {
  DocumentPart,
  ForeignPart,
  ImagePart,
  Part,
  Seal,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "#domain/request";
import { defined, isObject, type JsonObject } from "#dialects/shape";
import type { CallMatcher } from "./call-matcher.ts";
import { bareType, placeOf, typeOfAddress } from "./media.ts";
import { foreignName } from "./own-foreign.ts";
import { PartialArguments } from "./partial-arguments.ts";
import { memberOf, type RequestReader } from "./request-reader.ts";
import { isTagged, readSeal } from "./seal-tag.ts";

/** Where a part stands. */
export interface PartPlace {
  readonly path: string;
  readonly role: "user" | "model";
  readonly matcher: CallMatcher;
  /** The same part, its numbers with the digits they came with; undefined where no number is in danger. */
  readonly exact: unknown;
}

const besides: ReadonlySet<string> = new Set(["thought", "thoughtSignature"]);
/** Content of a part; of all of them it has one (`Part.data` of the proto). */
const dataFields: ReadonlySet<string> = new Set(["text", "inlineData", "fileData", "functionCall", "functionResponse"]);
/** Wishes and remarks about a part's content. */
const remarks: ReadonlySet<string> = new Set([
  "videoMetadata",
  "mediaResolution",
  "partMetadata",
  "mediaProcessing",
  "speechMetadata",
]);

/** One part of a content in the hub's words; undefined where it says nothing. */
export function decodePart(reader: RequestReader, value: unknown, place: PartPlace): Part | undefined {
  const { path } = place;
  if (typeof value === "string") return { kind: "text", text: value };
  const part = reader.object(value, path);
  const signature = reader.optionalString(part["thoughtSignature"], `${path}.thoughtSignature`) ?? "";
  const isThought = reader.optionalBoolean(part["thought"], `${path}.thought`) === true;
  const said = Object.keys(part).filter((key) => !besides.has(key) && !remarks.has(key) && part[key] !== null);
  const what = said.find((key) => dataFields.has(key)) ?? said[0];
  if (what !== undefined && !dataFields.has(what)) return { kind: "foreign", what: foreignName(what), payload: value };
  reader.leave(part, new Set([...besides, ...(what === undefined ? [] : [what])]), path);
  const seal = readSeal(signature);
  switch (what) {
    case "functionCall":
      return decodeCall(reader, reader.object(part[what], `${path}.functionCall`), { ...place, seal });
    case "functionResponse":
      return decodeResult(reader, reader.object(part[what], `${path}.functionResponse`), place);
    case "inlineData":
      return decodeBlob(reader, reader.object(part[what], `${path}.inlineData`), `${path}.inlineData`);
    case "fileData":
      return (
        decodeFile(reader, reader.object(part[what], `${path}.fileData`), `${path}.fileData`) ?? foreignFile(value)
      );
    case "text":
      return decodeText(reader.string(part[what], `${path}.text`), { isThought, signature, seal });
    default:
      // A signature may stand on nothing.
      if (signature !== "") return decodeText("", { isThought, signature, seal });
      return reader.refuse(path, "must hold text, inlineData, fileData, functionCall or functionResponse");
  }
}

interface Signed {
  readonly isThought: boolean;
  readonly signature: string;
  readonly seal: Seal | undefined;
}

function decodeText(text: string, { isThought, signature, seal }: Signed): Part | undefined {
  const sealed = seal === undefined ? {} : { seal };
  if (isThought) {
    // A thought's end is kept even where nothing but our mark says so: what follows is another thought.
    return text === "" && signature === "" ? undefined : { kind: "reasoning", text, ...sealed };
  }
  return text === "" && seal === undefined ? undefined : { kind: "text", text, ...sealed };
}

/** Whether this part is the last piece of a thought. */
export function endsThought(value: unknown): boolean {
  const signature = memberOf(value, "thoughtSignature");
  return (
    typeof signature === "string" && signature !== "" && (isTagged(signature) || readSeal(signature) !== undefined)
  );
}

const callFields: ReadonlySet<string> = new Set(["id", "name", "args", "partialArgs", "willContinue"]);

function decodeCall(
  reader: RequestReader,
  call: JsonObject,
  { path, role, matcher, exact, seal }: PartPlace & { readonly seal: Seal | undefined },
): Part | undefined {
  const at = `${path}.functionCall`;
  if (role === "user") reader.refuse(at, "belongs into a content whose role is model");
  reader.leave(call, callFields, at);
  const { unfinished } = matcher;
  if (isEmpty(call["name"])) {
    // Google's client keeps the pieces of a streamed call as they came: the later ones have no name, the last says nothing.
    if (unfinished !== undefined) {
      const sealed = seal === undefined ? unfinished.call : { ...unfinished.call, seal };
      return decodePieces(reader, call, { ...unfinished, call: sealed, at, matcher });
    }
    if (Object.keys(call).length === 0) return undefined;
  }
  const name = reader.word(call["name"], `${at}.name`);
  const args = reader.optionalObject(call["args"], `${at}.args`) === undefined ? {} : call["args"];
  const id = reader.optionalString(call["id"], `${at}.id`);
  const exactArgs = memberOf(memberOf(exact, "functionCall"), "args");
  const argumentsJson = JSON.stringify(exactArgs ?? args);
  const made = defined({ kind: "tool-call" as const, id: matcher.call(id, name), name, argumentsJson, seal });
  const isPartial = call["partialArgs"] !== undefined || call["willContinue"] === true;
  return isPartial ? decodePieces(reader, call, { call: made, pieces: new PartialArguments(), at, matcher }) : made;
}

interface Unfinished {
  readonly call: ToolCallPart;
  readonly pieces: PartialArguments;
  readonly at: string;
  readonly matcher: CallMatcher;
}

/** The call with what is known of its arguments so far, under the id it has had from the start. */
function decodePieces(
  reader: RequestReader,
  piece: JsonObject,
  { call, pieces, at, matcher }: Unfinished,
): ToolCallPart {
  if (!pieces.add(piece["partialArgs"])) reader.refuse(`${at}.partialArgs`, "fits nowhere in the arguments");
  const whole = { ...call, argumentsJson: pieces.json() };
  matcher.unfinished = piece["willContinue"] === true ? { call: whole, pieces } : undefined;
  return whole;
}

const resultFields: ReadonlySet<string> = new Set(["id", "name", "response", "parts"]);
const lastResultFields: ReadonlySet<string> = new Set([...resultFields, "willContinue"]);

function decodeResult(reader: RequestReader, result: JsonObject, { path, matcher, exact }: PartPlace): Part {
  const at = `${path}.functionResponse`;
  reader.leave(result, result["willContinue"] === false ? lastResultFields : resultFields, at);
  const name = reader.word(result["name"], `${at}.name`);
  const callId = matcher.answer(reader.optionalString(result["id"], `${at}.id`), name);
  if (callId === undefined) reader.refuse(at, `answers no functionCall of "${name.slice(0, 64)}" before it`);
  const given = isObject(result["response"]) ? result["response"] : {};
  if (!isObject(result["response"])) reader.refuse(`${at}.response`, "must be an object");
  const response = memberOf(memberOf(exact, "functionResponse"), "response");
  const words = responseText(given, isObject(response) ? response : given);
  const media = reader.list(result["parts"]).flatMap((value, index) => {
    const where = `${at}.parts[${index}]`;
    const part = decodePart(reader, value, { path: where, role: "user", matcher, exact: undefined });
    if (part === undefined) return [];
    return isResultPart(part) ? [part] : [{ kind: "foreign" as const, what: foreignName(part.kind), payload: value }];
  });
  const text = words.text === undefined ? [] : [{ kind: "text" as const, text: words.text }];
  return { kind: "tool-result", callId: callId ?? "", parts: [...text, ...media], failed: words.failed };
}

function isResultPart(part: Part): part is ToolResultPart["parts"][number] {
  return part.kind === "text" || part.kind === "image" || part.kind === "document" || part.kind === "foreign";
}

/**
 * A result in words. Google's own keys are `output` and `error`, where there is nothing else; any other object is the
 * output as it stands (`FunctionResponse.response` of the official SDK, 3.3).
 */
function responseText(
  response: JsonObject,
  exact: JsonObject,
): { readonly text: string | undefined; readonly failed: boolean } {
  const keys = Object.keys(response);
  const failed = keys.length === 1 && !isEmpty(response["error"]);
  if (keys.length === 0) return { text: undefined, failed };
  const only = failed ? "error" : "output";
  if (keys.length > 1 || !Object.hasOwn(response, only)) return { text: JSON.stringify(exact), failed };
  const value = response[only];
  return { text: typeof value === "string" ? value : JSON.stringify(exact[only]), failed };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === "";
}

const mediaFields: ReadonlySet<string> = new Set(["mimeType", "data", "fileUri"]);
/** Only documents have names in other languages. */
const documentFields: ReadonlySet<string> = new Set([...mediaFields, "displayName"]);

function decodeBlob(reader: RequestReader, blob: JsonObject, path: string): Part {
  const mediaType = reader.word(blob["mimeType"], `${path}.mimeType`);
  const data = plainBase64(reader.string(blob["data"], `${path}.data`));
  const title = reader.optionalString(blob["displayName"], `${path}.displayName`);
  const type = bareType(mediaType);
  const part: Part = type.startsWith("audio/")
    ? { kind: "audio", format: audioFormat(type), data }
    : mediaPart(type, { kind: "base64", mediaType, data }, title);
  reader.leave(blob, part.kind === "document" ? documentFields : mediaFields, path);
  return part;
}

/** Undefined for spoken files, which the hub has no word for. */
function decodeFile(reader: RequestReader, file: JsonObject, path: string): Part | undefined {
  const url = reader.word(file["fileUri"], `${path}.fileUri`);
  const title = reader.optionalString(file["displayName"], `${path}.displayName`);
  const said = reader.optionalString(file["mimeType"], `${path}.mimeType`);
  const place = placeOf({ kind: "url", url });
  const type = place === "youtube" ? "video/mp4" : bareType(said ?? typeOfAddress(url) ?? "");
  if (type.startsWith("audio/")) return undefined;
  // Google's own storage is a name that means nothing to anybody else.
  const isNamed = place === "google" || place === "elsewhere";
  const part = mediaPart(type, isNamed ? { kind: "file", id: url } : { kind: "url", url }, title);
  reader.leave(file, part.kind === "document" ? documentFields : mediaFields, path);
  return part;
}

function foreignFile(payload: unknown): ForeignPart {
  return { kind: "foreign", what: foreignName("fileData"), payload };
}

function mediaPart(type: string, source: Source, title: string | undefined): Part {
  if (type.startsWith("image/")) return { kind: "image", source } satisfies ImagePart;
  if (type.startsWith("video/")) return { kind: "video", source };
  return defined({ kind: "document" as const, source, title }) satisfies DocumentPart;
}

function audioFormat(type: string): string {
  const format = type.slice("audio/".length).replace(/^x-/u, "");
  return format === "mpeg" || format === "mpga" ? "mp3" : format === "wave" ? "wav" : format;
}

/** Bytes may come in either base64 alphabet, with padding or without; others than Google want the usual one. */
function plainBase64(data: string): string {
  const usual = /[-_]/u.test(data) ? data.replaceAll("-", "+").replaceAll("_", "/") : data;
  return usual.length % 4 === 0 || usual.includes("=") ? usual : usual.padEnd(Math.ceil(usual.length / 4) * 4, "=");
}

/** Instructions may hold only text. */
export function decodeInstructions(reader: RequestReader, value: unknown): readonly TextPart[] {
  const path = "systemInstruction";
  if (typeof value === "string") return value === "" ? [] : [{ kind: "text", text: value }];
  const content = Array.isArray(value) ? { parts: value as unknown } : reader.object(value, path);
  reader.leave(content, new Set(["parts", "role"]), path);
  return reader.list(content["parts"]).flatMap((each, index): readonly TextPart[] => {
    if (typeof each === "string") return [{ kind: "text", text: each }];
    const at = `${path}.parts[${index}]`;
    const part = reader.object(each, at);
    reader.leave(part, new Set(["text", ...besides]), at);
    const text = reader.string(part["text"], `${at}.text`);
    return text === "" ? [] : [{ kind: "text", text }];
  });
}
