import type { AnswerEvent } from "#domain/answer";
import type { Memory } from "#domain/ports";
import type { GenerateRequest, Part, ReasoningPart, Seal, ToolCallPart, Turn } from "#domain/request";
import { callKey, sealKey } from "./thought-keys.ts";

/** How long a tool may take, and how long a person may leave an agent alone. */
const ttlMs = 3 * 24 * 60 * 60 * 1000;
/** Calls and seals of one request that are looked up, the latest first: what lies further back nobody insists on. */
const maxLookups = 64;
/** Thoughts of one answer, and arguments, beyond this are not kept: no model writes so many. */
const maxKeptLength = 4 * 1024 * 1024;

interface KeptThought {
  readonly reasoning: readonly ReasoningPart[];
  /** How many of them came before the text in front of the call: some providers refuse a turn that begins otherwise. */
  readonly leading?: number;
  readonly seal?: Seal;
}

/**
 * Gathers the sealed thoughts of an answer under the tool call they led to. Callers of many languages keep a call's id,
 * name and arguments and nothing else; without its thoughts the next turn is a 400 at some providers (protocols §0.5).
 */
export class ThoughtCollector {
  readonly #issuer: string;
  /** By the call's block. */
  readonly #kept = new Map<number, KeptThought>();
  readonly #thoughts = new Map<number, { text: string; seal?: Seal; id?: string; readonly leading: boolean }>();
  readonly #calls = new Map<number, { readonly id: string; readonly name: string; argumentsJson: string }>();
  #length = 0;
  /** Text was said since the last call. */
  #spoke = false;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  see(event: AnswerEvent): void {
    if (this.#length > maxKeptLength) return this.#giveUp();
    switch (event.kind) {
      case "reasoning-start":
        this.#length += event.redacted?.length ?? 0;
        this.#thoughts.set(event.block, {
          text: "",
          leading: !this.#spoke,
          ...(event.id === undefined ? {} : { id: event.id }),
          ...(event.redacted === undefined ? {} : { seal: this.#seal("redacted", event.redacted, event.id) }),
        });
        return;
      case "reasoning-delta": {
        const thought = this.#thoughts.get(event.block);
        this.#length += event.text.length;
        if (thought !== undefined && this.#length <= maxKeptLength) thought.text += event.text;
        return;
      }
      case "reasoning-signature": {
        const thought = this.#thoughts.get(event.block);
        this.#length += event.signature.length;
        if (thought !== undefined) thought.seal = this.#seal("signature", event.signature, thought.id);
        return;
      }
      case "text-delta":
        this.#spoke ||= event.text !== "";
        return;
      case "tool-start":
        this.#calls.set(event.block, { id: event.id, name: event.name, argumentsJson: "" });
        this.#called(event.block);
        return;
      case "tool-delta": {
        const call = this.#calls.get(event.block);
        this.#length += event.json.length;
        if (call !== undefined && this.#length <= maxKeptLength) call.argumentsJson += event.json;
        return;
      }
      case "tool-signature": {
        this.#length += event.signature.length;
        const kept = this.#kept.get(event.block) ?? { reasoning: [] };
        this.#kept.set(event.block, { ...kept, seal: this.#seal("signature", event.signature) });
        return;
      }
      default:
    }
  }

  /** Before the caller can know of the call: a next turn may follow at once. */
  keep(memory: Memory, owner: string): void {
    if (this.#length > maxKeptLength) return;
    const put = (id: string, kept: KeptThought): void => {
      memory.put({ space: "thought", owner, id }, JSON.stringify(kept), ttlMs);
    };
    for (const [block, kept] of this.#kept) {
      const call = this.#calls.get(block);
      if (call !== undefined) put(callKey(call), kept);
    }
    // Thoughts that led to no call are known by their seal, where a caller brings no more of them than that.
    for (const { text, seal } of this.#thoughts.values()) {
      if (seal !== undefined) put(sealKey(seal), { reasoning: [{ kind: "reasoning", text, seal }] });
    }
  }

  /** What is too long to keep is not held either. */
  #giveUp(): void {
    this.#kept.clear();
    this.#thoughts.clear();
    this.#calls.clear();
  }

  #called(block: number): void {
    const reasoning: ReasoningPart[] = [];
    let leading = 0;
    for (const thought of this.#thoughts.values()) {
      if (thought.seal === undefined) continue;
      reasoning.push({ kind: "reasoning", text: thought.text, seal: thought.seal });
      if (thought.leading) leading += 1;
    }
    this.#thoughts.clear();
    this.#spoke = false;
    if (reasoning.length > 0) this.#kept.set(block, { reasoning, leading });
  }

  #seal(form: Seal["form"], value: string, id?: string): Seal {
    return { issuer: this.#issuer, form, value, ...(id === undefined ? {} : { id }) };
  }
}

/**
 * The request with the thoughts its caller could not carry, each before the call it led to. What the caller brought of
 * the same thoughts is replaced, because it may be a torn piece: OpenAI's stream helper keeps the last delta of fields it
 * does not know. What it brought of others stays as it is, and each encoder sends a seal to its issuer only.
 */
export function withThoughts(request: GenerateRequest, memory: Memory, owner: string): GenerateRequest {
  let left = maxLookups;
  let changed = false;
  const turns: Turn[] = [];
  for (const turn of request.turns.toReversed()) {
    const look = (id: string | undefined): KeptThought | undefined => {
      if (id === undefined || left <= 0) return undefined;
      left -= 1;
      return find(memory, owner, id);
    };
    const made = turn.role === "assistant" ? restored(turn, look) : turn;
    changed ||= made !== turn;
    turns.push(made);
  }
  return changed ? { ...request, turns: turns.toReversed() } : request;
}

type Look = (id: string | undefined) => KeptThought | undefined;

function restored(turn: Turn, look: Look): Turn {
  const found = turn.parts.map((part) => look(isBareCall(part) ? callKey(part) : undefined));
  if (found.some((kept) => kept !== undefined) && bringsNoOther(turn, found)) return completed(turn, found);
  let changed = false;
  const parts = turn.parts.map((part) => {
    const sealed = part.kind === "reasoning" ? part.seal : undefined;
    const [whole] = look(sealed === undefined ? undefined : sealKey(sealed))?.reasoning ?? [];
    if (whole?.seal?.value !== sealed?.value) return part;
    changed ||= whole !== undefined;
    return whole ?? part;
  });
  return changed ? { ...turn, parts } : turn;
}

/** Every seal the caller brought is one that was kept. */
function bringsNoOther({ parts }: Turn, found: readonly (KeptThought | undefined)[]): boolean {
  const kept = new Set(found.flatMap((each) => each?.reasoning ?? []).map(({ seal }) => seal?.value));
  return parts.every((part) => part.kind !== "reasoning" || part.seal === undefined || kept.has(part.seal.value));
}

/** What the caller kept of the thoughts, their visible text, would otherwise stand there twice. */
function completed(turn: Turn, found: readonly (KeptThought | undefined)[]): Turn {
  const parts: Part[] = [];
  /** Where the text in front of the next call begins. */
  let textFrom = 0;
  for (const [at, part] of turn.parts.entries()) {
    const kept = found[at];
    if (kept !== undefined) {
      const { reasoning, leading = 0 } = kept;
      parts.splice(textFrom, 0, ...reasoning.slice(0, leading));
      parts.push(...reasoning.slice(leading));
      parts.push(kept.seal === undefined ? part : { ...(part as ToolCallPart), seal: kept.seal });
    } else if (part.kind !== "reasoning") parts.push(part);
    if (part.kind === "tool-call") textFrom = parts.length;
  }
  return { ...turn, parts };
}

function isBareCall(part: Part): part is ToolCallPart {
  return part.kind === "tool-call" && part.seal === undefined;
}

function find(memory: Memory, owner: string, id: string): KeptThought | undefined {
  const value = memory.get({ space: "thought", owner, id });
  return value === undefined ? undefined : (JSON.parse(value) as KeptThought);
}
