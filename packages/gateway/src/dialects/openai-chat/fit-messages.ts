import type { EncodeTarget } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { thinkingText } from "./decode-parts.ts";
import type { LossReport } from "./losses.ts";
import { echoOf, placeThought, shapeMessages, splitThinking } from "./message-shape.ts";
import { issuerOf } from "./reasoning-issuer.ts";
import { toolCallId } from "./tool-call-ids.ts";

/** Whether the bytes of `messages` hold a word that could be a reason to change them. */
export function mayNeedFitting(messages: Buffer, { quirks }: EncodeTarget): boolean {
  const { reasoningEcho: echo } = quirks;
  const has = (word: keyof typeof probes): boolean => holds(messages, word);
  return (
    quirks.messageFields !== undefined ||
    quirks.answersTools === true ||
    quirks.prefixes === "always" ||
    has("reasoning_details") ||
    (quirks.refusesThoughts === true && (has("reasoning") || has("reasoning_content"))) ||
    has("extra_content") ||
    (quirks.prefixes === undefined && has("prefix")) ||
    (echo !== "thinking" && has("thinking")) ||
    (quirks.imagesAsData === true && has("image_url")) ||
    (!quirks.developerRole && has("developer")) ||
    (quirks.toolCallIds !== "any" && (has("tool_calls") || has("tool_call_id"))) ||
    (echo !== undefined && (has("tool_calls") || has("reasoning") || has("reasoning_content")))
  );
}

/** A piece of each word that begins with a letter rare in prose and in code: what is looked for first. */
const probes = {
  reasoning_details: "_deta",
  reasoning_content: "_cont",
  extra_content: "_cont",
  reasoning: 'g"',
  thinking: 'king"',
  prefix: 'x"',
  image_url: "_url",
  developer: "velo",
  tool_calls: "_call",
  tool_call_id: "_call",
} as const;

/**
 * Whether a string of JSON is this word. Node finds the first letter of a short needle natively, ten times as fast as
 * it finds a long one whose first letter is common; a body of 800 KB is looked through several times.
 */
function holds(bytes: Buffer, word: keyof typeof probes): boolean {
  return bytes.includes(probes[word]) && bytes.includes(`"${word}"`);
}

/**
 * Messages as a target of the same language takes them: no `developer` turns, fields and tool-call ids that it refuses,
 * no thoughts that another vendor sealed, and earlier thoughts where it reads them. Undefined where nothing changes.
 */
export function fitMessages(
  messages: readonly unknown[],
  target: EncodeTarget,
  report: LossReport,
): string | undefined {
  if (!messages.every(isObject)) return undefined;
  const before = JSON.stringify(messages);
  const fitter = new MessageFitter(target, report);
  const fitted = messages.map((message) => fitter.fit(message));
  const json = JSON.stringify(shapeMessages(fitted, target, report));
  return json === before ? undefined : json;
}

class MessageFitter {
  readonly #target: EncodeTarget;
  readonly #report: LossReport;

  constructor(target: EncodeTarget, report: LossReport) {
    this.#target = target;
    this.#report = report;
  }

  fit(message: JsonObject): JsonObject {
    const { quirks } = this.#target;
    const changed: Record<string, unknown> = { ...this.#ownExtras(this.#withoutForeignSeals(message)) };
    if (!quirks.developerRole && changed["role"] === "developer") changed["role"] = "system";
    if ("tool_call_id" in changed) changed["tool_call_id"] = this.#id(changed["tool_call_id"]);
    const calls = changed["tool_calls"];
    if (Array.isArray(calls)) {
      changed["tool_calls"] = calls.map((call: unknown) => {
        if (!isObject(call)) return call;
        const own = this.#ownExtras(call);
        return "id" in own ? Object.assign({}, own, { id: this.#id(own["id"]) }) : own;
      });
    }
    if (changed["role"] === "assistant") this.#fitThoughts(changed);
    if (quirks.imagesAsData === true) this.#needData(changed["content"]);
    return changed;
  }

  #id(id: unknown): unknown {
    const { toolCallIds } = this.#target.quirks;
    return toolCallIds === "any" || typeof id !== "string" ? id : toolCallId(id, toolCallIds);
  }

  /** A foreign thought goes whole, the plain text that repeats it included. */
  #withoutForeignSeals(message: JsonObject): JsonObject {
    const { reasoning_details: details, ...rest } = message;
    if (!Array.isArray(details)) return message;
    const own = details.filter((detail: unknown) => {
      const from = isObject(detail) ? issuerOf(detail["format"]) : "unknown";
      return from === "unknown" || from === this.#target.issuer;
    });
    if (own.length === details.length) return message;
    this.#report.meet("reasoning-seal");
    const { reasoning_content: _content, reasoning: _reasoning, ...others } = rest;
    return own.length === 0 ? others : { ...others, reasoning_details: own };
  }

  /** What hangs on a message or a call for one vendor is no other's. */
  #ownExtras(holder: JsonObject): JsonObject {
    const { extra_content: extra, ...rest } = holder;
    if (!isObject(extra)) return holder;
    const { issuer, quirks } = this.#target;
    const entries = Object.entries(extra);
    const own = entries.filter(([vendor]) => vendor === (quirks.toolSignatures ?? issuer));
    if (own.length === entries.length) return holder;
    this.#report.meet("reasoning-seal");
    return own.length === 0 ? rest : { ...rest, extra_content: Object.fromEntries(own) };
  }

  /** DeepSeek refuses a turn with tool calls that has no thought, if only an empty one. */
  #fitThoughts(message: Record<string, unknown>): void {
    const { quirks } = this.#target;
    const echo = echoOf(this.#target);
    const split = quirks.reasoningEcho === "thinking" ? undefined : splitThinking(message["content"], thinkingText);
    if (split !== undefined) message["content"] = split.content;
    if (echo !== undefined && typeof message[echo] === "string") return;
    const thought = [message["reasoning_content"], message["reasoning"]].find((text) => typeof text === "string");
    const own = thought ?? split?.thought;
    if (echo === undefined) {
      const isRefused = quirks.refusesThoughts === true || quirks.echoNeedsReasoner === true;
      const hasDetails = Array.isArray(message["reasoning_details"]) && message["reasoning_details"].length > 0;
      if ((isRefused && (hasDetails || (own ?? "") !== "")) || split !== undefined)
        this.#report.meet("reasoning-history");
      if (isRefused) withoutThoughts(message);
    } else if (own !== undefined) {
      delete message["reasoning_content"];
      delete message["reasoning"];
      placeThought(message, own, echo);
    } else if (echo === "reasoning_content" && Array.isArray(message["tool_calls"])) message[echo] = "";
  }

  #needData(content: unknown): void {
    if (!Array.isArray(content)) return;
    for (const part of content as readonly unknown[]) {
      const image = isObject(part) && part["type"] === "image_url" ? part["image_url"] : undefined;
      const url = isObject(image) ? image["url"] : image;
      if (typeof url === "string" && !/^data:/iu.test(url)) this.#report.meet("image-address", undefined, "messages");
    }
  }
}

function withoutThoughts(message: Record<string, unknown>): void {
  for (const field of ["reasoning_content", "reasoning", "reasoning_details"]) delete message[field];
}
