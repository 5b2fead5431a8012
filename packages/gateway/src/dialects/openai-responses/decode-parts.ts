import type { DocumentPart, ForeignPart, ImagePart, Part, Source, TextPart } from "#domain/request";
import { decodeSource, marker, textSource } from "#dialects/openai-chat/decode-parts";
import { isAbsent, type JsonObject, type ShapeReader } from "#dialects/shape";
import { foreignPartName } from "./own-foreign.ts";

/** A message's `content`, or a rich tool output: a string or an array of parts. */
export function decodeContent(reader: ShapeReader, content: unknown, path: string): readonly Part[] {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }];
  if (!Array.isArray(content)) {
    reader.refuse(path, "must be a string or an array of content parts");
    return [];
  }
  return (content as readonly unknown[]).flatMap((item, index) => {
    const part = decodePart(reader, item, `${path}[${index}]`);
    return part === undefined ? [] : [part];
  });
}

/** The parts a tool's output may hold. */
export function decodeOutput(
  reader: ShapeReader,
  output: unknown,
  path: string,
): readonly (TextPart | ImagePart | DocumentPart | ForeignPart)[] {
  return decodeContent(reader, output, path).flatMap((part, index) => {
    if (part.kind === "text" || part.kind === "image" || part.kind === "document" || part.kind === "foreign") {
      return [part];
    }
    reader.refuse(`${path}[${index}]`, "cannot stand in a tool's output; send text, an image or a file");
    return [];
  });
}

/** Every part may carry a type and a mark for the prompt cache. */
function fieldsOf(...names: readonly string[]): ReadonlySet<string> {
  return new Set(["type", "prompt_cache_breakpoint", ...names]);
}

const textFields = fieldsOf("text");
/** Log-probabilities of an earlier answer tell a model nothing. */
const saidFields = fieldsOf("text", "annotations", "logprobs");
const imageFields = fieldsOf("image_url", "file_id", "detail");
const fileFields = fieldsOf("file_data", "file_url", "file_id", "filename");

function decodePart(reader: ShapeReader, item: unknown, path: string): Part | undefined {
  const part = reader.object(item, path);
  if (part === undefined) return undefined;
  const type = reader.word(part["type"], `${path}.type`);
  switch (type) {
    case "input_text":
    // Compatible servers and their clients use Chat's word, or that of summaries.
    case "text":
    case "summary_text":
      reader.leave(part, textFields, path);
      return { kind: "text", text: reader.string(part["text"], `${path}.text`), ...marker(reader, part, path) };
    case "output_text":
      return decodeSaid(reader, part, path);
    case "refusal":
      return { kind: "refusal", text: reader.string(part["refusal"], `${path}.refusal`) };
    case "input_image":
      return decodeImage(reader, part, path);
    case "input_file":
      return decodeFile(reader, part, path);
    default:
      return { kind: "foreign", what: foreignPartName(type), payload: part };
  }
}

function decodeSaid(reader: ShapeReader, part: JsonObject, path: string): TextPart {
  reader.leave(part, saidFields, path);
  const annotations = part["annotations"];
  const citations = Array.isArray(annotations) && annotations.length > 0 ? { citations: annotations as unknown } : {};
  return { kind: "text", text: reader.string(part["text"], `${path}.text`), ...citations };
}

function decodeImage(reader: ShapeReader, part: JsonObject, path: string): ImagePart {
  reader.leave(part, imageFields, path);
  const detail = reader.optionalString(part["detail"], `${path}.detail`);
  return {
    kind: "image",
    source: fileSource(reader, part, path) ?? addressSource(reader, part["image_url"], `${path}.image_url`),
    ...(detail === undefined ? {} : { detail }),
    ...marker(reader, part, path),
  };
}

function decodeFile(reader: ShapeReader, part: JsonObject, path: string): DocumentPart {
  reader.leave(part, fileFields, path);
  const title = reader.optionalString(part["filename"], `${path}.filename`);
  return {
    kind: "document",
    source: fileSource(reader, part, path) ?? documentSource(reader, part, path),
    ...(title === undefined ? {} : { title }),
    ...marker(reader, part, path),
  };
}

function documentSource(reader: ShapeReader, part: JsonObject, path: string): DocumentPart["source"] {
  if (!isAbsent(part["file_url"])) return addressSource(reader, part["file_url"], `${path}.file_url`);
  const data = reader.word(part["file_data"], `${path}.file_data`);
  if (/^(?:data|https?):/iu.test(data)) return textSource(decodeSource(reader, data, `${path}.file_data`));
  return { kind: "base64", mediaType: "application/pdf", data };
}

function fileSource(reader: ShapeReader, part: JsonObject, path: string): Source | undefined {
  const id = reader.optionalString(part["file_id"], `${path}.file_id`);
  return id === undefined ? undefined : { kind: "file", id };
}

function addressSource(reader: ShapeReader, url: unknown, path: string): Source {
  return decodeSource(reader, reader.word(url, path), path);
}
