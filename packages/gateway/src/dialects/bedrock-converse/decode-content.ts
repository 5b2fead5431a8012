import { isObject, type JsonObject } from "#dialects/shape";
import type {
  AudioPart,
  CacheMarker,
  DocumentPart,
  ForeignPart,
  Part,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "#domain/request";
import { mediaTypeOf } from "./media-formats.ts";
import { foreignName } from "./own-foreign.ts";
import type { RequestReader } from "./request-reader.ts";
import { readRedacted, readSignature } from "./seal-tag.ts";

/** Where a block stands: in words for a failure, and as steps to its exact numbers. */
export interface Place {
  readonly path: string;
  readonly steps: readonly (string | number)[];
}

/** A turn's content. A cache point marks the part before it; a member that is not known here is kept as a foreign part. */
export function decodeContent(reader: RequestReader, content: unknown, place: Place): readonly Part[] {
  const parts: Part[] = [];
  for (const [index, block] of reader.array(content, place.path).entries()) {
    const here = below(place, index);
    const [member, inside] = reader.member(block, here.path);
    if (member === "cachePoint") mark(parts, decodeCachePoint(reader, inside, here.path), reader);
    else if (member === "citationsContent") parts.push(...decodeCited(reader, inside, here.path));
    else parts.push(decodeBlock(reader, { member, inside, place: here }));
  }
  return parts;
}

const cachePointFields: ReadonlySet<string> = new Set(["type", "ttl"]);

export function decodeCachePoint(reader: RequestReader, value: unknown, path: string): CacheMarker {
  const point = reader.object(value, `${path}.cachePoint`);
  reader.leave(point, cachePointFields, `${path}.cachePoint`);
  const ttl = reader.optionalOneOf(point["ttl"], `${path}.cachePoint.ttl`, ["5m", "1h"] as const);
  return ttl === undefined ? {} : { ttl };
}

/** The nearest part that can carry the mark: thoughts, audio and video cannot. */
function mark(parts: Part[], cache: CacheMarker, reader: RequestReader): void {
  const at = parts.findLastIndex((part) => "kind" in part && cacheable.has(part.kind));
  const part = parts[at];
  if (part === undefined) reader.leave({ cachePoint: cache }, new Set(), "");
  else parts[at] = { ...part, cache } as Part;
}

const cacheable: ReadonlySet<Part["kind"]> = new Set(["text", "image", "document", "tool-call", "tool-result"]);

interface Block {
  readonly member: string;
  readonly inside: unknown;
  readonly place: Place;
}

function decodeBlock(reader: RequestReader, { member, inside, place }: Block): Part {
  const path = `${place.path}.${member}`;
  switch (member) {
    case "text":
      return { kind: "text", text: reader.string(inside, path) };
    case "image":
    case "video":
      return decodeMedia(reader, { member, inside, path });
    case "document":
      return decodeDocument(reader, inside, path);
    case "audio":
      return decodeAudio(reader, inside, path);
    case "toolUse":
      return decodeToolUse(reader, inside, below(place, member));
    case "toolResult":
      return decodeToolResult(reader, inside, below(place, member));
    case "reasoningContent":
      return decodeThought(reader, inside, path);
    default:
      return { kind: "foreign", what: foreignName(member), payload: { [member]: inside }, ...neededOf(member) };
  }
}

/** Guards of content and changes of the tools at hand are no hints. */
function neededOf(member: string): { readonly needed?: true } {
  return /^(?:guardContent|toolAddition|toolRemoval)$/u.test(member) ? { needed: true } : {};
}

/** Text with its sources: each piece of text is a part, the citations hang on the last. */
function decodeCited(reader: RequestReader, value: unknown, path: string): readonly TextPart[] {
  const cited = reader.object(value, `${path}.citationsContent`);
  const pieces = reader.optionalArray(cited["content"], `${path}.citationsContent.content`);
  const text = pieces
    .map((piece, index) => {
      const at = `${path}.citationsContent.content[${index}]`;
      return reader.string(reader.object(piece, at)["text"], `${at}.text`);
    })
    .join("");
  const citations = reader.optionalArray(cited["citations"], `${path}.citationsContent.citations`);
  return [{ kind: "text", text, ...(citations.length === 0 ? {} : { citations }) }];
}

interface Media {
  readonly member: "image" | "video";
  readonly inside: unknown;
  readonly path: string;
}

const mediaFields: ReadonlySet<string> = new Set(["format", "source"]);

function decodeMedia(reader: RequestReader, { member, inside, path }: Media): Part {
  const media = reader.object(inside, path);
  reader.leave(media, mediaFields, path);
  const format = reader.word(media["format"], `${path}.format`);
  const source = decodeSource(reader, media["source"], {
    path: `${path}.source`,
    mediaType: mediaTypeOf(format, member),
  });
  if (source === undefined) return { kind: "foreign", what: foreignName(member), payload: { [member]: inside } };
  return { kind: member, source };
}

const documentFields: ReadonlySet<string> = new Set(["format", "source", "name", "context", "citations"]);

function decodeDocument(reader: RequestReader, value: unknown, path: string): DocumentPart | ForeignPart {
  const document = reader.object(value, path);
  reader.leave(document, documentFields, path);
  const format = reader.optionalString(document["format"], `${path}.format`) ?? "txt";
  const source = decodeDocumentSource(reader, document["source"], { path: `${path}.source`, format });
  if (source === undefined) return { kind: "foreign", what: foreignName("document"), payload: { document: value } };
  const title = reader.optionalString(document["name"], `${path}.name`);
  const context = reader.optionalString(document["context"], `${path}.context`);
  const citing = reader.optionalObject(document["citations"], `${path}.citations`);
  const citations = reader.optionalBoolean(citing?.["enabled"], `${path}.citations.enabled`);
  return {
    kind: "document",
    source,
    ...(title === undefined ? {} : { title }),
    ...(context === undefined ? {} : { context }),
    ...(citations === undefined ? {} : { citations }),
  };
}

function decodeDocumentSource(
  reader: RequestReader,
  value: unknown,
  { path, format }: { readonly path: string; readonly format: string },
): DocumentPart["source"] | undefined {
  const [member, inside] = reader.member(value, path);
  if (member === "text") return { kind: "text", text: reader.string(inside, `${path}.text`) };
  if (member === "content") {
    const texts = reader.array(inside, `${path}.content`).map((piece, index) => {
      const [kind, text] = reader.member(piece, `${path}.content[${index}]`);
      return kind === "text" ? reader.string(text, `${path}.content[${index}].text`) : undefined;
    });
    return texts.includes(undefined) ? undefined : { kind: "text", text: texts.join("\n\n") };
  }
  const bytes = member === "bytes" ? reader.string(inside, `${path}.bytes`) : undefined;
  if (bytes !== undefined && (format === "txt" || format === "md")) {
    return { kind: "text", text: Buffer.from(bytes, "base64").toString("utf8") };
  }
  return decodeSource(reader, value, { path, mediaType: mediaTypeOf(format, "document") });
}

/** Undefined for a kind of source, or a format, that this gateway does not know yet. */
function decodeSource(
  reader: RequestReader,
  value: unknown,
  { path, mediaType }: { readonly path: string; readonly mediaType: string | undefined },
): Source | undefined {
  const [member, inside] = reader.member(value, path);
  if (member === "bytes" && mediaType !== undefined) {
    return { kind: "base64", mediaType, data: reader.string(inside, `${path}.bytes`) };
  }
  if (member !== "s3Location") return undefined;
  const location = reader.object(inside, `${path}.s3Location`);
  reader.leave(location, new Set(["uri"]), `${path}.s3Location`);
  return { kind: "url", url: reader.word(location["uri"], `${path}.s3Location.uri`) };
}

function decodeAudio(reader: RequestReader, value: unknown, path: string): AudioPart | ForeignPart {
  const audio = reader.object(value, path);
  const source = isObject(audio["source"]) ? audio["source"] : {};
  if (typeof source["bytes"] !== "string")
    return { kind: "foreign", what: foreignName("audio"), payload: { audio: value } };
  return { kind: "audio", format: reader.word(audio["format"], `${path}.format`), data: source["bytes"] };
}

const toolUseFields: ReadonlySet<string> = new Set(["toolUseId", "name", "input"]);

function decodeToolUse(reader: RequestReader, value: unknown, { path, steps }: Place): ToolCallPart | ForeignPart {
  const use = reader.object(value, path);
  // A tool that the provider itself ran: its result stands beside it, and says its own type too.
  if (use["type"] === "server_tool_use") {
    return { kind: "foreign", what: foreignName("server_tool_use"), payload: { toolUse: value } };
  }
  reader.leave(use, new Set([...toolUseFields, "type"]), path);
  const input = reader.object(use["input"] ?? {}, `${path}.input`);
  return {
    kind: "tool-call",
    id: reader.string(use["toolUseId"], `${path}.toolUseId`),
    name: reader.string(use["name"], `${path}.name`),
    argumentsJson: reader.json(input, [...steps, "input"]),
  };
}

const toolResultFields: ReadonlySet<string> = new Set(["toolUseId", "content", "status", "type"]);

function decodeToolResult(reader: RequestReader, value: unknown, place: Place): ToolResultPart | ForeignPart {
  const result = reader.object(value, place.path);
  const { type } = result;
  if (typeof type === "string" && type !== "tool_result") {
    return { kind: "foreign", what: foreignName("server_tool_result"), payload: { toolResult: value } };
  }
  reader.leave(result, toolResultFields, place.path);
  const status = reader.optionalOneOf(result["status"], `${place.path}.status`, ["success", "error"] as const);
  const content = below(place, "content");
  const parts = reader.optionalArray(result["content"], content.path).map((block, index) => {
    const here = below(content, index);
    const [member, inside] = reader.member(block, here.path);
    // JSON is a text to every other language.
    if (member === "json") return { kind: "text", text: reader.json(inside, [...here.steps, "json"]) } as const;
    const part = decodeBlock(reader, { member, inside, place: here });
    const fits = part.kind === "text" || part.kind === "image" || part.kind === "document" || part.kind === "foreign";
    return fits ? part : ({ kind: "foreign", what: foreignName(member), payload: block } as const);
  });
  return {
    kind: "tool-result",
    callId: reader.string(result["toolUseId"], `${place.path}.toolUseId`),
    parts,
    failed: status === "error",
  };
}

function decodeThought(reader: RequestReader, value: unknown, path: string): Part {
  const [member, inside] = reader.member(value, path);
  if (member === "redactedContent") {
    const seal = readRedacted(reader.string(inside, `${path}.redactedContent`));
    return { kind: "reasoning", text: "", ...(seal === undefined ? {} : { seal }) };
  }
  if (member !== "reasoningText") {
    return { kind: "foreign", what: foreignName(`reasoningContent.${member}`), payload: { reasoningContent: value } };
  }
  const thought: JsonObject = reader.object(inside, `${path}.reasoningText`);
  const seal = readSignature(reader.optionalString(thought["signature"], `${path}.reasoningText.signature`) ?? "");
  // What gathers a stream may have no text to keep: a hidden thought is a signature alone.
  const text = reader.optionalString(thought["text"], `${path}.reasoningText.text`) ?? "";
  return { kind: "reasoning", text, ...(seal === undefined ? {} : { seal }) };
}

function below({ path, steps }: Place, step: string | number): Place {
  return { path: typeof step === "number" ? `${path}[${step}]` : `${path}.${step}`, steps: [...steps, step] };
}
