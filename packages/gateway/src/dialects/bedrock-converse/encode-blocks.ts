import type {
  AudioPart,
  CacheMarker,
  DocumentPart,
  ImagePart,
  Part,
  ReasoningPart,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  VideoPart,
} from "#domain/request";
import { isObject } from "#dialects/shape";
import { wellFormedInput } from "#dialects/tool-input";
import { isBlank, type ArrangedTurn } from "./arrange-turns.ts";
import { DocumentNames } from "./document-names.ts";
import type { LossLedger } from "./losses.ts";
import { audioFormat, documentFormat, formatOfEnding, imageFormat, videoFormat } from "./media-formats.ts";
import type { ModelFamily } from "./model-family.ts";
import { isOwnForeign } from "./own-foreign.ts";
import { blobOf } from "./seal-tag.ts";
import { isToolName, toolUseId } from "./tool-names.ts";

/** Claude takes at most four cache breakpoints per request. */
const cacheBreakpoints = 4;

/**
 * Parts as JSON text of content blocks. Text rather than objects, because tool arguments go in as they came: parsing
 * and writing them again would change numbers and miss caches. To be used in the order of the cache: tools, system,
 * messages.
 */
export class BlockEncoder {
  readonly #ledger: LossLedger;
  readonly #family: ModelFamily;
  readonly #names = new DocumentNames();
  #breakpointsLeft = cacheBreakpoints;
  /** Longer lives must come before shorter ones. */
  #sawShort = false;

  constructor(family: ModelFamily, ledger: LossLedger) {
    this.#family = family;
    this.#ledger = ledger;
  }

  /** The mark for the whole prompt stands behind all others and takes one of the four; it is made before them. */
  wholeCachePoint(marker: CacheMarker | undefined): string | undefined {
    const point = this.cachePoint(marker);
    this.#sawShort = false;
    return point;
  }

  /** The block that marks what stands before it; undefined where there is no marker or no breakpoint is left. */
  cachePoint(marker: CacheMarker | undefined, isTool = false): string | undefined {
    if (marker === undefined) return undefined;
    if (this.#breakpointsLeft === 0 || !(isTool ? this.#family.cacheInTools : this.#family.cachePoints)) {
      this.#ledger.note("cache-markers");
      return undefined;
    }
    this.#breakpointsLeft -= 1;
    const { ttl } = marker;
    const fits = ttl === undefined || (this.#family.cacheTtl && !(ttl === "1h" && this.#sawShort));
    if (!fits) this.#ledger.note("cache-life");
    if (ttl !== "1h") this.#sawShort = true;
    return JSON.stringify({ cachePoint: { type: "default", ...(fits && ttl !== undefined ? { ttl } : {}) } });
  }

  /** A turn's blocks, each followed by its cache point. */
  blocks(parts: readonly Part[], role: ArrangedTurn["role"] | "system"): readonly string[] {
    return parts.flatMap((part) => {
      const block = this.#block(part, role);
      const point = this.cachePoint(markerOf(part));
      return point === undefined ? [block] : [block, point];
    });
  }

  #block(part: Part, role: ArrangedTurn["role"] | "system"): string {
    const fromAssistant = role === "assistant";
    if (fromAssistant && (part.kind === "image" || part.kind === "document")) this.#ledger.note("assistant-media");
    switch (part.kind) {
      case "text":
        return this.#text(part, fromAssistant);
      case "refusal":
        return JSON.stringify({ text: part.text });
      case "image":
        return this.#image(part);
      case "document":
        return this.#document(part);
      case "audio":
        return this.#audio(part);
      case "video":
        return this.#video(part);
      case "reasoning":
        return reasoningBlock(part);
      case "tool-call":
        return this.#toolCall(part);
      case "tool-result":
        return this.#toolResult(part);
      case "foreign":
        if (!isOwnForeign(part.what)) this.#ledger.note("foreign-part", part.what);
        return JSON.stringify(part.payload ?? null);
    }
  }

