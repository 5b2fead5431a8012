import type { FirstLanguage } from "../world/first-languages.ts";

/** What an answer says, in words both languages share: what a translation must not change. */
export interface Meaning {
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  /** Signatures and encrypted thoughts, in order, without the gateway's mark of their issuer. */
  readonly seals: readonly string[];
  readonly tools: readonly { readonly name: string; readonly id: string; readonly arguments: unknown }[];
  /** All prompt tokens and all generated tokens; undefined where nothing was reported. */
  readonly usage: { readonly prompt: number; readonly completion: number } | undefined;
  /** The language's own word. */
  readonly finish: string | undefined;
  readonly stopSequence: string | undefined;
}

/** Arguments that are no JSON, as a call cut off by the output limit leaves them. */
export interface BrokenArguments {
  readonly broken: string;
}

export function parsedArguments(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    // Some models say `null` for no arguments.
    return (JSON.parse(json) as unknown) ?? {};
  } catch {
    return { broken: json } satisfies BrokenArguments;
  }
}

const toMessages: Readonly<Record<string, string>> = {
  length: "max_tokens",
  max_tokens: "max_tokens",
  model_length: "model_context_window_exceeded",
  tool_calls: "tool_use",
  function_call: "tool_use",
  content_filter: "refusal",
};

const toChat: Readonly<Record<string, string>> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

/** The finish word the other language must say for this answer (protocols: the table of stop reasons). */
function expectedFinish(of: Meaning, from: FirstLanguage): string {
  const hasTools = of.tools.length > 0;
  if (from === "anthropic-messages") {
    if (of.finish === undefined && hasTools) return "tool_calls";
    return toChat[of.finish ?? ""] ?? "stop";
  }
  const word = toMessages[of.finish ?? ""];
  if (word !== undefined) return word;
  if (hasTools) return "tool_use";
  if (of.refusal !== "") return "refusal";
  return of.stopSequence === undefined ? "end_turn" : "stop_sequence";
}

/**
 * What the other language's reader must find. Messages has no place for refusal words beside the text, and no way to
 * say that usage is unknown.
 */
export function expectedMeaning(of: Meaning, from: FirstLanguage): Meaning {
  const finish = expectedFinish(of, from);
  if (from === "anthropic-messages") return { ...of, finish };
  return { ...of, text: of.text + of.refusal, refusal: "", usage: of.usage ?? { prompt: 0, completion: 0 }, finish };
}
