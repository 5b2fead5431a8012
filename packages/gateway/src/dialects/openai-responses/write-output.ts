import type { AnswerEvent } from "#domain/answer";
import type { EncodeOptions } from "#dialects/dialect";
import { isObject } from "#dialects/shape";
import { NamespaceNames } from "./namespaces.ts";
import { idBase } from "./response-object.ts";
import { tagSeal } from "./seal-tag.ts";

/** One event of the stream, its `sequence_number` still missing. A whole answer needs none and ignores them. */
export type Emit = (type: string, fields: object) => void;

interface OpenItem {
  readonly kind: "message" | "refusal" | "reasoning" | "call";
  readonly index: number;
  readonly id: string;
  /** The item's fields beside those that grow. */
  readonly head: object;
  /** Text, refusal, thought or arguments so far. */
  said: string;
  /** A part of the item has been opened. */
  hasPart: boolean;
  readonly logprobs: unknown[];
  encrypted?: string;
}

type Delta = Exclude<AnswerEvent, { kind: "start" | "usage" | "finish" | "end" | "failed" | "ping" | "foreign" }>;

/** The number refusal text goes under: it has none of its own. */
const refusalBlock = -1;

/**
 * Builds output items and says how they grow, in the order that recordings show. Every block is an item of its own,
 * begun with its first content; blocks may interleave, as this language allows. An item's end is told once the next
 * event shows whether the answer was cut off in it.
 */
export class OutputWriter {
  /** Items that are done, by their place. */
  readonly items: object[] = [];
  readonly #options: EncodeOptions;
  readonly #emit: Emit;
  readonly #base: string;
  readonly #names: NamespaceNames;
  readonly #open = new Map<number, OpenItem>();
  #ending: OpenItem | undefined;
  #next = 0;

  constructor(options: EncodeOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    this.#base = idBase(options.fallbackId);
    this.#names = new NamespaceNames(isObject(options.requestJson) ? options.requestJson["tools"] : undefined);
  }

