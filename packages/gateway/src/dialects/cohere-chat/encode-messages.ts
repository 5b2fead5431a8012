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
import type { EncodeTarget } from "#dialects/dialect";
import { wellFormedInput } from "#dialects/tool-input";
import type { LossReport } from "./losses.ts";

type Json = Readonly<Record<string, unknown>>;

export interface EncodedMessages {
  readonly messages: readonly Json[];
  /** Texts the answer is to cite. */
  readonly documents: readonly Json[];
}

/** From turns to `messages`, and to the `documents` beside them. Cohere refuses messages without content. */
export function encodeMessages(turns: readonly Turn[], target: EncodeTarget, report: LossReport): EncodedMessages {
  const encoder = new MessageEncoder(target, report);
  const firstOther = turns.findIndex((turn) => turn.role !== "system");
  const leading = turns.slice(0, firstOther === -1 ? turns.length : firstOther);
  const messages = [...encoder.system(leading), ...turns.slice(leading.length).flatMap((turn) => encoder.turn(turn))];
  if (messages.length === 0) report.meet("nothing-to-ask", undefined, "messages");
  return { messages, documents: encoder.documents };
}

class MessageEncoder {
  readonly #target: EncodeTarget;
  readonly #report: LossReport;
  readonly documents: Json[] = [];

  constructor(target: EncodeTarget, report: LossReport) {
    this.#target = target;
    this.#report = report;
  }

  /** "system turn must be the first in the list", and there is one (docs.cohere.com/reference/errors). */
  system(turns: readonly Turn[]): readonly Json[] {
    for (const turn of turns) this.#meetExtras(turn);
    return spoken("system", this.#content(turns.flatMap(({ parts }) => parts)));
  }

  turn(turn: Turn): readonly Json[] {
    this.#meetExtras(turn);
    if (turn.role === "assistant") return this.#assistant(turn.parts);
    if (turn.role === "user") return this.#user(turn.parts);
    const content = this.#content(turn.parts).map(marked);
    if (content.length > 0) this.#report.meet("system-inside");
    return spoken("user", content);
  }

  #meetExtras({ name, parts }: Turn): void {
    if (name !== undefined) this.#report.meet("participant-name");
    for (const part of parts) if ("cache" in part && part.cache !== undefined) this.#report.meet("cache-markers");
  }

