import type { AnswerEvent } from "#domain/answer";
import { isObject, jsonText, type JsonObject } from "#dialects/shape";
import { madeCallId } from "./call-ids.ts";
import { foreignName } from "./own-foreign.ts";
import { PartialArguments } from "./partial-arguments.ts";

type OpenBlock =
  | { readonly kind: "text" | "reasoning"; readonly block: number }
  | { readonly kind: "tool"; readonly block: number; readonly pieces: PartialArguments };

/**
 * The parts of an answer as blocks. Text goes on in the block before it, chunk after chunk; a signature hangs on the
 * very part it came with, so a signed part is a block of its own and goes back as one.
 */
export class PartReader {
  readonly #answerId: () => string;
  readonly #ids = new Set<string>();
  #open: OpenBlock | undefined;
  #blocks = 0;
  #calls = 0;
  /** Calls by name that nobody answered yet: the provider runs some itself and shows their results. */
  readonly #waiting: string[] = [];

  constructor(answerId: () => string) {
    this.#answerId = answerId;
  }

  /** The caller is to run tools. */
  get callsTools(): boolean {
    return this.#waiting.length > 0;
  }

  /** Adds the part's events; what is wrong with it in words, or undefined. `exactArgs`: with the digits as they came. */
  read(part: JsonObject, exactArgs: unknown, events: AnswerEvent[]): string | undefined {
    const call = part["functionCall"];
    const signature = typeof part["thoughtSignature"] === "string" ? part["thoughtSignature"] : "";
    if (isObject(call)) return this.#call(call, { signature, exactArgs }, events);
    const { text } = part;
    if (typeof text === "string") {
      if (part["thought"] === true) this.#thought(text, signature, events);
      else this.#text(text, signature, events);
      return undefined;
    }
    this.#foreign(part, signature, events);
    return undefined;
  }

  /** Ends what is still open: the answer is over. */
  close(events: AnswerEvent[]): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    if (open.kind === "tool") {
      const json = open.pieces.json();
      if (json !== "{}") events.push({ kind: "tool-delta", block: open.block, json });
    }
    events.push({ kind: `${open.kind}-end`, block: open.block });
  }

  #text(text: string, signature: string, events: AnswerEvent[]): void {
    if (text === "" && signature === "") return;
    const block = this.#blockOf("text", signature !== "", events);
    if (text !== "") events.push({ kind: "text-delta", block, text });
    if (signature === "") return;
    events.push({ kind: "text-signature", block, signature });
    this.close(events);
  }

  #thought(text: string, signature: string, events: AnswerEvent[]): void {
    if (text === "" && signature === "") return;
    // A thought's signature closes it: what was thought before in this block is what it signs.
    const block = this.#blockOf("reasoning", false, events);
    if (text !== "") events.push({ kind: "reasoning-delta", block, text });
    if (signature === "") return;
    events.push({ kind: "reasoning-signature", block, signature });
    this.close(events);
  }

  #blockOf(kind: "text" | "reasoning", fresh: boolean, events: AnswerEvent[]): number {
    if (this.#open?.kind === kind && !fresh) return this.#open.block;
    this.close(events);
    const block = this.#nextBlock();
    this.#open = { kind, block };
    events.push({ kind: `${kind}-start`, block });
    return block;
  }

  #call(call: JsonObject, more: CallFacts, events: AnswerEvent[]): string | undefined {
    const { name, args, willContinue, partialArgs } = call;
    if (typeof name !== "string" || name === "") return this.#goOn(call, events);
    this.close(events);
    const block = this.#nextBlock();
    this.#waiting.push(name);
    events.push({ kind: "tool-start", block, id: this.#idOf(call["id"]), name });
    if (more.signature !== "") events.push({ kind: "tool-signature", block, signature: more.signature });
    const pieces = new PartialArguments();
    if (!pieces.add(partialArgs)) return "a piece of a call's arguments fits nowhere";
    this.#open = { kind: "tool", block, pieces };
    if (willContinue === true) return undefined;
    if (isObject(args) && Object.keys(args).length > 0) {
      const json = jsonText(isObject(more.exactArgs) ? more.exactArgs : args);
      if (json === undefined) return "a call's arguments are nested too deep";
      events.push({ kind: "tool-delta", block, json });
    }
    this.close(events);
    return undefined;
  }

  /** A call without a name goes on with the one before it; an empty one only ends it. */
  #goOn(call: JsonObject, events: AnswerEvent[]): string | undefined {
    if (this.#open?.kind !== "tool") {
      return Object.keys(call).length === 0 ? undefined : "a call goes on that did not begin";
    }
    if (!this.#open.pieces.add(call["partialArgs"])) return "a piece of a call's arguments fits nowhere";
    if (call["willContinue"] !== true) this.close(events);
    // Arguments are given when they are whole: until then there is only a sign of life.
    else events.push({ kind: "ping" });
    return undefined;
  }

  /** Pictures, code and its output, tools the provider ran, and what is yet to come. */
  #foreign(part: JsonObject, signature: string, events: AnswerEvent[]): void {
    const { functionResponse } = part;
    if (isObject(functionResponse)) {
      const at = this.#waiting.indexOf(String(functionResponse["name"]));
      if (at !== -1) this.#waiting.splice(at, 1);
    }
    const what = Object.keys(part).find((key) => !aside.has(key));
    if (what !== undefined) {
      this.close(events);
      events.push({ kind: "foreign", what: foreignName(what), payload: part, content: true });
    } else if (signature !== "") {
      // A signature on nothing stands where an empty text would.
      this.#text("", signature, events);
    }
  }

  #idOf(given: unknown): string {
    const place = this.#calls;
    this.#calls += 1;
    const own = typeof given === "string" && given !== "" && !this.#ids.has(given);
    const id = own ? given : madeCallId(this.#answerId(), place);
    this.#ids.add(id);
    return id;
  }

  #nextBlock(): number {
    const block = this.#blocks;
    this.#blocks += 1;
    return block;
  }
}

interface CallFacts {
  readonly signature: string;
  readonly exactArgs: unknown;
}

/** Fields beside a part's content. */
const aside: ReadonlySet<string> = new Set([
  "thought",
  "thoughtSignature",
  "videoMetadata",
  "partMetadata",
  "mediaResolution",
]);
