import type {
  CacheMarker,
  DocumentPart,
  ForeignPart,
  ImagePart,
  Part,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "#domain/request";
import { foreignName } from "./own-foreign.ts";
import { readSeal } from "./seal-tag.ts";
import { isAbsent, type JsonObject } from "#dialects/shape";
import type { RequestReader } from "./request-reader.ts";

/** Content of a turn: a string or an array of blocks. A type that is not known here is kept as a foreign part. */
export function decodeContent(reader: RequestReader, content: unknown, path: string): readonly Part[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  if (!Array.isArray(content)) {
    reader.refuse(path, "must be a string or an array of content blocks");
    return [];
  }
  return content.map((block, index) => decodeBlock(reader, block, `${path}[${index}]`));
}

/** Content that may hold only text: `system`, and turns with that role. */
export function decodeSystem(reader: RequestReader, content: unknown, path: string): readonly TextPart[] {
  return decodeContent(reader, content, path).filter((part, index): part is TextPart => {
    if (part.kind !== "text")
      reader.refuse(`${path}[${index}].type`, "must be text: system content holds nothing else");
    return part.kind === "text";
  });
}

export function decodeCache(reader: RequestReader, value: unknown, path: string): { readonly cache?: CacheMarker } {
  const marker = reader.optionalObject(value, path);
  if (marker === undefined) return {};
  if (marker["type"] !== "ephemeral") reader.refuse(`${path}.type`, 'must be "ephemeral"');
  const ttl = reader.optionalChoice(marker["ttl"], ["5m", "1h"] as const, `${path}.ttl`);
  return { cache: ttl === undefined ? {} : { ttl } };
}

function decodeBlock(reader: RequestReader, value: unknown, path: string): Part {
  const block = reader.object(value, path);
  const type = reader.string(block["type"], `${path}.type`);
  switch (type) {
    case "text":
      return decodeText(reader, block, path);
    case "image":
      return decodeImage(reader, block, path);
    case "document":
      return decodeDocument(reader, block, path);
    case "tool_use":
      return decodeToolUse(reader, block, path);
    case "tool_result":
      return decodeToolResult(reader, block, path);
    case "thinking":
      return decodeThinking(reader, block, path);
    case "redacted_thinking": {
      const seal = readSeal(reader.string(block["data"], `${path}.data`), "redacted");
      return { kind: "reasoning", text: "", ...(seal === undefined ? {} : { seal }) };
    }
    default:
      return { kind: "foreign", what: foreignName(type), payload: block };
  }
}

const textFields: ReadonlySet<string> = new Set(["type", "text", "cache_control", "citations"]);

function decodeText(reader: RequestReader, block: JsonObject, path: string): TextPart {
  reader.leave(block, textFields, path);
  const citations = reader.optionalArray(block["citations"], `${path}.citations`);
  return {
    kind: "text",
    text: reader.string(block["text"], `${path}.text`),
    ...(citations.length === 0 ? {} : { citations }),
    ...decodeCache(reader, block["cache_control"], `${path}.cache_control`),
  };
}

const imageFields: ReadonlySet<string> = new Set(["type", "source", "cache_control"]);

function decodeImage(reader: RequestReader, block: JsonObject, path: string): ImagePart | ForeignPart {
  reader.leave(block, imageFields, path);
  const source = decodeSource(reader, reader.object(block["source"], `${path}.source`), `${path}.source`);
  if (source === undefined) return { kind: "foreign", what: foreignName("image"), payload: block };
  return { kind: "image", source, ...decodeCache(reader, block["cache_control"], `${path}.cache_control`) };
}

const documentFields: ReadonlySet<string> = new Set([
  "type",
  "source",
  "title",
  "context",
  "citations",
  "cache_control",
]);

function decodeDocument(reader: RequestReader, block: JsonObject, path: string): DocumentPart | ForeignPart {
  reader.leave(block, documentFields, path);
  const source = decodeDocumentSource(reader, reader.object(block["source"], `${path}.source`), `${path}.source`);
  if (source === undefined) return { kind: "foreign", what: foreignName("document"), payload: block };
  const title = reader.optionalString(block["title"], `${path}.title`);
  const context = reader.optionalString(block["context"], `${path}.context`);
  const citing = reader.optionalObject(block["citations"], `${path}.citations`);
  const citations = reader.optionalBoolean(citing?.["enabled"], `${path}.citations.enabled`);
  return {
    kind: "document",
    source,
    ...(title === undefined ? {} : { title }),
    ...(context === undefined ? {} : { context }),
    ...(citations === undefined ? {} : { citations }),
    ...decodeCache(reader, block["cache_control"], `${path}.cache_control`),
  };
}

function decodeDocumentSource(
  reader: RequestReader,
  source: JsonObject,
  path: string,
): DocumentPart["source"] | undefined {
  if (source["type"] === "text") return { kind: "text", text: reader.string(source["data"], `${path}.data`) };
  if (source["type"] === "content") {
    // Blocks of text read as one text; with an image among them the document has no word in the hub.
    const parts = decodeContent(reader, source["content"], `${path}.content`);
    const texts = parts.filter((part) => part.kind === "text");
    return texts.length === parts.length
      ? { kind: "text", text: texts.map((part) => part.text).join("\n\n") }
      : undefined;
  }
  return decodeSource(reader, source, path);
}

/** Undefined for a kind of source this gateway does not know yet. */
function decodeSource(reader: RequestReader, source: JsonObject, path: string): Source | undefined {
  switch (reader.string(source["type"], `${path}.type`)) {
    case "base64":
      return {
        kind: "base64",
        mediaType: reader.string(source["media_type"], `${path}.media_type`),
        data: reader.string(source["data"], `${path}.data`),
      };
    case "url":
      return { kind: "url", url: reader.string(source["url"], `${path}.url`) };
    case "file":
      return { kind: "file", id: reader.string(source["file_id"], `${path}.file_id`) };
    default:
      return undefined;
  }
}

const toolUseFields: ReadonlySet<string> = new Set(["type", "id", "name", "input", "cache_control", "caller"]);

function decodeToolUse(reader: RequestReader, block: JsonObject, path: string): ToolCallPart {
  reader.leave(block, toolUseFields, path);
  const input = reader.object(block["input"] ?? {}, `${path}.input`);
  const caller = reader.optionalObject(block["caller"], `${path}.caller`);
  if (caller !== undefined && caller["type"] !== "direct") reader.leave({ caller }, new Set(), path);
  return {
    kind: "tool-call",
    id: reader.string(block["id"], `${path}.id`),
    name: reader.string(block["name"], `${path}.name`),
    argumentsJson: reader.exactInputs.get(path) ?? JSON.stringify(input),
    ...decodeCache(reader, block["cache_control"], `${path}.cache_control`),
  };
}

const toolResultFields: ReadonlySet<string> = new Set(["type", "tool_use_id", "content", "is_error", "cache_control"]);

function decodeToolResult(reader: RequestReader, block: JsonObject, path: string): ToolResultPart {
  reader.leave(block, toolResultFields, path);
  const content = isAbsent(block["content"]) ? [] : decodeContent(reader, block["content"], `${path}.content`);
  const parts = content.filter((part, index) => {
    const fits = part.kind === "text" || part.kind === "image" || part.kind === "document" || part.kind === "foreign";
    if (!fits) reader.refuse(`${path}.content[${index}].type`, "cannot stand inside a tool result");
    return fits;
  });
  return {
    kind: "tool-result",
    callId: reader.string(block["tool_use_id"], `${path}.tool_use_id`),
    parts,
    failed: reader.optionalBoolean(block["is_error"], `${path}.is_error`) ?? false,
    ...decodeCache(reader, block["cache_control"], `${path}.cache_control`),
  };
}

function decodeThinking(reader: RequestReader, block: JsonObject, path: string): Part {
  const seal = readSeal(reader.optionalString(block["signature"], `${path}.signature`) ?? "", "signature");
  const text = reader.string(block["thinking"], `${path}.thinking`);
  return { kind: "reasoning", text, ...(seal === undefined ? {} : { seal }) };
}