  #user(parts: readonly Part[]): readonly Json[] {
    const moved: Part[] = [];
    const results = parts.flatMap((part) => (part.kind === "tool-result" ? [this.#toolResult(part, moved)] : []));
    const rest = parts.filter((part) => part.kind !== "tool-result");
    return [...results, ...spoken("user", this.#content([...moved, ...rest]))];
  }

  /** Text only; images go to `moved`. */
  #toolResult(part: ToolResultPart, moved: Part[]): Json {
    const texts: string[] = [];
    for (const item of part.parts) {
      if ("cache" in item && item.cache !== undefined) this.#report.meet("cache-markers");
      if (item.kind === "text") texts.push(this.#text(item));
      else if (item.kind === "document") texts.push(this.#documentText(item) ?? "");
      else if (item.kind === "foreign") this.#report.meet("foreign-part", item.what, "messages");
      else {
        this.#report.meet("tool-result-media");
        const { cache: _, ...unmarked } = item;
        moved.push({ kind: "text", text: `From the result of tool call ${part.callId}:` }, unmarked);
      }
    }
    if (part.failed) {
      this.#report.meet("tool-error");
      texts.unshift("[the tool failed]");
    }
    const text = texts.filter((each) => each !== "").join("\n\n");
    if (text === "") this.#report.meet("empty-result");
    return { role: "tool", tool_call_id: part.callId, content: text === "" ? "[the tool gave no output]" : text };
  }

  /**
   * A thought beside calls is the plan for them, unless the model reasons: then it is content. One without calls is of
   * use to reasoning models only.
   */
  #assistant(parts: readonly Part[]): readonly Json[] {
    const texts: string[] = [];
    const thoughts: string[] = [];
    const calls: Json[] = [];
    for (const part of parts) {
      if (part.kind === "text") texts.push(this.#text(part));
      else if (part.kind === "refusal") texts.push(part.text);
      else if (part.kind === "reasoning") thoughts.push(...this.#thought(part));
      else if (part.kind === "tool-call") calls.push(this.#toolCall(part));
      else this.#report.meet("foreign-history", part.kind === "foreign" ? part.what : part.kind);
    }
    const text = texts.join("");
    const thought = thoughts.join("");
    const reasons = this.#target.traits?.capabilities.reasoning === true;
    const isPlan = thought !== "" && calls.length > 0 && !reasons;
    if (thought !== "" && !isPlan && !reasons) this.#report.meet("reasoning-history");
    const content: Json[] = [
      ...(thought !== "" && reasons ? [{ type: "thinking", thinking: thought }] : []),
      ...(text === "" ? [] : [{ type: "text", text }]),
    ];
    if (content.length === 0 && calls.length === 0) return [];
    return [
      {
        role: "assistant",
        ...(isPlan ? { tool_plan: thought } : {}),
        ...(content.length === 0 ? {} : { content: content.length === 1 && text !== "" ? text : content }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
    ];
  }

  #thought({ text, seal }: ReasoningPart): readonly string[] {
    if (seal === undefined || seal.issuer === this.#target.issuer) return text === "" ? [] : [text];
    this.#report.meet("reasoning-seal");
    return [];
  }

  #toolCall({ id, name, argumentsJson, seal }: ToolCallPart): Json {
    if (seal !== undefined) this.#report.meet("reasoning-seal");
    const { json, wrapped } = wellFormedInput(argumentsJson);
    if (wrapped) this.#report.meet("invalid-arguments");
    return { id, type: "function", function: { name, arguments: json } };
  }

  #content(parts: readonly Part[]): readonly Json[] {
    return parts.flatMap((part) => {
      const item = this.#item(part);
      return item === undefined ? [] : [item];
    });
  }

  #item(part: Part): Json | undefined {
    switch (part.kind) {
      case "text":
        return textItem(this.#text(part));
      case "refusal":
        return textItem(part.text);
      case "image":
        return this.#image(part);
      case "document":
        return part.citations === true ? this.#cited(part) : textItem(this.#documentText(part) ?? "");
      case "audio":
      case "video":
        this.#report.meet(part.kind, undefined, "messages");
        return undefined;
      default:
        this.#report.meet("foreign-part", part.kind === "foreign" ? part.what : part.kind, "messages");
        return undefined;
    }
  }

  #image({ source, detail }: ImagePart): Json | undefined {
    const url = this.#address(source);
    if (url === undefined) return undefined;
    return { type: "image_url", image_url: { url, ...(detail === undefined ? {} : { detail }) } };
  }

  #address(source: Source): string | undefined {
    if (source.kind === "base64") return `data:${source.mediaType};base64,${source.data}`;
    if (source.kind === "url") return source.url;
    this.#report.meet("provider-file", undefined, "messages");
    return undefined;
  }

  /** Cohere cites what stands in `documents` alone. */
  #cited(part: DocumentPart): undefined {
    const text = this.#plainText(part);
    if (text === undefined) return;
    this.#report.meet("cited-document");
    const { title, context } = part;
    const data = { ...(title === undefined ? {} : { title }), ...(context === undefined ? {} : { context }), text };
    this.documents.push({ id: `doc_${this.documents.length}`, data });
  }

  #documentText(part: DocumentPart): string | undefined {
    const text = this.#plainText(part);
    if (text === undefined) return undefined;
    return [part.title, part.context, text].filter((words) => words !== undefined && words !== "").join("\n\n");
  }

  #plainText({ source }: DocumentPart): string | undefined {
    if (source.kind === "text") return source.text;
    if (source.kind === "base64" && source.mediaType.startsWith("text/")) {
      return Buffer.from(source.data, "base64").toString("utf8");
    }
    this.#report.meet(source.kind === "file" ? "provider-file" : "document-type", undefined, "messages");
    return undefined;
  }

  #text(part: TextPart): string {
    if (part.citations !== undefined) this.#report.meet("citations");
    if (part.seal !== undefined) this.#report.meet("reasoning-seal");
    return part.text;
  }
}

function marked(item: Json): Json {
  const { text } = item;
  return typeof text === "string" ? { type: "text", text: `<system>\n${text}\n</system>` } : item;
}

function textItem(text: string): Json | undefined {
  return text === "" ? undefined : { type: "text", text };
}

/** A string where there is only text; no message where there is nothing. */
function spoken(role: "system" | "user", content: readonly Json[]): readonly Json[] {
  if (content.length === 0) return [];
  const texts = content.flatMap((item) => (typeof item["text"] === "string" ? [item["text"]] : []));
  return [{ role, content: texts.length === content.length ? texts.join("\n\n") : content }];
}
