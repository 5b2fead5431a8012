import type { AnswerEvent } from "#domain/answer";
import { isObject, jsonText, type JsonObject } from "#dialects/shape";

/** Far beyond any real answer (OpenAI's SDK takes 128): what an upstream can make us keep is bounded. */
const mostCalls = 512;
const mostEarlyCharacters = 64 * 1024;

interface OpenCall {
  readonly block: number;
  id: string;
  name: string;
  started: boolean;
  /** Arguments that came before the name did. */
  early: string;
  /** Google's `thought_signature`, given on as soon as the call is. */
  signature: string;
  signed: boolean;
}

/**
 * Puts the pieces of tool calls together, whatever an upstream leaves out: `index` (Mistral), `type`, the name at first,
 * or the one index per call (several send every parallel call as index 0, told apart by id).
 */
export class ToolCallReader {
  readonly #calls: OpenCall[] = [];
  readonly #byIndex = new Map<number, OpenCall>();
  /** Ids that were given on. */
  readonly #told = new Set<string>();
  /** Calls that the list being read has spoken of. */
  readonly #touched = new Set<OpenCall>();
  #last: OpenCall | undefined;
  readonly #nextBlock: () => number;

  constructor(nextBlock: () => number) {
    this.#nextBlock = nextBlock;
  }

  get seen(): boolean {
    return this.#calls.some((call) => call.started);
  }

  /** Reads one entry of `delta.tool_calls`, or a legacy `function_call` as one. False where a bound was passed. */
  read(entry: JsonObject, position: number, events: AnswerEvent[]): boolean {
    if (entry["type"] === "custom" || isObject(entry["custom"])) {
      events.push({ kind: "foreign", what: "custom tool call", payload: entry, content: true });
      return true;
    }
    const called = isObject(entry["function"]) ? entry["function"] : {};
    const id = typeof entry["id"] === "string" ? entry["id"] : "";
    const name = typeof called["name"] === "string" ? called["name"] : "";
    const json = argumentsText(called["arguments"]);
    if (json === undefined) return false;
    if (position === 0) this.#touched.clear();
    const found = this.#find(entry["index"], { id, name, position });
    // One list holds each call once, whatever ids an upstream gives.
    const isAnother =
      typeof entry["index"] !== "number" && name !== "" && found !== undefined && this.#touched.has(found);
    const call = isAnother ? undefined : found;
    // A trailing entry that says nothing opens no call.
    if (call === undefined && id === "" && name === "" && json === "") return true;
    this.#last = call ?? this.#open(entry["index"]);
    this.#touched.add(this.#last);
    this.#extend(this.#last, { id, name, json }, events);
    this.#sign(this.#last, readSignature(entry["extra_content"]) ?? "", events);
    return this.#calls.length <= mostCalls && this.#last.early.length <= mostEarlyCharacters;
  }

  /** Ends all calls; false where a call with arguments never got a name, which nobody can run. */
  close(answerId: string, events: AnswerEvent[]): boolean {
    for (const call of this.#calls) {
      if (!call.started && call.name === "") {
        if (call.early !== "") return false;
        continue;
      }
      if (!call.started) this.#start(call, answerId, events);
      this.#sign(call, "", events);
      events.push({ kind: "tool-end", block: call.block });
    }
    return true;
  }

  #find(
    index: unknown,
    of: { readonly id: string; readonly name: string; readonly position: number },
  ): OpenCall | undefined {
    if (typeof index === "number") {
      const call = this.#byIndex.get(index);
      const isAnother = call !== undefined && call.name !== "" && of.name !== "" && of.id !== "" && call.id !== of.id;
      return isAnother ? this.#calls.find((other) => other.id === of.id) : call;
    }
    if (of.id !== "") return this.#calls.find((call) => call.id === of.id);
    return of.name === "" ? (this.#calls[of.position] ?? this.#last) : undefined;
  }

  #open(index: unknown): OpenCall {
    const call: OpenCall = {
      block: this.#nextBlock(),
      id: "",
      name: "",
      started: false,
      early: "",
      signature: "",
      signed: false,
    };
    this.#calls.push(call);
    if (typeof index === "number") this.#byIndex.set(index, call);
    return call;
  }

  #extend(
    call: OpenCall,
    piece: { readonly id: string; readonly name: string; readonly json: string },
    events: AnswerEvent[],
  ): void {
    if (call.id === "") call.id = piece.id;
    if (call.name === "") call.name = piece.name;
    if (call.started) {
      if (piece.json !== "") events.push({ kind: "tool-delta", block: call.block, json: piece.json });
      return;
    }
    call.early += piece.json;
    if (call.name !== "" && call.id !== "") this.#start(call, "", events);
  }

  #sign(call: OpenCall, signature: string, events: AnswerEvent[]): void {
    if (call.signature === "") call.signature = signature;
    if (call.signature === "" || call.signed || !call.started) return;
    call.signed = true;
    events.push({ kind: "tool-signature", block: call.block, signature: call.signature });
  }

  #start(call: OpenCall, answerId: string, events: AnswerEvent[]): void {
    call.started = true;
    if (call.id === "") call.id = `call_${answerId.replace(/[^A-Za-z0-9]/gu, "").slice(-24)}_${call.block}`;
    // A result names its call by the id alone: two calls under one id would be one.
    const id = this.#told.has(call.id) ? `${call.id}_${call.block}` : call.id;
    this.#told.add(id);
    events.push({ kind: "tool-start", block: call.block, id, name: call.name });
    if (call.early !== "") events.push({ kind: "tool-delta", block: call.block, json: call.early });
    call.early = "";
  }
}

/** The first vendor's, whoever it is: one answer is one vendor's. */
function readSignature(extra: unknown): string | undefined {
  const own = isObject(extra) ? Object.values(extra).find(isSigned) : undefined;
  return own?.thought_signature;
}

/** What hangs on a tool call under its vendor's name (https://ai.google.dev/gemini-api/docs/thought-signatures). */
export function isSigned(value: unknown): value is { readonly thought_signature: string } {
  return isObject(value) && typeof value["thought_signature"] === "string" && value["thought_signature"] !== "";
}

/** JSON text; some compatible servers send the object itself. */
function argumentsText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (Array.isArray(value) || isObject(value)) return jsonText(value);
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
