/** How an answer ended, in the hub's words, as far as a client's language tells them apart. */
export type Ending = "stop" | "stop-sequence" | "length" | "tools" | "policy" | "other";

/** What an answer says, in no language: what no translation may change. */
export interface Meaning {
  readonly text: string;
  /** Words of refusal, where the language keeps them apart. */
  readonly refusal: string;
  readonly reasoning: string;
  readonly tools: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly ending: Ending;
  readonly stopSequence: string | undefined;
  /** All prompt tokens, those of them read from a cache, and all generated tokens. */
  readonly usage: { readonly prompt: number; readonly cacheRead: number; readonly completion: number } | undefined;
}

export const silence: Meaning = {
  text: "",
  refusal: "",
  reasoning: "",
  tools: [],
  ending: "other",
  stopSequence: undefined,
  usage: undefined,
};
