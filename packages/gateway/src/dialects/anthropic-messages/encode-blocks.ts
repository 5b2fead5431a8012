import type {
  CacheMarker,
  DocumentPart,
  ImagePart,
  Part,
  ReasoningPart,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "#domain/request";
import { isBlank } from "./arrange-turns.ts";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign } from "./own-foreign.ts";
import { isObject } from "#dialects/shape";
import { messagesToolId } from "./tool-call-ids.ts";
import { wellFormedInput } from "#dialects/tool-input";

/** The API takes at most four cache breakpoints per request. */
const cacheBreakpoints = 4;

/**
 * Parts as JSON text of content blocks. Text rather than objects, because tool arguments go in as they came: parsing
 * and writing them again would change numbers and miss caches. To be used in the order of the cache: tools, system,
 * messages.
 */
export class BlockEncoder {
  readonly #ledger: LossLedger;
  #breakpointsLeft = cacheBreakpoints;
  /** Longer lives must come before shorter ones. */
  #sawShort = false;

  constructor(ledger: LossLedger) {
    this.#ledger = ledger;
  }

  /** For the whole prompt: its mark stands behind all others and takes one of the four. */
  wholeCacheControl(marker: CacheMarker | undefined): Readonly<Record<string, string>> | undefined {
    const control = this.cacheControl(marker);
    this.#sawShort = false;
    return control;
  }

  /** The marker as a JSON value; undefined where there is none or no breakpoint is left. */
  cacheControl(marker: CacheMarker | undefined): Readonly<Record<string, string>> | undefined {
    if (marker === undefined) return undefined;
    if (this.#breakpointsLeft === 0) {
      this.#ledger.note("cache-markers");
      return undefined;
    }
    this.#breakpointsLeft -= 1;
    const { ttl } = marker;
    if (ttl !== "1h") this.#sawShort = true;
    else if (this.#sawShort) {
      this.#ledger.note("cache-order");
      return { type: "ephemeral" };
    }
    return { type: "ephemeral", ...(ttl === undefined ? {} : { ttl }) };
  }

  block(part: Part, role: "system" | "user" | "assistant"): string {
    switch (part.kind) {
      case "text":
        return this.#text(part, role);
      case "refusal":
        return JSON.stringify({ type: "text", text: part.text });
      case "image":
        return this.#image(part);
      case "document":
        return this.#document(part);
      case "reasoning":
        return reasoningBlock(part);
      case "tool-call":
        return this.#toolCall(part);
      case "tool-result":
        return this.#toolResult(part);
      case "audio":
        this.#ledger.note("audio");
        return "null";
      case "video":
        this.#ledger.note("video");
        return "null";
      case "foreign":
        if (!isOwnForeign(part.what)) this.#ledger.note("foreign-part", part.what);
        return JSON.stringify(part.payload ?? null);
    }
  }

