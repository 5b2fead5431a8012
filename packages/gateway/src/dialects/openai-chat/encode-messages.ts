import type {
  CacheMarker,
  DocumentPart,
  ForeignPart,
  ImagePart,
  Part,
  ReasoningPart,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import type { LossReport } from "./losses.ts";
import { echoOf, placeThought, shapeMessages } from "./message-shape.ts";
import { readDetails } from "./reasoning-details.ts";
import { toolCallId } from "./tool-call-ids.ts";

/** Models that take `prompt_cache_breakpoint` (openai 7.57: "gpt-5.6 and later"). */
const markable = /(?:^|\/)gpt-(?:5\.(?:[6-9]|[1-9]\d)|[6-9]|[1-9]\d)(?!\d)/u;

type Json = Readonly<Record<string, unknown>>;
type Media = ImagePart | DocumentPart;

/** From turns to `messages`. Tool results stand directly behind the assistant turn that called for them. */
export function encodeMessages(turns: readonly Turn[], target: EncodeTarget, report: LossReport): readonly Json[] {
  const encoder = new MessageEncoder(target, report);
  const messages = turns.flatMap((turn) => encoder.turn(turn));
  return shapeMessages(messages, target, report);
}

export function takesCacheMarkers({ quirks, traits, model }: EncodeTarget): boolean {
  return quirks.cacheBreakpoints === true && markable.test(traits?.name ?? model);
}

/** OpenAI's marks live 30 minutes, or 12 hours where more is asked for. */
export function cacheBreakpoint({ ttl }: CacheMarker): Json {
  return { prompt_cache_breakpoint: { mode: "explicit", ...(ttl === "1h" ? { ttl: "12h" } : {}) } };
}

class MessageEncoder {
  readonly #target: EncodeTarget;
  readonly #report: LossReport;
  readonly #takesMarkers: boolean;

  constructor(target: EncodeTarget, report: LossReport) {
    this.#target = target;
    this.#report = report;
    this.#takesMarkers = takesCacheMarkers(target);
  }

  turn(turn: Turn): readonly Json[] {
    for (const part of turn.parts) {
      if ("cache" in part && part.cache !== undefined && !this.#takesMarker(turn, part)) {
        this.#report.meet("cache-markers");
      }
    }
    const named = turn.name === undefined ? {} : { name: turn.name };
    switch (turn.role) {
      case "system":
        return [{ role: "system", content: this.#content(turn.parts), ...named }];
      case "assistant":
        return [{ ...this.#assistant(turn.parts), ...named }];
      case "user":
        return this.#user(turn.parts, named);
    }
  }

  /** Not on answers, and not on images, where Chat refuses what its schema allows (agentgateway's tests, 2026). */
  #takesMarker(turn: Turn, part: Part): boolean {
    return this.#takesMarkers && turn.role !== "assistant" && (part.kind === "text" || part.kind === "document");
  }

  #user(parts: readonly Part[], named: Json): readonly Json[] {
    const messages: Json[] = [];
    const moved: Part[] = [];
    for (const part of parts) if (part.kind === "tool-result") messages.push(this.#toolResult(part, moved));
    const rest = parts.filter((part) => part.kind !== "tool-result");
    if (moved.length + rest.length > 0 || messages.length === 0) {
      messages.push({ role: "user", content: this.#content([...moved, ...rest]), ...named });
    }
    return messages;
  }

  /** Text only, because most upstreams take no more; images and files go to `moved`. */
  #toolResult(part: ToolResultPart, moved: Part[]): Json {
    const texts: string[] = part.failed ? ["[the tool failed]"] : [];
    if (part.failed) this.#report.meet("tool-error");
    for (const item of part.parts) {
      if ("cache" in item && item.cache !== undefined) this.#report.meet("cache-markers");
      const text =
        item.kind === "text" ? this.#text(item) : item.kind === "document" ? this.#documentText(item) : undefined;
      if (text !== undefined) texts.push(text);
      else if (item.kind === "foreign") this.#foreignInPrompt(item);
      else if (item.kind !== "text") {
        this.#report.meet("tool-result-media");
        const { cache: _, ...unmarked } = item;
        moved.push({ kind: "text", text: `From the result of tool call ${this.#id(part.callId)}:` }, unmarked);
      }
    }
    return { role: "tool", tool_call_id: this.#id(part.callId), content: texts.join("\n\n") };
  }

  #assistant(parts: readonly Part[]): Json {
    const texts: string[] = [];
    const refusals: string[] = [];
    const calls: Json[] = [];
    const thoughts: string[] = [];
    const details: unknown[] = [];
    for (const part of parts) {
      switch (part.kind) {
        case "text":
          texts.push(this.#text(part));
          break;
        case "refusal":
          refusals.push(part.text);
          break;
        case "tool-call":
          calls.push(this.#toolCall(part));
          break;
        case "reasoning":
          this.#thought(part, thoughts, details);
          break;
        default:
          this.#report.meet("foreign-assistant-part", part.kind === "foreign" ? part.what : part.kind);
      }
    }
    const message: Record<string, unknown> = {
      role: "assistant",
      content: texts.length === 0 && calls.length > 0 ? null : texts.join(""),
      ...(refusals.length > 0 ? { refusal: refusals.join("") } : {}),
    };
    const echo = echoOf(this.#target);
    // DeepSeek refuses a turn with tool calls that lacks the field (documented), even when there was no thought.
    const echoes = thoughts.length > 0 || (calls.length > 0 && echo === "reasoning_content");
    if (echo !== undefined && echoes) placeThought(message, thoughts.join(""), echo);
    if (details.length > 0) message["reasoning_details"] = details;
    if (calls.length > 0) message["tool_calls"] = calls;
    return message;
  }

  #thought(part: ReasoningPart, thoughts: string[], details: unknown[]): void {
    const { seal } = part;
    if (seal !== undefined && seal.issuer !== this.#target.issuer) this.#report.meet("reasoning-seal");
    else if (seal !== undefined && this.#target.quirks.reasoningDetails === true) details.push(...readDetails(seal));
    else if (echoOf(this.#target) === undefined) this.#report.meet("reasoning-history");
    else thoughts.push(part.text);
  }

  #toolCall(part: ToolCallPart): Json {
    return {
      id: this.#id(part.id),
      type: "function",
      function: { name: part.name, arguments: part.argumentsJson === "" ? "{}" : part.argumentsJson },
      ...this.#signature(part),
    };
  }

  #signature({ seal }: ToolCallPart): Json {
    if (seal === undefined) return {};
    const { issuer, quirks } = this.#target;
    if (seal.issuer === issuer && quirks.toolSignatures !== undefined) {
      return { extra_content: { [quirks.toolSignatures]: { thought_signature: seal.value } } };
    }
    this.#report.meet("reasoning-seal");
    return {};
  }

  /** A string where there is only text, since not every upstream takes arrays of text. */
  #content(parts: readonly Part[]): string | readonly Json[] {
    const isPlain = (part: Part): part is TextPart => {
      return part.kind === "text" && (part.cache === undefined || !this.#takesMarkers);
    };
    if (parts.every(isPlain)) return parts.map((part) => this.#text(part)).join("\n\n");
    return parts.flatMap((part) => {
      const item = this.#item(part);
      return item === undefined ? [] : [item];
    });
  }

  #item(part: Part): Json | undefined {
    switch (part.kind) {
      case "text":
        return { type: "text", text: this.#text(part), ...this.#breakpoint(part) };
      case "image":
        return this.#image(part);
      case "document": {
        const text = this.#documentText(part);
        const document = text === undefined ? this.#file(part) : { type: "text", text };
        return document === undefined ? undefined : { ...document, ...this.#breakpoint(part) };
      }
      case "audio":
        return { type: "input_audio", input_audio: { data: part.data, format: part.format } };
      case "video":
        this.#report.meet("video", undefined, "messages");
        return undefined;
      case "foreign":
        return this.#foreignInPrompt(part);
      case "refusal":
        return { type: "text", text: part.text };
      case "reasoning":
      case "tool-call":
      case "tool-result":
        this.#report.meet("foreign-user-part", part.kind, "messages");
        return undefined;
    }
  }

  #breakpoint({ cache }: TextPart | DocumentPart): Json {
    return cache === undefined || !this.#takesMarkers ? {} : cacheBreakpoint(cache);
  }

  #image(part: ImagePart): Json | undefined {
    const url = this.#address(part.source);
    if (url === undefined) return undefined;
    return { type: "image_url", image_url: { url, ...(part.detail === undefined ? {} : { detail: part.detail }) } };
  }

  #address(source: Source): string | undefined {
    if (source.kind === "base64") return `data:${source.mediaType};base64,${source.data}`;
    if (source.kind === "url" && this.#target.quirks.imagesAsData === true) {
      this.#report.meet("image-address", undefined, "messages");
    }
    if (source.kind === "url") return source.url;
    this.#report.meet("provider-file", undefined, "messages");
    return undefined;
  }

  /** A document that is text goes as text, headed by its title; undefined for all others. */
  #documentText(part: DocumentPart): string | undefined {
    const { source } = part;
    const isText = source.kind === "base64" && source.mediaType.startsWith("text/");
    if (source.kind !== "text" && !isText) return undefined;
    this.#documentExtras(part);
    const text = source.kind === "text" ? source.text : Buffer.from(source.data, "base64").toString("utf8");
    return part.title === undefined ? text : `${part.title}\n\n${text}`;
  }

  #file(part: DocumentPart): Json | undefined {
    const { source } = part;
    this.#documentExtras(part);
    if (source.kind === "url") this.#report.meet("document-url", undefined, "messages");
    else if (source.kind === "file") this.#report.meet("provider-file", undefined, "messages");
    if (source.kind !== "base64") return undefined;
    const file = {
      filename: part.title ?? "document.pdf",
      file_data: `data:${source.mediaType};base64,${source.data}`,
    };
    return { type: "file", file };
  }

  #documentExtras(part: Media & { readonly kind: "document" }): void {
    if (part.context !== undefined) this.#report.meet("document-context");
    if (part.citations === true) this.#report.meet("citations");
  }

  #text(part: TextPart): string {
    if (part.citations !== undefined) this.#report.meet("citations");
    if (part.seal !== undefined) this.#report.meet("reasoning-seal");
    return part.text;
  }

  #foreignInPrompt(part: ForeignPart): undefined {
    this.#report.meet("foreign-user-part", part.what, "messages");
  }

  #id(id: string): string {
    return toolCallId(id, this.#target.quirks.toolCallIds);
  }
}
