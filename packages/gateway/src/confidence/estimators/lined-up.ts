import type { TokenLogprob } from "#domain/confidence";
import type { Range } from "#confidence/json-ranges";

/** Tokens with their places in the text they make together. */
export interface LinedUp {
  readonly tokens: readonly TokenLogprob[];
  readonly joined: string;
  /** Where each token starts in `joined`; one more for the end. */
  readonly starts: readonly number[];
}

export function joinedTokens(tokens: readonly TokenLogprob[]): LinedUp {
  const starts = [0];
  let end = 0;
  for (const { token } of tokens) {
    end += token.length;
    starts.push(end);
  }
  return { tokens, joined: tokens.map(({ token }) => token).join(""), starts };
}

/** Marks for space that some servers leave in tokens: SentencePiece's, and those of byte-level vocabularies. */
const spaceMarks: readonly (readonly [RegExp, string])[] = [
  [/[▁Ġ]/gu, " "],
  [/Ċ/gu, "\n"],
];

export function withPlainSpace(tokens: readonly TokenLogprob[]): readonly TokenLogprob[] {
  return tokens.map((each) => {
    let { token } = each;
    for (const [mark, plain] of spaceMarks) token = token.replace(mark, plain);
    return { ...each, token };
  });
}

/** Tokens after the text that providers report all the same: the end of a turn, of a channel. */
const maxClosingTokens = 4;

/**
 * Where a text is in what its tokens make: at the end, with thoughts before it and a few closing tokens after it, or at the
 * start, with a tool's call after it. Undefined where it is in neither place.
 */
export function placeOf(text: string, { joined, starts }: LinedUp): Range | undefined {
  for (const wanted of [text, text.trim()]) {
    if (wanted === "") continue;
    for (let dropped = 0; dropped <= maxClosingTokens; dropped += 1) {
      const end = starts.at(-1 - dropped);
      if (end === undefined) break;
      if (joined.endsWith(wanted, end)) return { start: end - wanted.length, end };
    }
    if (joined.startsWith(wanted)) return { start: 0, end: wanted.length };
  }
  return undefined;
}

/** The tokens that have a part in one of the ranges, which rise. A token without a spelling belongs where it stands. */
export function tokensIn(ranges: readonly Range[], { tokens, starts }: LinedUp): readonly TokenLogprob[] {
  const found: TokenLogprob[] = [];
  let next = 0;
  for (const [index, token] of tokens.entries()) {
    const start = starts[index] ?? 0;
    const end = start + token.token.length;
    let range = ranges[next];
    while (range !== undefined && range.end <= start) {
      next += 1;
      range = ranges[next];
    }
    if (range === undefined) break;
    if (start >= range.start || end > range.start) found.push(token);
  }
  return found;
}
