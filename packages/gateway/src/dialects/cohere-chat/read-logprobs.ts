import { isObject } from "#dialects/shape";

interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly top_logprobs: readonly never[];
}

/**
 * Cohere's `{ text, token_ids, logprobs }` in the form of OpenAI's log probabilities, which the hub carries. Cohere does
 * not say which part of a text is which token's: the first token of an entry carries it, the others are empty, so that
 * the tokens joined are the text. Undefined where there are none.
 */
export function logprobsOf(
  value: unknown,
): { readonly content: readonly TokenLogprob[]; readonly refusal: null } | undefined {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  const content = entries.flatMap((entry) => {
    if (!isObject(entry) || !Array.isArray(entry["logprobs"])) return [];
    const text = typeof entry["text"] === "string" ? entry["text"] : "";
    const numbers = entry["logprobs"].filter((each): each is number => typeof each === "number");
    return numbers.map((logprob, at): TokenLogprob => {
      const token = at === 0 ? text : "";
      return { token, logprob, bytes: token === "" ? null : [...Buffer.from(token)], top_logprobs: [] };
    });
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}
