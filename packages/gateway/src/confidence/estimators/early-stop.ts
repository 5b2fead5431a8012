import type { TokenLogprob } from "#domain/confidence";
import { logOddsOfLogProbability, maxLogOdds } from "#confidence/log-odds";
import { maxShort } from "#confidence/output-shape";
import { joinedTokens, tokensIn } from "./lined-up.ts";
import { boundedLogprob, jsonValues } from "./log-probabilities.ts";

/** What may become JSON, by how it starts; of a number or a literal all of it. */
const mayBeJson = /^\s*(?:[`{["]|-?[\d.eE+-]*\s*$|(?:t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?)\s*$)/u;
const severalWords = /[\p{L}\p{N}]\s+\S*[\p{L}\p{N}]/u;

/**
 * The most that the log-odds of an answer's tokens can still become, however the answer goes on: every further token
 * certain, and the shape the one that counts the fewest doubtful ones. `maxLogOdds` where nothing is ruled out: while
 * nobody knows how long the answer may get, or where the tokens are not those of the text. Not for answers that may end in
 * a tool's call, whose text does not count.
 *
 * @param mostTokens of the whole answer
 * @param textSoFar absent: what the tokens spell
 */
export function bestStillPossible(
  tokensSoFar: readonly TokenLogprob[],
  mostTokens: number | undefined,
  textSoFar?: string,
): number {
  const line = joinedTokens(tokensSoFar);
  if (textSoFar !== undefined && textSoFar !== line.joined) return maxLogOdds;
  if (mostTokens === undefined || tokensSoFar.some(({ logprob }) => Number.isNaN(logprob))) return maxLogOdds;
  const text = line.joined;
  const ahead = Math.max(0, mostTokens - tokensSoFar.length);
  const bounds = [meanBound(tokensSoFar, ahead)];
  if (mayBeJson.test(text)) {
    const ranges = jsonValues(text);
    // What stands after the last whole value may be the beginning of one.
    const open = tokensIn([{ start: ranges.at(-1)?.end ?? 0, end: text.length }], line).length;
    bounds.push(meanBound(tokensIn(ranges, line), ahead + open));
  }
  if (text.trim().length <= maxShort && !severalWords.test(text)) {
    // A label starts with its first letter or digit, and is at most as likely as the token with it.
    const first = tokensSoFar.find(({ token }) => /[\p{L}\p{N}]/u.test(token));
    bounds.push(first === undefined ? 0 : boundedLogprob(first));
  }
  return logOddsOfLogProbability(Math.max(...bounds));
}

/** The highest mean logarithm with so many certain tokens more. */
function meanBound(tokens: readonly TokenLogprob[], ahead: number): number {
  if (tokens.length === 0) return 0;
  return tokens.reduce((sum, token) => sum + boundedLogprob(token), 0) / (tokens.length + ahead);
}