  write(event: Delta): void {
    switch (event.kind) {
      case "text-delta":
        if (event.text !== "") this.#text(event.block, event.text, event.logprobs);
        return;
      case "refusal-delta":
        if (event.text !== "") this.#refusal(event.text);
        return;
      case "reasoning-start":
        this.#thoughtStart(event);
        return;
      case "reasoning-delta":
        if (event.text !== "") this.#thought(event.block, event.text);
        return;
      case "reasoning-signature":
        this.#thoughtItem(event.block).encrypted = tagSeal(this.#options.issuer, {
          form: "signature",
          value: event.signature,
        });
        return;
      case "tool-start":
        this.#call(event);
        return;
      case "tool-delta":
        if (event.json !== "") this.#arguments(event.block, event.json);
        return;
      case "text-end":
      case "reasoning-end":
      case "tool-end":
        this.#end(event.block);
        return;
      case "text-start":
      // Opaque state on texts and calls has no place here; the gateway keeps it under the call's id.
      case "text-signature":
      case "tool-signature":
    }
  }

  /** Ends every item. `cut`: the answer was cut off in the last of them. */
  finish(cut: boolean): void {
    const last = [...this.#open.values()].at(-1) ?? this.#ending;
    if (this.#ending !== undefined && this.#ending !== last) this.#settle();
    for (const item of this.#open.values()) this.#done(item, cut && item === last);
    this.#open.clear();
    if (this.#ending !== undefined) this.#done(this.#ending, cut);
    this.#ending = undefined;
  }

  /** What has been said, for an answer that breaks off. */
  partial(): readonly object[] {
    const open = [...this.#open.values(), ...(this.#ending === undefined ? [] : [this.#ending])];
    const items = [...this.items];
    for (const item of open) items[item.index] = itemJson(item, "incomplete");
    return items;
  }

  #text(block: number, text: string, logprobs: unknown): void {
    const item = this.#obtain(block, "message", () => ({ kind: "message", prefix: "msg", head: messageHead }));
    const at = this.#part(item, { type: "output_text", annotations: [], logprobs: [], text: "" });
    item.said += text;
    const tokens = tokensOf(logprobs);
    item.logprobs.push(...tokens);
    this.#emit("response.output_text.delta", { ...at, delta: text, logprobs: tokens });
  }

  #refusal(text: string): void {
    const item = this.#obtain(refusalBlock, "refusal", () => ({ kind: "refusal", prefix: "msg", head: messageHead }));
    const at = this.#part(item, { type: "refusal", refusal: "" });
    item.said += text;
    this.#emit("response.refusal.delta", { ...at, delta: text });
  }

  readonly #thoughtIds = new Map<number, string>();

  #thoughtStart({ block, redacted, id }: Extract<Delta, { kind: "reasoning-start" }>): void {
    if (id !== undefined && id !== "") this.#thoughtIds.set(block, id);
    if (redacted === undefined) return;
    this.#thoughtItem(block).encrypted = tagSeal(this.#options.issuer, { form: "redacted", value: redacted });
  }

  #thoughtItem(block: number): OpenItem {
    const id = this.#thoughtIds.get(block);
    return this.#obtain(block, "reasoning", () => ({
      kind: "reasoning",
      prefix: "rs",
      head: { type: "reasoning" },
      ...(id === undefined ? {} : { id }),
    }));
  }

  #thought(block: number, text: string): void {
    const item = this.#thoughtItem(block);
    const at = { item_id: item.id, output_index: item.index, summary_index: 0 };
    if (!item.hasPart) {
      item.hasPart = true;
      this.#emit("response.reasoning_summary_part.added", { ...at, part: { type: "summary_text", text: "" } });
    }
    item.said += text;
    this.#emit("response.reasoning_summary_text.delta", { ...at, delta: text });
  }

  #call({ block, id, name }: Extract<Delta, { kind: "tool-start" }>): void {
    this.#obtain(block, "call", (index) => ({
      kind: "call",
      prefix: "fc",
      // Callers answer a call by its id: one without gets one that is unique in the answer.
      head: {
        type: "function_call",
        call_id: id === "" ? `call_${this.#base}_${index}` : id,
        ...this.#names.own(name),
      },
    }));
  }

  #arguments(block: number, json: string): void {
    const item = this.#open.get(block);
    if (item !== undefined) this.#say(item, json);
  }

  #say(item: OpenItem, json: string): void {
    item.said += json;
    const at = { item_id: item.id, output_index: item.index };
    this.#emit("response.function_call_arguments.delta", { ...at, delta: json });
  }

  #obtain(
    block: number,
    kind: OpenItem["kind"],
    make: (index: number) => {
      readonly kind: OpenItem["kind"];
      readonly prefix: string;
      readonly head: object;
      readonly id?: string;
    },
  ): OpenItem {
    const known = this.#open.get(block);
    if (known?.kind === kind) return known;
    this.#settle();
    const index = this.#next;
    this.#next += 1;
    const { prefix, head, id = `${prefix}_${this.#base}_${index}` } = make(index);
    const item: OpenItem = { kind, index, id, head, said: "", hasPart: false, logprobs: [] };
    this.#open.set(block, item);
    const empty = kind === "message" || kind === "refusal" ? { ...item, hasPart: false } : item;
    this.#emit("response.output_item.added", { output_index: index, item: itemJson(empty, "in_progress") });
    return item;
  }

  /** The place of the item's one content part, opened where it was not. */
  #part(item: OpenItem, empty: object): object {
    const at = { item_id: item.id, output_index: item.index, content_index: 0 };
    if (!item.hasPart) {
      item.hasPart = true;
      this.#emit("response.content_part.added", { ...at, part: empty });
    }
    return at;
  }

  #end(block: number): void {
    const item = this.#open.get(block);
    if (item === undefined) return;
    this.#settle();
    this.#open.delete(block);
    this.#ending = item;
  }

  /** Something came behind the item that ended last, so it is whole. */
  #settle(): void {
    if (this.#ending !== undefined) this.#done(this.#ending, false);
    this.#ending = undefined;
  }

  #done(item: OpenItem, cut: boolean): void {
    // Arguments nobody said are an empty object; callers that join the deltas alone must find it too.
    if (item.kind === "call" && item.said === "" && !cut) this.#say(item, "{}");
    // A thought that was never sealed is marked, so that no provider looks for it under our id.
    if (item.kind === "reasoning") {
      item.encrypted ??= tagSeal(this.#options.issuer, { form: "signature", value: "" });
    }
    const at = { item_id: item.id, output_index: item.index };
    const json = itemJson(item, cut ? "incomplete" : "completed");
    const said = { ...at, content_index: 0 };
    switch (item.kind) {
      case "message":
        this.#emit("response.output_text.done", { ...said, text: item.said, logprobs: item.logprobs });
        this.#emit("response.content_part.done", { ...said, part: partJson(item) });
        break;
      case "refusal":
        this.#emit("response.refusal.done", { ...said, refusal: item.said });
        this.#emit("response.content_part.done", { ...said, part: partJson(item) });
        break;
      case "reasoning":
        if (item.hasPart) {
          const place = { ...at, summary_index: 0 };
          this.#emit("response.reasoning_summary_text.done", { ...place, text: item.said });
          this.#emit("response.reasoning_summary_part.done", { ...place, part: partJson(item) });
        }
        break;
      case "call": {
        const { name } = item.head as { readonly name: string };
        this.#emit("response.function_call_arguments.done", { ...at, name, arguments: item.said });
      }
    }
    this.items[item.index] = json;
    this.#emit("response.output_item.done", { output_index: item.index, item: json });
  }
}

const messageHead = { type: "message", role: "assistant" };

function partJson(item: OpenItem): object {
  if (item.kind === "refusal") return { type: "refusal", refusal: item.said };
  if (item.kind === "reasoning") return { type: "summary_text", text: item.said };
  return { type: "output_text", annotations: [], logprobs: item.logprobs, text: item.said };
}

function itemJson(item: OpenItem, status: "in_progress" | "completed" | "incomplete"): object {
  const { id, head, said } = item;
  switch (item.kind) {
    case "message":
    case "refusal":
      return { id, status, ...head, content: item.hasPart ? [partJson(item)] : [] };
    case "reasoning": {
      const sealed = item.encrypted === undefined ? {} : { encrypted_content: item.encrypted };
      return { id, ...head, summary: item.hasPart ? [partJson(item)] : [], ...sealed };
    }
    case "call":
      return { id, status, ...head, arguments: said };
  }
}

/** Out of Chat's wrapper, which is the hub's. */
function tokensOf(logprobs: unknown): readonly unknown[] {
  const content = isObject(logprobs) ? logprobs["content"] : undefined;
  return Array.isArray(content) ? (content as readonly unknown[]) : [];
}
