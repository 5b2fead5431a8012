import { createHash } from "node:crypto";
import type {
  DocumentPart,
  ImagePart,
  Part,
  ReasoningPart,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from "#domain/request";
import { cacheBreakpoint, takesCacheMarkers } from "#dialects/openai-chat/encode-messages";
import type { EncodeTarget } from "#dialects/dialect";
import { defined } from "#dialects/shape";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign, isOwnPart } from "./own-foreign.ts";

type Json = Readonly<Record<string, unknown>>;

/** OpenAI refuses longer ids ("string too long. Expected a string with maximum length 64"). */
const longestCallId = 64;

/**
 * The id of a call as it may be sent: itself, or a digest where it is too long, so that a call and its result, and the
 * same call in later turns, keep the same id without any memory.
 */
function callIdOf(id: string): string {
  if (id !== "" && id.length <= longestCallId) return id;
  return `call_${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
}

/** From turns to items of `input`. */
export function encodeInput(turns: readonly Turn[], target: EncodeTarget, ledger: LossLedger): readonly Json[] {
  const encoder = new ItemEncoder(target, ledger);
  return turns.flatMap((turn) => encoder.turn(turn));
}

class ItemEncoder {
  readonly #target: EncodeTarget;
  readonly #ledger: LossLedger;
  readonly #takesMarkers: boolean;

  constructor(target: EncodeTarget, ledger: LossLedger) {
    this.#target = target;
    this.#ledger = ledger;
    this.#takesMarkers = takesCacheMarkers(target);
  }

  turn(turn: Turn): readonly Json[] {
    if (turn.name !== undefined) this.#ledger.note("participant-name");
    switch (turn.role) {
      case "system":
        return this.#system(turn.parts);
      case "user":
        return this.#user(turn.parts);
      case "assistant":
        return this.#assistant(turn.parts);
    }
  }

  #system(parts: readonly Part[]): readonly Json[] {
    const texts = parts.filter((part) => part.kind === "text");
    const others = parts.filter((part) => part.kind !== "text");
    if (others.length > 0) this.#ledger.note("system-media");
    return [...this.#message("system", texts), ...this.#user(others)];
  }

  #user(parts: readonly Part[]): readonly Json[] {
    const items: Json[] = [];
    let said: Part[] = [];
    const flush = (): void => {
      items.push(...this.#message("user", said));
      said = [];
    };
    for (const part of parts) {
      const item = this.#userItem(part);
      if (item === undefined) said.push(part);
      else {
        flush();
        items.push(item);
      }
    }
    flush();
    return items;
  }

  /** What is an item of its own; undefined for what stands in a message. */
  #userItem(part: Part): Json | undefined {
    if (part.kind === "tool-result") return this.#result(part);
    const isItem = part.kind === "foreign" && isOwnForeign(part.what) && !isOwnPart(part.what);
    return isItem ? (part.payload as Json) : undefined;
  }

  /** A string where there is only one text, as most clients send it. */
  #message(role: "system" | "user", parts: readonly Part[]): readonly Json[] {
    const [only] = parts;
    if (parts.length === 1 && only?.kind === "text" && (only.cache === undefined || !this.#takesMarkers)) {
      return [{ role, content: this.#text(only).text }];
    }
    const content = parts.flatMap((part) => this.#content(part));
    return content.length === 0 ? [] : [{ role, content }];
  }

  #content(part: Part): readonly Json[] {
    switch (part.kind) {
      case "text":
        return [this.#text(part)];
      case "refusal":
        return [{ type: "input_text", text: part.text }];
      case "image":
        return this.#image(part);
      case "document":
        return this.#document(part);
      case "audio":
      case "video":
        this.#ledger.note(part.kind, undefined, "input");
        return [];
      case "foreign":
        if (isOwnPart(part.what)) return [part.payload as Json];
        this.#ledger.note("foreign-part", part.what, "input");
        return [];
      case "reasoning":
      case "tool-call":
      case "tool-result":
        this.#ledger.note("foreign-part", part.kind, "input");
        return [];
    }
  }

  #text(part: TextPart): { readonly type: "input_text"; readonly text: string } {
    if (part.citations !== undefined) this.#ledger.note("citations");
    return { type: "input_text", text: part.text, ...this.#breakpoint(part) };
  }

  #image(part: ImagePart): readonly Json[] {
    const url = this.#address(part.source);
    if (url === undefined) return [];
    return [{ type: "input_image", image_url: url, detail: part.detail ?? "auto", ...this.#breakpoint(part) }];
  }

  /** A document that is text goes as text, headed by its title: files are for what the provider must read. */
  #document(part: DocumentPart): readonly Json[] {
    if (part.context !== undefined) this.#ledger.note("document-context");
    if (part.citations === true) this.#ledger.note("citations");
    const { source, title } = part;
    const text =
      source.kind === "text"
        ? source.text
        : source.kind === "base64" && source.mediaType.startsWith("text/")
          ? Buffer.from(source.data, "base64").toString("utf8")
          : undefined;
    const mark = this.#breakpoint(part);
    if (text !== undefined) {
      return [{ type: "input_text", text: title === undefined ? text : `${title}\n\n${text}`, ...mark }];
    }
    if (source.kind === "url") return [{ type: "input_file", file_url: source.url, ...mark }];
    const data = source.kind === "text" ? undefined : this.#address(source);
    if (data === undefined) return [];
    return [{ type: "input_file", filename: title ?? "document.pdf", file_data: data, ...mark }];
  }

  #address(source: Source): string | undefined {
    if (source.kind === "base64") return `data:${source.mediaType};base64,${source.data}`;
    if (source.kind === "url") return source.url;
    this.#ledger.note("foreign-file", undefined, "input");
    return undefined;
  }

  #breakpoint({ cache }: TextPart | ImagePart | DocumentPart): Json {
    if (cache === undefined) return {};
    if (this.#takesMarkers) return cacheBreakpoint(cache);
    this.#ledger.note("cache-markers");
    return {};
  }

  #result(part: ToolResultPart): Json {
    if (part.failed) this.#ledger.note("tool-error");
    if (part.cache !== undefined) this.#ledger.note("cache-markers");
    const head: readonly Json[] = part.failed ? [{ type: "input_text", text: failedMark }] : [];
    const content = [...head, ...part.parts.flatMap((inner) => this.#content(inner))];
    const isText = content.every((inner) => inner["type"] === "input_text" && Object.keys(inner).length === 2);
    const output = isText ? content.map((inner) => inner["text"]).join("\n\n") : content;
    return { type: "function_call_output", call_id: callIdOf(part.callId), output };
  }

  #assistant(parts: readonly Part[]): readonly Json[] {
    const items: Json[] = [];
    let said: Json[] = [];
    const flush = (): void => {
      if (said.length > 0) items.push({ role: "assistant", content: said });
      said = [];
    };
    const lastSaid = parts.findLastIndex(followsThoughts);
    for (const [at, part] of parts.entries()) {
      if (part.kind === "text") {
        if (part.cache !== undefined) this.#ledger.note("cache-markers");
        if (part.citations !== undefined) this.#ledger.note("citations");
        if (part.seal !== undefined) this.#ledger.note("foreign-reasoning");
        if (part.text !== "") said.push({ type: "output_text", text: part.text });
      } else if (part.kind === "refusal") said.push({ type: "refusal", refusal: part.text });
      else {
        flush();
        items.push(...this.#modelItem(part, at < lastSaid));
      }
    }
    flush();
    return items;
  }

  #modelItem(part: Part, isFollowed: boolean): readonly Json[] {
    switch (part.kind) {
      case "tool-call":
        return [this.#call(part)];
      case "reasoning":
        return this.#thought(part, isFollowed);
      case "foreign":
        if (isOwnForeign(part.what)) return [part.payload as Json];
        this.#ledger.note(part.needed === true ? "foreign-part" : "foreign-history", part.what, "input");
        return [];
      default:
        this.#ledger.note("foreign-history", part.kind);
        return [];
    }
  }

  #call(part: ToolCallPart): Json {
    if (part.cache !== undefined) this.#ledger.note("cache-markers");
    if (part.seal !== undefined) this.#ledger.note("foreign-reasoning");
    return {
      type: "function_call",
      call_id: callIdOf(part.id),
      name: part.name,
      arguments: part.argumentsJson === "" ? "{}" : part.argumentsJson,
    };
  }

  /** Only to the vendor that sealed it, under its own id, and never without what followed it: that is a 400. */
  #thought(part: ReasoningPart, isFollowed: boolean): readonly Json[] {
    const { seal } = part;
    if (seal === undefined || seal.issuer !== this.#target.issuer) {
      this.#ledger.note("foreign-reasoning");
      return [];
    }
    if (!isFollowed) {
      this.#ledger.note("reasoning-alone");
      return [];
    }
    const summary = part.text === "" ? [] : [{ type: "summary_text", text: part.text }];
    return [defined({ type: "reasoning", id: seal.id, summary, encrypted_content: seal.value })];
  }
}

/** What a thought led to. */
function followsThoughts(part: Part): boolean {
  return part.kind === "tool-call" || part.kind === "refusal" || (part.kind === "text" && part.text !== "");
}

const failedMark = "[the tool failed]";