  #text(part: TextPart, role: "system" | "user" | "assistant"): string {
    const citations = role === "assistant" && areOwnCitations(part.citations) ? part.citations : undefined;
    if (part.citations !== undefined && citations === undefined) this.#ledger.note("citations");
    return JSON.stringify({ type: "text", text: part.text, citations, cache_control: this.cacheControl(part.cache) });
  }

  #image(part: ImagePart): string {
    if (part.detail !== undefined && part.detail !== "auto") this.#ledger.note("image-detail");
    return JSON.stringify({
      type: "image",
      source: this.#imageSource(part.source),
      cache_control: this.cacheControl(part.cache),
    });
  }

  #imageSource(source: Source): unknown {
    switch (source.kind) {
      case "base64": {
        const mediaType = imageType(source);
        if (mediaType === undefined) this.#ledger.note("image-type", source.mediaType);
        return { type: "base64", media_type: mediaType, data: source.data };
      }
      case "url":
        if (!/^https?:\/\//iu.test(source.url)) this.#ledger.note("image-address");
        return { type: "url", url: source.url };
      case "file":
        this.#ledger.note("foreign-file");
        return null;
    }
  }

  #document(part: DocumentPart): string {
    return JSON.stringify({
      type: "document",
      source: this.#documentSource(part.source),
      title: part.title,
      context: part.context,
      citations: part.citations === undefined ? undefined : { enabled: part.citations },
      cache_control: this.cacheControl(part.cache),
    });
  }

  #documentSource(source: DocumentPart["source"]): unknown {
    switch (source.kind) {
      case "text":
        return { type: "text", media_type: "text/plain", data: source.text };
      case "url":
        return { type: "url", url: source.url };
      case "file":
        this.#ledger.note("foreign-file");
        return null;
      case "base64": {
        const mediaType = bareType(source.mediaType);
        if (mediaType.startsWith("text/")) {
          return { type: "text", media_type: "text/plain", data: Buffer.from(source.data, "base64").toString("utf8") };
        }
        if (mediaType !== "application/pdf") this.#ledger.note("document-type", source.mediaType);
        return { type: "base64", media_type: "application/pdf", data: source.data };
      }
    }
  }

  #toolCall(part: ToolCallPart): string {
    const input = wellFormedInput(part.argumentsJson);
    if (input.wrapped) this.#ledger.note("invalid-arguments", `call ${part.id} of ${part.name}`);
    const head = JSON.stringify({ type: "tool_use", id: messagesToolId(part.id), name: part.name });
    const cache = this.cacheControl(part.cache);
    return `${head.slice(0, -1)},"input":${input.json}${cache === undefined ? "" : `,"cache_control":${JSON.stringify(cache)}`}}`;
  }

  #toolResult(part: ToolResultPart): string {
    const kept = part.parts.filter((inner) => inner.kind !== "text" || !isBlank(inner, this.#ledger));
    const only = kept.length === 1 ? kept[0] : undefined;
    const plain = only?.kind === "text" && only.cache === undefined && only.citations === undefined;
    const content = plain ? JSON.stringify(only.text) : `[${kept.map((inner) => this.block(inner, "user")).join(",")}]`;
    const head = JSON.stringify({ type: "tool_result", tool_use_id: messagesToolId(part.callId) });
    const cache = this.cacheControl(part.cache);
    return [
      head.slice(0, -1),
      kept.length === 0 ? "" : `,"content":${content}`,
      part.failed ? ',"is_error":true' : "",
      cache === undefined ? "" : `,"cache_control":${JSON.stringify(cache)}`,
      "}",
    ].join("");
  }
}

/** Only thoughts the target's vendor sealed come here. */
function reasoningBlock(part: ReasoningPart): string {
  return part.seal?.form === "redacted"
    ? JSON.stringify({ type: "redacted_thinking", data: part.seal.value })
    : JSON.stringify({ type: "thinking", thinking: part.text, signature: part.seal?.value ?? "" });
}

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** First base64 characters of each format's magic bytes. */
const magic: readonly (readonly [start: string, mediaType: string])[] = [
  ["/9j/", "image/jpeg"],
  ["iVBORw0KGgo", "image/png"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
];

/** What callers write (`image/jpg`, `image/*`, nothing) is settled by the bytes where the word does not do. */
function imageType(source: { readonly mediaType: string; readonly data: string }): string | undefined {
  const said = bareType(source.mediaType);
  if (imageTypes.has(said)) return said;
  if (said !== "" && said !== "image/*" && said !== "image/jpg") return undefined;
  return (
    magic.find(([start]) => source.data.startsWith(start))?.[1] ?? (said === "image/jpg" ? "image/jpeg" : undefined)
  );
}

function bareType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

const ownCitationTypes: ReadonlySet<unknown> = new Set([
  "char_location",
  "page_location",
  "content_block_location",
  "web_search_result_location",
  "search_result_location",
]);

function areOwnCitations(citations: unknown): boolean {
  return Array.isArray(citations) && citations.every((one) => isObject(one) && ownCitationTypes.has(one["type"]));
}
