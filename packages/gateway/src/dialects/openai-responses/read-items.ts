import type { AnswerEvent } from "#domain/answer";
import { isObject, type JsonObject } from "#dialects/shape";
import { foreignName } from "./own-foreign.ts";

/** Far beyond any real answer: what an upstream can make us keep is bounded. */
const mostItems = 4096;
const mostParts = 1024;

interface SaidPart {
  readonly block: number;
  readonly kind: "text" | "refusal";
  said: boolean;
  open: boolean;
}

interface MessageItem {
  readonly kind: "message";
  readonly parts: Map<unknown, SaidPart>;
}

interface ThoughtItem {
  readonly kind: "reasoning";
  readonly block: number;
  /** Pieces of the thought that have been told, by their place: `summary 0`, `text 1`. */
  readonly told: Set<string>;
  last?: string;
}

interface CallItem {
  readonly kind: "call";
  readonly block: number;
  started: boolean;
  said: boolean;
}

type Item = (MessageItem | ThoughtItem | CallItem | { readonly kind: "foreign" }) & { done: boolean };

/**
 * Output items of one answer as events. Items are told apart by their place, since some gateways change their ids from
 * event to event (recorded at GitHub Copilot, 2026). What was not streamed is taken from the `done` events, for
 * servers that send only those (LM Studio's arguments).
 */
export class ItemReader {
  readonly #items = new Map<unknown, Item>();
  #blocks = 0;
  #sawCall = false;

  get sawCall(): boolean {
    return this.#sawCall;
  }

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** A call that nobody can run, because it never got a name. */
  get hasNamelessCall(): boolean {
    return this.#items.values().some((item) => item.kind === "call" && !item.started);
  }

  /** False where a bound was passed. */
  add(at: unknown, item: JsonObject, events: AnswerEvent[]): boolean {
    if (this.#items.has(at)) return true;
    if (this.#items.size >= mostItems) return false;
    switch (item["type"]) {
      case "message":
        this.#items.set(at, { kind: "message", parts: new Map(), done: false });
        return true;
      case "reasoning": {
        const block = this.#blocks++;
        const { id } = item;
        this.#items.set(at, { kind: "reasoning", block, told: new Set(), done: false });
        events.push({ kind: "reasoning-start", block, ...(typeof id === "string" && id !== "" ? { id } : {}) });
        return true;
      }
      case "function_call": {
        const call: CallItem & { done: boolean } = {
          kind: "call",
          block: this.#blocks++,
          started: false,
          said: false,
          done: false,
        };
        this.#items.set(at, call);
        this.#startCall(call, item, events);
        return true;
      }
      default: {
        this.#items.set(at, { kind: "foreign", done: false });
        const type = typeof item["type"] === "string" ? item["type"] : "item";
        events.push({ kind: "foreign", what: foreignName(type), payload: item, content: true });
        return true;
      }
    }
  }

  /** The item as it stands at its end. */
  finish(at: unknown, whole: JsonObject, events: AnswerEvent[]): boolean {
    if (!this.add(at, whole, events)) return false;
    const item = this.#items.get(at);
    if (item === undefined || item.done) return true;
    let bounded = true;
    switch (item.kind) {
      case "message":
        bounded = this.#finishMessage(item, whole, events);
        break;
      case "reasoning":
        this.#finishThought(item, whole, events);
        break;
      case "call":
        this.#startCall(item, whole, events);
        this.#arguments(item, whole["arguments"], events);
        break;
      case "foreign":
    }
    this.#close(item, events);
    return bounded;
  }

  /** Text or refusal of a message; `whole` text counts only where nothing of it was streamed. */
  say(
    at: { readonly item: unknown; readonly part: unknown; readonly kind: SaidPart["kind"] },
    piece: { readonly text: string; readonly whole: boolean; readonly logprobs?: unknown },
    events: AnswerEvent[],
  ): boolean {
    const item = this.#items.get(at.item) ?? this.#added(at.item, "message", events);
    if (item?.kind !== "message" || item.done) return item !== undefined;
    const part = item.parts.get(at.part) ?? this.#openPart(item, at, events);
    if (part === undefined) return false;
    if (piece.text === "" || (piece.whole && part.said) || !part.open) return true;
    part.said = true;
    if (part.kind === "refusal") events.push({ kind: "refusal-delta", text: piece.text });
    else events.push({ kind: "text-delta", block: part.block, text: piece.text, ...wrapped(piece.logprobs) });
    return true;
  }

  endPart(at: unknown, partAt: unknown, events: AnswerEvent[]): void {
    const item = this.#items.get(at);
    const part = item?.kind === "message" ? item.parts.get(partAt) : undefined;
    if (part !== undefined) closePart(part, events);
  }

  /** A piece of a thought: `section` is its place among summaries or texts. */
  think(
    at: { readonly item: unknown; readonly section: string },
    piece: { readonly text: string; readonly whole: boolean },
    events: AnswerEvent[],
  ): boolean {
    const item = this.#items.get(at.item) ?? this.#added(at.item, "reasoning", events);
    if (item?.kind !== "reasoning" || item.done) return item !== undefined;
    this.#tell(item, at.section, { ...piece, events });
    return item.told.size <= mostParts;
  }

  callArguments(at: unknown, piece: { readonly json: unknown; readonly whole: boolean }, events: AnswerEvent[]): void {
    const item = this.#items.get(at);
    if (item?.kind !== "call" || item.done || typeof piece.json !== "string") return;
    if (piece.whole) {
      this.#arguments(item, piece.json, events);
    } else if (piece.json !== "" && item.started) {
      item.said = true;
      events.push({ kind: "tool-delta", block: item.block, json: piece.json });
    }
  }

  /** Ends what is still open, as it stands. */
  closeAll(events: AnswerEvent[]): void {
    for (const item of this.#items.values()) this.#close(item, events);
  }

  #added(at: unknown, type: string, events: AnswerEvent[]): Item | undefined {
    return this.add(at, { type }, events) ? this.#items.get(at) : undefined;
  }

  #openPart(
    item: MessageItem,
    at: { readonly part: unknown; readonly kind: SaidPart["kind"] },
    events: AnswerEvent[],
  ): SaidPart | undefined {
    if (item.parts.size >= mostParts) return undefined;
    const part: SaidPart = { block: at.kind === "text" ? this.#blocks++ : -1, kind: at.kind, said: false, open: true };
    item.parts.set(at.part, part);
    if (at.kind === "text") events.push({ kind: "text-start", block: part.block });
    return part;
  }

  #finishMessage(item: MessageItem & { done: boolean }, whole: JsonObject, events: AnswerEvent[]): boolean {
    const content: readonly unknown[] = Array.isArray(whole["content"]) ? whole["content"] : [];
    let bounded = true;
    for (const [index, part] of content.entries()) {
      if (!isObject(part)) continue;
      const kind = part["type"] === "refusal" ? "refusal" : "text";
      const text = part[kind];
      if (typeof text !== "string") {
        events.push({ kind: "foreign", what: foreignName("content part"), payload: part, content: true });
        continue;
      }
      const known = item.parts.get(index) ?? this.#openPart(item, { part: index, kind }, events);
      bounded &&= known !== undefined;
      if (known === undefined || known.said || text === "" || !known.open) continue;
      known.said = true;
      if (kind === "refusal") events.push({ kind: "refusal-delta", text });
      else events.push({ kind: "text-delta", block: known.block, text, ...wrapped(part["logprobs"]) });
      events.push(...annotationsOf(part));
    }
    return bounded;
  }

  #finishThought(item: ThoughtItem, whole: JsonObject, events: AnswerEvent[]): void {
    for (const [section, list] of [
      ["summary", whole["summary"]],
      ["text", whole["content"]],
    ] as const) {
      const parts: readonly unknown[] = Array.isArray(list) ? list.slice(0, mostParts) : [];
      for (const [index, part] of parts.entries()) {
        const text = isObject(part) ? part["text"] : undefined;
        if (typeof text === "string") this.#tell(item, `${section} ${index}`, { text, whole: true, events });
      }
    }
    const sealed = whole["encrypted_content"];
    if (typeof sealed === "string" && sealed !== "") {
      events.push({ kind: "reasoning-signature", block: item.block, signature: sealed });
    }
  }

