/** One token as OpenAI tells it: https://platform.openai.com/docs/api-reference/chat/object */
export interface TokenEntry {
  readonly token: string;
  /** Natural logarithm. */
  readonly logprob: number;
  readonly bytes: readonly number[];
  /** As many as were asked for, the likeliest first, the token itself where it is among them. */
  readonly top_logprobs: readonly Omit<TokenEntry, "top_logprobs">[];
}

/** How sure an answer is of its tokens: one probability for all, or one each, of which the last is for all that follow. */
type Sureness = number | readonly number[];

/** What else a simulated model could have said, the likelier the nearer to the front. */
const otherWords = ["Yes", "No", "A", "B", "the", "of", "in", "1", "2", "not", "to", "is"] as const;
/** Each alternative gets this share of the probability that is left. */
const shareOfRest = 0.6;

/**
 * A piece of text as a token with its alternatives. Where nobody says how sure it is, it follows from the text: 0.9998
 * to 0.99999, which is what four fifths of real answers' probabilities are.
 *
 * @param top how many of the likeliest tokens are told, 0..20
 */
export function tokenEntry(
  token: string,
  { at, sureness, top }: { readonly at: number; readonly sureness: Sureness | undefined; readonly top: number },
): TokenEntry {
  const probability = probabilityOf(sureness, at) ?? usualProbability(token, at);
  const space = /^\s*/u.exec(token)?.[0] ?? "";
  const others = otherWords.map((word) => space + word).filter((word) => word !== token);
  let rest = 1 - probability;
  const alternatives = [{ token, probability }];
  for (const word of others.slice(0, top)) {
    alternatives.push({ token: word, probability: rest * shareOfRest });
    rest *= 1 - shareOfRest;
  }
  const likeliest = alternatives.toSorted((a, b) => b.probability - a.probability).slice(0, top);
  return { ...told(token, probability), top_logprobs: likeliest.map((each) => told(each.token, each.probability)) };
}

function told(token: string, probability: number): Omit<TokenEntry, "top_logprobs"> {
  return { token, logprob: Math.max(Math.log(probability), leastLogprob), bytes: [...Buffer.from(token)] };
}

/** What OpenAI says of the impossible. */
const leastLogprob = -9999;

function probabilityOf(sureness: Sureness | undefined, at: number): number | undefined {
  return typeof sureness === "number" || sureness === undefined ? sureness : (sureness[at] ?? sureness.at(-1));
}

function usualProbability(token: string, at: number): number {
  return 1 - 10 ** -(3.7 + 1.3 * fractionOf(`${at} ${token}`));
}

/** FNV-1a of the text as a fraction of its range: the same text is always as sure. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
