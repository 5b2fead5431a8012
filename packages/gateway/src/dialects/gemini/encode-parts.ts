import type { DocumentPart, ImagePart, Source, TextPart } from "#domain/request";
import { isObject, type JsonObject } from "#dialects/shape";
import { wellFormedInput } from "#dialects/tool-input";
import type { ArrangedCall, ArrangedPart, ArrangedResult, Content } from "./arrange-contents.ts";
import type { LossLedger } from "./losses.ts";
import { audioType, bareType, imageType, isTextType, placeOf, typeOfAddress } from "./media.ts";
import type { ModelGeneration } from "./model-generation.ts";
import { isOwnForeign } from "./own-foreign.ts";

/**
 * Parts as JSON text. Text rather than objects, because tool arguments and results go in as they came: parsing and
 * writing them again would change numbers and miss caches.
 */
export class PartEncoder {
  readonly #generation: ModelGeneration;
  readonly #ledger: LossLedger;

  constructor(generation: ModelGeneration, ledger: LossLedger) {
    this.#generation = generation;
    this.#ledger = ledger;
  }

  content({ role, parts }: Content): string {
    // Media that a result cannot hold come behind all results, which have to stand together.
    const beside: string[] = [];
    const encoded = parts.map((part) => (part.kind === "result" ? this.#result(part, beside) : this.part(part)));
    const results = parts.filter((part) => part.kind === "result").length;
    return `{"role":"${role}","parts":[${encoded.toSpliced(results, 0, ...beside).join(",")}]}`;
  }

  part(part: Exclude<ArrangedPart, ArrangedResult>): string {
    if ("cache" in part && part.cache !== undefined) this.#ledger.note("cache-markers");
    switch (part.kind) {
      case "text":
        return this.#text(part);
      case "refusal":
        return JSON.stringify({ text: part.text });
      case "reasoning":
        return JSON.stringify({ text: part.text, thought: true, thoughtSignature: part.seal?.value });
      case "image":
        return JSON.stringify(this.#image(part));
      case "document":
        return JSON.stringify(this.#document(part));
      case "audio":
        return JSON.stringify(this.#audio(part));
      case "video":
        return JSON.stringify(this.#video(part.source));
      case "call":
        return this.#call(part);
      case "foreign":
        if (!isOwnForeign(part.what)) this.#ledger.note("foreign-part", part.what);
        return JSON.stringify(part.payload ?? null);
    }
  }

  #text(part: TextPart): string {
    if (part.citations !== undefined) this.#ledger.note("citations");
    return JSON.stringify({ text: part.text, thoughtSignature: part.seal?.value });
  }

  #image({ source, detail }: ImagePart): JsonObject {
    if (detail !== undefined && detail !== "auto") this.#ledger.note("image-detail");
    if (source.kind !== "base64") return this.#fetched(source, "image/jpeg");
    const mimeType = imageType(source);
    if (mimeType === undefined) this.#ledger.note("image-type", source.mediaType);
    return inline(mimeType, source.data);
  }

  #document({ source, title, context, citations }: DocumentPart): JsonObject {
    if (title !== undefined || context !== undefined) this.#ledger.note("document-title");
    if (citations === true) this.#ledger.note("citations");
    if (source.kind === "text") return { text: source.text };
    if (source.kind !== "base64") return this.#fetched(source, "application/pdf");
    if (isTextType(source.mediaType)) return { text: Buffer.from(source.data, "base64").toString("utf8") };
    if (bareType(source.mediaType) !== "application/pdf") this.#ledger.note("document-type", source.mediaType);
    return inline("application/pdf", source.data);
  }

  #audio({ format, data }: { readonly format: string; readonly data: string }): JsonObject {
    const mimeType = audioType(format);
    if (mimeType === undefined) this.#ledger.note("audio-type", format);
    return inline(mimeType, data);
  }

  #video(source: Source): JsonObject {
    if (source.kind === "base64") return inline(bareType(source.mediaType), source.data);
    if (source.kind === "url" && placeOf(source) === "web") this.#ledger.note("media-address", "a video");
    return this.#fetched(source, "video/mp4");
  }

  /** `usual`: the type where the address does not tell, which Vertex wants to be told and the bytes then settle. */
  #fetched(source: Exclude<Source, { kind: "base64" }>, usual: string): JsonObject {
    if (source.kind === "file") {
      this.#ledger.note("foreign-file");
      return {};
    }
    const { url } = source;
    const place = placeOf(source);
    if (place === "elsewhere" || (place === "web" && !this.#generation.fetches)) this.#ledger.note("media-address");
    const mimeType = place === "youtube" ? "video/mp4" : (typeOfAddress(url) ?? usual);
    return { fileData: { mimeType, fileUri: url } };
  }

  #call({ call, id, signature }: ArrangedCall): string {
    const { json, wrapped } = wellFormedInput(call.argumentsJson);
    if (wrapped) this.#ledger.note("invalid-arguments", `call ${call.id} of ${call.name}`);
    if (call.cache !== undefined) this.#ledger.note("cache-markers");
    const head = JSON.stringify({ id, name: call.name });
    const tail = signature === undefined ? "" : `,"thoughtSignature":${JSON.stringify(signature)}`;
    return `{"functionCall":${head.slice(0, -1)},"args":${json}}${tail}}`;
  }

  #result({ name, id, result }: ArrangedResult, beside: string[]): string {
    if (result?.cache !== undefined) this.#ledger.note("cache-markers");
    const texts: string[] = [];
    const media: string[] = [];
    for (const part of result?.parts ?? []) {
      const encoded = this.part(part);
      // Documents of plain text become text too.
      const { text } = JSON.parse(encoded) as { text?: unknown };
      if (typeof text === "string") texts.push(text);
      else media.push(encoded);
    }
    const inside = this.#generation.resultMedia ? media : [];
    if (inside.length < media.length) {
      this.#ledger.note("result-media");
      beside.push(JSON.stringify({ text: `(Part of the result of ${name}:)` }), ...media);
    }
    const head = JSON.stringify({ id, name });
    const response = result === undefined ? unanswered : responseJson(texts.join("\n"), result.failed);
    const parts = inside.length === 0 ? "" : `,"parts":[${inside.join(",")}]`;
    return `{"functionResponse":${head.slice(0, -1)},"response":${response}${parts}}}`;
  }
}

const unanswered = JSON.stringify({ error: "This call was not answered." });

/** `output` and `error` are Google's own keys for what is no object (the SDK's FunctionResponse, 3.3). */
function responseJson(text: string, failed: boolean): string {
  if (failed) return JSON.stringify({ error: text });
  return isJsonObject(text) ? text.trim() : JSON.stringify({ output: text });
}

function inline(mimeType: string | undefined, data: string): JsonObject {
  return { inlineData: { mimeType, data } };
}

function isJsonObject(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
