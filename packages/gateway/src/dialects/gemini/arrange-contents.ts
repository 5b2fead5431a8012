import type { Part, Seal, TextPart, ToolCallPart, ToolResultPart, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { isMadeCallId } from "./call-ids.ts";
import type { LossLedger } from "./losses.ts";
import { generationOf } from "./model-generation.ts";
import { isOwnForeign } from "./own-foreign.ts";
import { uncheckedSignature } from "./seal-tag.ts";

/** Turns as Gemini wants them: instructions apart, roles alternating, the user first, each call answered in the next. */
export interface Conversation {
  readonly instructions: readonly TextPart[];
  readonly contents: readonly Content[];
}

export interface Content {
  readonly role: "user" | "model";
  readonly parts: readonly ArrangedPart[];
}

export type ArrangedPart = Exclude<Part, ToolCallPart | ToolResultPart> | ArrangedCall | ArrangedResult;

export interface ArrangedCall {
  readonly kind: "call";
  readonly call: ToolCallPart;
  /** The vendor's own id; absent where we or another vendor made it. */
  readonly id?: string;
  readonly signature?: string;
}

export interface ArrangedResult {
  readonly kind: "result";
  readonly name: string;
  readonly id?: string;
  /** Absent where the caller's history has none. */
  readonly result?: ToolResultPart;
}

const openingTurn = "(The conversation begins with the assistant's turn.)";

interface Draft {
  readonly role: "user" | "model";
  readonly parts: Part[];
}

export function arrangeContents(turns: readonly Turn[], target: EncodeTarget, ledger: LossLedger): Conversation {
  return new Arranger(target, ledger).arrange(turns);
}

class Arranger {
  readonly #issuer: string;
  readonly #takesInstructions: boolean;
  readonly #signsCalls: boolean;
  readonly #ledger: LossLedger;

  constructor(target: EncodeTarget, ledger: LossLedger) {
    const { system, signsCalls } = generationOf(target.model);
    this.#issuer = target.issuer;
    this.#takesInstructions = system;
    this.#signsCalls = signsCalls;
    this.#ledger = ledger;
  }

  arrange(turns: readonly Turn[]): Conversation {
    if (turns.some((turn) => turn.name !== undefined)) this.#ledger.note("participant-name");
    const firstOther = turns.findIndex((turn) => turn.role !== "system");
    const leading = firstOther === -1 ? turns : turns.slice(0, firstOther);
    const instructions = leading.flatMap((turn) => this.#systemText(turn));
    const drafts = this.#drafts(firstOther === -1 ? [] : turns.slice(firstOther));
    if (drafts.length === 0) {
      this.#ledger.note(instructions.length === 0 ? "nothing-to-ask" : "system-only");
      return { instructions: [], contents: [{ role: "user", parts: instructions }] };
    }
    const folded = !this.#takesInstructions && instructions.length > 0;
    if (folded) this.#ledger.note("system-folded");
    if (drafts[0]?.role === "model") {
      if (!folded) this.#ledger.note("assistant-first");
      drafts.unshift({ role: "user", parts: folded ? [] : [{ kind: "text", text: openingTurn }] });
    }
    if (folded) drafts[0]?.parts.unshift(...instructions);
    return { instructions: folded ? [] : instructions, contents: this.#answered(drafts) };
  }

  /** Turns of one role are joined, what says nothing or only another vendor could read is left out. */
  #drafts(turns: readonly Turn[]): Draft[] {
    const drafts: Draft[] = [];
    for (const turn of turns) {
      const role = turn.role === "assistant" ? "model" : "user";
      const parts =
        turn.role === "system" ? this.#markedSystem(turn) : turn.parts.flatMap((part) => this.#sift(part, role));
      const last = drafts.at(-1);
      if (parts.length === 0) continue;
      if (last?.role === role) last.parts.push(...parts);
      else drafts.push({ role, parts: [...parts] });
    }
    return drafts;
  }

  #systemText(turn: Turn): readonly TextPart[] {
    return turn.parts.flatMap((part) => {
      if (part.kind === "text") return this.#ownText(part);
      this.#ledger.note("system-part", part.kind === "foreign" ? part.what : part.kind);
      return [];
    });
  }

  #markedSystem(turn: Turn): readonly TextPart[] {
    const parts = this.#systemText(turn);
    if (parts.length > 0) this.#ledger.note("system-inside");
    return parts.map(marked);
  }

  #sift(part: Part, role: Draft["role"]): readonly Part[] {
    if (part.kind === (role === "model" ? "tool-result" : "tool-call")) {
      this.#ledger.note("foreign-part", `a ${part.kind} in the wrong turn`);
      return [];
    }
    switch (part.kind) {
      case "text":
        return this.#ownText(part);
      case "refusal":
        return part.text === "" ? [] : [part];
      case "reasoning":
        // Without a signature nobody knows whose thought it is, and Gemini does not ask for its own back.
        return part.seal !== undefined && this.#isOwn(part.seal) ? [part] : this.#foreignThought();
      case "foreign":
        if (isOwnForeign(part.what) || role === "user" || part.needed === true) return [part];
        this.#ledger.note("foreign-history", part.what);
        return [];
      default:
        return [part];
    }
  }

  #ownText(part: TextPart): readonly TextPart[] {
    const { seal, ...bare } = part;
    const text = seal === undefined || this.#isOwn(seal) ? part : bare;
    return this.#isEmpty(text) ? [] : [text];
  }

  #foreignThought(): readonly Part[] {
    this.#ledger.note("foreign-reasoning");
    return [];
  }

  #isOwn(seal: Seal): boolean {
    if (seal.issuer === this.#issuer && seal.form === "signature") return true;
    this.#ledger.note("foreign-reasoning");
    return false;
  }

  /** An empty text says nothing, unless a signature hangs on it. */
  #isEmpty(part: TextPart): boolean {
    if (part.text !== "" || part.seal !== undefined) return false;
    if (part.cache !== undefined) this.#ledger.note("cache-markers");
    return true;
  }

  /** All results of a turn's calls stand in the next turn, in the order of the calls and before all else. */
  #answered(drafts: readonly Draft[]): readonly Content[] {
    const contents: Content[] = [];
    let open: readonly ArrangedCall[] = [];
    for (const { role, parts } of drafts) {
      if (role === "model") {
        open = this.#calls(parts.filter((part) => part.kind === "tool-call"));
        contents.push({ role, parts: replaced(parts, open) });
      } else {
        const given = parts.filter((part) => part.kind === "tool-result");
        const rest = parts.filter((part) => part.kind !== "tool-result" && part.kind !== "tool-call");
        contents.push({ role, parts: [...this.#results(open, given), ...rest] });
        open = [];
      }
    }
    return open.length === 0 ? contents : [...contents, { role: "user", parts: this.#results(open, []) }];
  }

  #calls(calls: readonly ToolCallPart[]): readonly ArrangedCall[] {
    const signatures = calls.map(({ seal }) => (seal !== undefined && this.#isOwn(seal) ? seal.value : undefined));
    // Ids beside a signature are Google's own; others mean nothing to it, and Vertex's older versions refuse them.
    const ownIds = signatures.some((signature) => signature !== undefined);
    return calls.map((call, index) => {
      let signature = signatures[index];
      if (signature === undefined && index === 0 && this.#signsCalls) {
        this.#ledger.note("unsigned-call");
        signature = uncheckedSignature;
      }
      return {
        kind: "call",
        call,
        ...(ownIds && !isMadeCallId(call.id) ? { id: call.id } : {}),
        ...(signature === undefined ? {} : { signature }),
      };
    });
  }

  #results(calls: readonly ArrangedCall[], given: readonly ToolResultPart[]): readonly ArrangedResult[] {
    // Of several results of one call the first comes last here, where it is taken.
    const waiting = Map.groupBy(given.toReversed(), ({ callId }) => callId);
    const taken = new Set<ToolResultPart>();
    const results = calls.map(({ call, id }): ArrangedResult => {
      const result = waiting.get(call.id)?.pop();
      if (result === undefined) this.#ledger.note("unanswered-call", call.name);
      else taken.add(result);
      return {
        kind: "result",
        name: call.name,
        ...(id === undefined ? {} : { id }),
        ...(result === undefined ? {} : { result }),
      };
    });
    for (const each of given) if (!taken.has(each)) this.#ledger.note("orphan-result", each.callId);
    return results;
  }
}

function marked(part: TextPart): TextPart {
  return { ...part, text: `<system>\n${part.text}\n</system>` };
}

function replaced(parts: readonly Part[], calls: readonly ArrangedCall[]): readonly ArrangedPart[] {
  const arranged = new Map(calls.map((each) => [each.call, each] as const));
  return parts.flatMap((part): readonly ArrangedPart[] => {
    if (part.kind === "tool-result") return [];
    if (part.kind !== "tool-call") return [part];
    const call = arranged.get(part);
    return call === undefined ? [] : [call];
  });
}