  #text(part: TextPart, fromAssistant: boolean): string {
    if (part.citations === undefined) return JSON.stringify({ text: part.text });
    if (fromAssistant && areOwnCitations(part.citations)) {
      return JSON.stringify({ citationsContent: { content: [{ text: part.text }], citations: part.citations } });
    }
    this.#ledger.note("citations");
    return JSON.stringify({ text: part.text });
  }

  #image({ source, detail }: ImagePart): string {
    if (detail !== undefined && detail !== "auto") this.#ledger.note("image-detail");
    const format = source.kind === "base64" ? imageFormat(source) : this.#stored(source, "image");
    if (format === undefined && source.kind === "base64") this.#ledger.note("image-type", source.mediaType);
    return JSON.stringify({ image: { format, source: this.#source(source) } });
  }

  #document({ source, title, context, citations }: DocumentPart): string {
    const format = source.kind === "text" ? "txt" : this.#documentFormat(source);
    const bytes =
      source.kind === "text" ? { bytes: Buffer.from(source.text, "utf8").toString("base64") } : this.#source(source);
    return JSON.stringify({
      document: {
        format,
        name: this.#names.name(title),
        source: bytes,
        context,
        citations: citations === undefined ? undefined : { enabled: citations },
      },
    });
  }

  #documentFormat(source: Source): string | undefined {
    if (source.kind !== "base64") return this.#stored(source, "document");
    const format = documentFormat(source.mediaType);
    if (format === undefined) this.#ledger.note("document-type", source.mediaType);
    return format;
  }

  #audio({ format, data }: AudioPart): string {
    const known = audioFormat(format);
    if (known === undefined) this.#ledger.note("audio-type", format);
    return JSON.stringify({ audio: { format: known, source: { bytes: data } } });
  }

  #video({ source }: VideoPart): string {
    const format = source.kind === "base64" ? videoFormat(source.mediaType) : this.#stored(source, "video");
    if (format === undefined && source.kind === "base64") this.#ledger.note("video-type", source.mediaType);
    return JSON.stringify({ video: { format, source: this.#source(source) } });
  }

  /** The format of what lies at an address: only S3's are known to Bedrock. */
  #stored(source: Source, kind: "image" | "document" | "video"): string | undefined {
    if (source.kind !== "url" || !isStored(source.url)) return undefined;
    const format = formatOfEnding(source.url, kind);
    if (format === undefined) this.#ledger.note(`${kind}-type`);
    return format;
  }

  #source(source: Source): object | undefined {
    switch (source.kind) {
      case "base64":
        return { bytes: source.data };
      case "url":
        if (!isStored(source.url)) this.#ledger.note("media-address");
        return { s3Location: { uri: source.url } };
      case "file":
        this.#ledger.note("foreign-file");
        return undefined;
    }
  }

  #toolCall(part: ToolCallPart): string {
    if (!isToolName(part.name)) this.#ledger.note("tool-name", part.name);
    const input = wellFormedInput(part.argumentsJson);
    if (input.wrapped) this.#ledger.note("invalid-arguments", `call ${part.id} of ${part.name}`);
    const head = JSON.stringify({ toolUseId: toolUseId(part.id, this.#family), name: part.name });
    return `{"toolUse":${head.slice(0, -1)},"input":${input.json}}}`;
  }

  #toolResult(part: ToolResultPart): string {
    const kept = part.parts.filter((inner) => inner.kind !== "text" || !isBlank(inner, this.#ledger));
    if (!this.#family.resultMedia && kept.some((inner) => inner.kind === "image" || inner.kind === "document")) {
      this.#ledger.note("tool-result-media");
    }
    const saysFailure = part.failed && !this.#family.resultStatus;
    if (saysFailure) this.#ledger.note("tool-error");
    const content = [
      ...(saysFailure ? [JSON.stringify({ text: "The tool failed:" })] : []),
      ...kept.map((inner) => this.#block(inner, "user")),
    ];
    const status = part.failed && this.#family.resultStatus ? ',"status":"error"' : "";
    const id = JSON.stringify(toolUseId(part.callId, this.#family));
    return `{"toolResult":{"toolUseId":${id},"content":[${content.join(",")}]${status}}}`;
  }
}

/** A cache point has no place inside a result: it stands behind it. */
function markerOf(part: Part): CacheMarker | undefined {
  if (part.kind === "tool-result")
    return part.cache ?? part.parts.map(markerOf).findLast((inner) => inner !== undefined);
  return "cache" in part ? part.cache : undefined;
}

/** Only thoughts the target's vendor sealed come here. */
function reasoningBlock({ text, seal }: ReasoningPart): string {
  return seal?.form === "redacted"
    ? JSON.stringify({ reasoningContent: { redactedContent: blobOf(seal.value) } })
    : JSON.stringify({ reasoningContent: { reasoningText: { text, signature: seal?.value } } });
}

function isStored(url: string): boolean {
  return url.startsWith("s3://");
}

/** Places a citation can point to (Bedrock's reference: `CitationLocation`). */
const locations = new Set(["documentChar", "documentChunk", "documentPage", "searchResultLocation", "web"]);

function areOwnCitations(citations: unknown): boolean {
  return (
    Array.isArray(citations) &&
    citations.every((one: unknown) => {
      const location = isObject(one) ? one["location"] : undefined;
      return isObject(location) && Object.keys(location).every((place) => locations.has(place));
    })
  );
}
