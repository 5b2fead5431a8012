import type {
  AudioPart,
  CacheMarker,
  DocumentPart,
  ImagePart,
  Part,
  Source,
  TextPart,
  ToolCallPart,
} from "#domain/request";
import { isObject, type JsonObject, type ShapeReader } from "#dialects/shape";

/** Reads a message's `content`: a string, or an array of parts; null and absent are no parts. */
export function decodeContent(reader: ShapeReader, content: unknown, path: string): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }];
  if (!Array.isArray(content)) {
    reader.refuse(path, "must be a string or an array of content parts");
    return [];
  }
  return content.flatMap((item: unknown, index) => {
    const part = decodePart(reader, item, `${path}[${index}]`);
    return part === undefined ? [] : [part];
  });
}

function decodePart(reader: ShapeReader, item: unknown, path: string): Part | undefined {
  const part = reader.object(item, path);
  if (part === undefined) return undefined;
  const type = reader.word(part["type"], `${path}.type`);
  switch (type) {
    case "text":
      reader.leave(part, fieldsOf("text"), path);
      return { kind: "text", text: reader.string(part["text"], `${path}.text`), ...marker(reader, part, path) };
    case "image_url":
      return decodeImage(reader, part, path);
    case "file":
      return decodeFile(reader, part, path);
    case "input_audio":
      return decodeAudio(reader, part, path);
    case "refusal":
      return { kind: "refusal", text: reader.string(part["refusal"], `${path}.refusal`) };
    case "thinking":
      return { kind: "reasoning", text: thinkingText(part["thinking"]) };
    default:
      return { kind: "foreign", what: `content part "${type}"`, payload: part };
  }
}

/** A part's own field beside its type, and the markers that any part may carry. */
function fieldsOf(name: string): ReadonlySet<string> {
  return new Set(["type", name, "cache_control", "prompt_cache_breakpoint"]);
}

const imageFields: ReadonlySet<string> = new Set(["url", "detail"]);
const fileFields: ReadonlySet<string> = new Set(["file_data", "file_id", "filename"]);

/** Mistral writes a thought as an array of text parts (recorded 2025–2026); others as a string. */
export function thinkingText(thinking: unknown): string {
  if (typeof thinking === "string") return thinking;
  if (!Array.isArray(thinking)) return "";
  return thinking
    .map((item: unknown) => (isObject(item) && typeof item["text"] === "string" ? item["text"] : ""))
    .join("");
}

function decodeImage(reader: ShapeReader, part: JsonObject, path: string): ImagePart {
  const image = part["image_url"];
  reader.leave(part, fieldsOf("image_url"), path);
  if (isObject(image)) reader.leave(image, imageFields, `${path}.image_url`);
  // Several compatible servers take the bare string, so clients send it.
  const url = isObject(image)
    ? reader.word(image["url"], `${path}.image_url.url`)
    : reader.word(image, `${path}.image_url`);
  const detail = isObject(image) ? reader.optionalString(image["detail"], `${path}.image_url.detail`) : undefined;
  return {
    kind: "image",
    source: decodeSource(reader, url, `${path}.image_url.url`),
    ...(detail === undefined ? {} : { detail }),
    ...marker(reader, part, path),
  };
}

function decodeFile(reader: ShapeReader, part: JsonObject, path: string): DocumentPart | undefined {
  const file = reader.object(part["file"], `${path}.file`);
  if (file === undefined) return undefined;
  reader.leave(part, fieldsOf("file"), path);
  reader.leave(file, fileFields, `${path}.file`);
  const title = reader.optionalString(file["filename"], `${path}.file.filename`);
  const more = { ...(title === undefined ? {} : { title }), ...marker(reader, part, path) };
  const id = reader.optionalString(file["file_id"], `${path}.file.file_id`);
  if (id !== undefined) return { kind: "document", source: { kind: "file", id }, ...more };
  const data = reader.word(file["file_data"], `${path}.file.file_data`);
  const isAddress = /^(?:data|https?):/iu.test(data);
  const source: Source = isAddress
    ? decodeSource(reader, data, `${path}.file.file_data`)
    : { kind: "base64", mediaType: "application/pdf", data };
  return { kind: "document", source: textSource(source), ...more };
}

/** Plain text needs no base64: other languages want it as text. */
export function textSource(source: Source): DocumentPart["source"] {
  if (source.kind !== "base64" || source.mediaType !== "text/plain") return source;
  return { kind: "text", text: Buffer.from(source.data, "base64").toString("utf8") };
}

function decodeAudio(reader: ShapeReader, part: JsonObject, path: string): AudioPart | undefined {
  const audio = reader.object(part["input_audio"], `${path}.input_audio`);
  if (audio === undefined) return undefined;
  reader.leave(part, fieldsOf("input_audio"), path);
  return {
    kind: "audio",
    format: reader.word(audio["format"], `${path}.input_audio.format`),
    data: reader.word(audio["data"], `${path}.input_audio.data`),
  };
}

const dataUri = /^data:(?<type>[^;,]*)(?<parameters>(?:;[^;,]*)*),/iu;

/** `data:` URIs after RFC 2397, parameters such as `;charset=utf-8` included; anything else is an address. */
export function decodeSource(reader: ShapeReader, url: string, path: string): Source {
  if (!/^data:/iu.test(url)) return { kind: "url", url };
  const match = dataUri.exec(url);
  if (match === null) {
    reader.refuse(path, "is a broken data: URI; write data:image/png;base64,…");
    return { kind: "url", url: "" };
  }
  const mediaType = (match.groups?.["type"] ?? "").toLowerCase() || "text/plain";
  const content = url.slice(match[0].length);
  if (/;\s*base64\s*$/iu.test(match.groups?.["parameters"] ?? "")) return { kind: "base64", mediaType, data: content };
  try {
    return { kind: "base64", mediaType, data: Buffer.from(decodeURIComponent(content)).toString("base64") };
  } catch {
    reader.refuse(path, "is a data: URI with broken percent-encoding; send it as base64");
    return { kind: "url", url: "" };
  }
}

/** A prompt-cache marker beside a part, a message or a tool: Anthropic's word, or OpenAI's for gpt-5.6 and later. */
export function marker(reader: ShapeReader, holder: JsonObject, path: string): { cache?: CacheMarker } {
  const control = reader.optionalObject(holder["cache_control"], `${path}.cache_control`);
  if (control !== undefined) {
    const ttl = control["ttl"];
    return { cache: ttl === "5m" || ttl === "1h" ? { ttl } : {} };
  }
  const breakpoint = holder["prompt_cache_breakpoint"];
  if (!isObject(breakpoint)) return {};
  // OpenAI's 30 minutes are its shortest, its 12 hours more than the hub's longest.
  return { cache: breakpoint["ttl"] === "12h" ? { ttl: "1h" } : {} };
}

const markable: ReadonlySet<Part["kind"]> = new Set(["text", "image", "document", "tool-call"]);

/** Puts a marker that stands on a whole message onto its last part that can carry one. */
export function markLast(parts: Part[], cache: CacheMarker | undefined): void {
  if (cache === undefined) return;
  const at = parts.findLastIndex((part) => markable.has(part.kind));
  const part = parts[at] as TextPart | ImagePart | DocumentPart | ToolCallPart | undefined;
  if (part !== undefined && part.cache === undefined) parts[at] = { ...part, cache };
}
