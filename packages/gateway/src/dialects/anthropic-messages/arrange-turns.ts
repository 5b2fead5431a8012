import type { Part, TextPart, Turn } from "#domain/request";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign } from "./own-foreign.ts";

/** Turns as the Messages API wants them: system apart, roles alternating, the user first. */
export interface Conversation {
  readonly system: readonly TextPart[];
  readonly turns: readonly ArrangedTurn[];
}

export interface ArrangedTurn {
  readonly role: "user" | "assistant";
  readonly parts: readonly Part[];
}

interface Draft {
  readonly role: "user" | "assistant";
  readonly parts: Part[];
}

const openingTurn = "(The conversation begins with the assistant's turn.)";

/**
 * Leading system turns become `system`; later ones are folded into the user's turn in place, marked (only the newest
 * models take the role inside `messages`). Empty text is left out, turns of one role are merged, tool results come
 * first in theirs, and the white space a last assistant turn may not end with is cut.
 */
export function arrangeTurns(turns: readonly Turn[], issuer: string, ledger: LossLedger): Conversation {
  const firstOther = turns.findIndex((turn) => turn.role !== "system");
  const leading = firstOther === -1 ? turns : turns.slice(0, firstOther);
  if (turns.some((turn) => turn.name !== undefined)) ledger.note("participant-name");
  const system = leading.flatMap((turn) => systemText(turn, ledger));
  const drafts: Draft[] = [];
  for (const turn of firstOther === -1 ? [] : turns.slice(firstOther)) {
    const role = turn.role === "assistant" ? "assistant" : "user";
    const parts = turn.role === "system" ? markedSystem(turn, ledger) : sift(turn.parts, { role, issuer, ledger });
    const last = drafts.at(-1);
    if (parts.length === 0) continue;
    if (last?.role === role) last.parts.push(...parts);
    else drafts.push({ role, parts: [...parts] });
  }
  if (drafts.length === 0) {
    if (system.length === 0) ledger.note("nothing-to-ask");
    else ledger.note("system-only");
    return { system: [], turns: [{ role: "user", parts: system }] };
  }
  if (drafts[0]?.role === "assistant") {
    ledger.note("assistant-first");
    drafts.unshift({ role: "user", parts: [{ kind: "text", text: openingTurn }] });
  }
  return { system, turns: drafts.map((draft, index) => finished(draft, index === drafts.length - 1)) };
}

function systemText(turn: Turn, ledger: LossLedger): readonly TextPart[] {
  return turn.parts.filter((part): part is TextPart => {
    if (part.kind !== "text") ledger.note("system-part", part.kind === "foreign" ? part.what : part.kind);
    return part.kind === "text" && !isBlank(part, ledger);
  });
}

function markedSystem(turn: Turn, ledger: LossLedger): readonly TextPart[] {
  const parts = systemText(turn, ledger);
  if (parts.length > 0) ledger.note("system-inside");
  return parts.map(marked);
}

function marked(part: TextPart): TextPart {
  return { ...part, text: `<system>\n${part.text}\n</system>` };
}

interface Sieve {
  readonly role: "user" | "assistant";
  readonly issuer: string;
  readonly ledger: LossLedger;
}

/** Leaves out what can be left out; what cannot is refused when it is encoded. */
function sift(parts: readonly Part[], { role, issuer, ledger }: Sieve): readonly Part[] {
  return parts.filter((part) => {
    // This language seals thoughts alone: what hangs on a text or a call is another vendor's.
    if ((part.kind === "text" || part.kind === "tool-call") && part.seal !== undefined)
      ledger.note("foreign-reasoning");
    switch (part.kind) {
      case "text":
        return !isBlank(part, ledger);
      case "refusal":
        return part.text.trim() !== "";
      case "reasoning":
        if (part.seal?.issuer === issuer) return true;
        ledger.note("foreign-reasoning");
        return false;
      case "foreign":
        if (isOwnForeign(part.what) || role === "user" || part.needed === true) return true;
        ledger.note("foreign-history", part.what);
        return false;
      default:
        return true;
    }
  });
}

/** The API refuses text blocks that are empty or white space; only a cache marker can be lost with one. */
export function isBlank(part: TextPart, ledger: LossLedger): boolean {
  if (part.text.trim() !== "") return false;
  if (part.cache !== undefined) ledger.note("cache-markers");
  return true;
}

function finished(draft: Draft, isLast: boolean): ArrangedTurn {
  if (draft.role === "user") {
    const results = draft.parts.filter((part) => part.kind === "tool-result");
    return { role: "user", parts: [...results, ...draft.parts.filter((part) => part.kind !== "tool-result")] };
  }
  const end = draft.parts.at(-1);
  if (!isLast || end?.kind !== "text") return draft;
  return { role: "assistant", parts: [...draft.parts.slice(0, -1), { ...end, text: end.text.trimEnd() }] };
}