  #tell(
    item: ThoughtItem,
    section: string,
    { text, whole, events }: { readonly text: string; readonly whole: boolean; readonly events: AnswerEvent[] },
  ): void {
    if (text === "" || (whole && item.told.has(section))) return;
    // Parts of a summary are paragraphs.
    const gap = item.last === undefined || item.last === section ? "" : "\n\n";
    item.told.add(section);
    item.last = section;
    events.push({ kind: "reasoning-delta", block: item.block, text: gap + text });
  }

  #startCall(call: CallItem, item: JsonObject, events: AnswerEvent[]): void {
    const { call_id: callId, id, name } = item;
    if (call.started || typeof name !== "string" || name === "") return;
    const word = [callId, id].find((each): each is string => typeof each === "string" && each !== "");
    call.started = true;
    this.#sawCall = true;
    events.push({ kind: "tool-start", block: call.block, id: word ?? `call_${call.block}`, name });
  }

  /** The whole arguments, where none were streamed. */
  #arguments(call: CallItem, json: unknown, events: AnswerEvent[]): void {
    if (typeof json !== "string" || json === "" || call.said || !call.started) return;
    call.said = true;
    events.push({ kind: "tool-delta", block: call.block, json });
  }

  #close(item: Item, events: AnswerEvent[]): void {
    if (item.done) return;
    item.done = true;
    if (item.kind === "message") for (const part of item.parts.values()) closePart(part, events);
    if (item.kind === "reasoning") events.push({ kind: "reasoning-end", block: item.block });
    if (item.kind === "call" && item.started) events.push({ kind: "tool-end", block: item.block });
  }
}

function closePart(part: SaidPart, events: AnswerEvent[]): void {
  if (part.open && part.kind === "text") events.push({ kind: "text-end", block: part.block });
  part.open = false;
}

/** In Chat's wrapper, which is the hub's. */
function wrapped(logprobs: unknown): { readonly logprobs?: unknown } {
  return Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs: { content: logprobs, refusal: null } } : {};
}

function annotationsOf(part: JsonObject): readonly AnswerEvent[] {
  const { annotations } = part;
  if (!Array.isArray(annotations) || annotations.length === 0) return [];
  return [{ kind: "foreign", what: foreignName("annotations"), payload: annotations }];
}
