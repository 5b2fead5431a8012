import type { AnswerView, OutputShapeKind, TokenLogprob } from "#domain/confidence";
import { valueRanges, type Range } from "#confidence/json-ranges";
import { logOddsOfLogProbability } from "#confidence/log-odds";
import { labelCore } from "#confidence/output-shape";
import type { LogprobSignal } from "#confidence/signals";
import { joinedTokens, placeOf, tokensIn, withPlainSpace, type LinedUp } from "./lined-up.ts";

/**
 * The least a token counts. OpenAI reports -9999 for what is not among its likeliest, others -Infinity: one of them would
 * say more than all other tokens together.
 */
const leastLogprob = -20;

/**
 * What the tokens' probabilities say of an answer: of a label the joint probability of the label itself, of JSON and tool
 * calls the geometric mean of the values' tokens, of anything else that of all. Undefined where the provider told none,
 * where they are of something else (a preamble to a tool's call), or where most of them are no numbers.
 */
export function logprobSignal(view: AnswerView, shape: OutputShapeKind): LogprobSignal | undefined {
  if (view.tokens === undefined) return undefined;
  const counted = countedTokens(view, shape, view.tokens) ?? [];
  const known = counted.filter(({ logprob }) => !Number.isNaN(logprob));
  if (known.length === 0 || known.length * 2 < counted.length) return undefined;
  const logprobs = known.map(boundedLogprob);
  const rising = logprobs.toSorted((a, b) => a - b);
  const [lowest = leastLogprob] = rising;
  const sum = logprobs.reduce((total, logprob) => total + logprob, 0);
  const margin = meanMargin(known);
  return {
    logOdds: logOddsOfLogProbability(shape === "label" ? sum : sum / logprobs.length),
    lowest,
    tenth: rising[Math.ceil(rising.length / 10) - 1] ?? lowest,
    ...(margin === undefined ? {} : { margin }),
    tokens: logprobs.length,
  };
}

export function boundedLogprob({ logprob }: Pick<TokenLogprob, "logprob">): number {
  return Math.min(0, Math.max(leastLogprob, logprob));
}

/** JSON's values; where the text is in a fence, those inside. */
export function jsonValues(text: string): readonly Range[] {
  if (!text.trimStart().startsWith("```")) return valueRanges(text);
  const start = text.search(/[{[]/u);
  if (start < 0) return [];
  const inside = text.slice(start).trimEnd();
  return valueRanges(inside.replace(/`{1,3}$/u, "")).map((range) => moved(range, start));
}

function countedTokens(
  view: AnswerView,
  shape: OutputShapeKind,
  tokens: readonly TokenLogprob[],
): readonly TokenLogprob[] | undefined {
  const plain = joinedTokens(tokens);
  if (shape === "tool") return callTokens(view, plain);
  for (const line of [plain, joinedTokens(withPlainSpace(tokens))]) {
    const place = placeOf(view.text, line);
    if (place !== undefined) return tokensAt(place, shape, line);
  }
  return looseTokens(view.text, shape, plain);
}

function tokensAt(place: Range, shape: OutputShapeKind, line: LinedUp): readonly TokenLogprob[] {
  const all = tokensIn([place], line);
  const text = line.joined.slice(place.start, place.end);
  const core = shape === "label" ? labelCore(text) : undefined;
  const ranges = shape === "json" ? jsonValues(text) : core === undefined ? [] : [core];
  // `{}` has no value: its brackets are all it says.
  if (ranges.length === 0) return all;
  return tokensIn(
    ranges.map((range) => moved(range, place.start)),
    line,
  );
}

/** Tokens that spell another text than the one that came: quirks of a provider. Half of the text has to be there at least. */
function looseTokens(text: string, shape: OutputShapeKind, line: LinedUp): readonly TokenLogprob[] | undefined {
  if (line.joined.length * 2 < text.length) return undefined;
  return shape === "json" ? valuesOrAll(line, 0) : line.tokens;
}

/**
 * Providers that report tokens of calls report them in the order they were written: after the text, in a form of their own.
 * Most report the text's alone, which say nothing of the call.
 */
function callTokens(view: AnswerView, line: LinedUp): readonly TokenLogprob[] | undefined {
  const texts = view.toolCalls.map(({ argumentsJson }) => argumentsJson).filter((json) => json !== "");
  const ranges: Range[] = [];
  let from = line.joined.startsWith(view.text) ? view.text.length : 0;
  const afterText = from;
  for (const json of texts) {
    const at = line.joined.indexOf(json, from);
    if (at < 0) break;
    from = at + json.length;
    ranges.push(...valueRanges(json).map((range) => moved(range, at)));
  }
  if (from > afterText && ranges.length > 0) return tokensIn(ranges, line);
  const wanted = texts.reduce((sum, json) => sum + json.length, 0);
  if (wanted === 0 || (line.joined.length - afterText) * 2 < wanted) return undefined;
  return valuesOrAll(line, afterText);
}

function valuesOrAll(line: LinedUp, from: number): readonly TokenLogprob[] {
  const found = line.joined.slice(from).search(/[{[]/u);
  const start = found < 0 ? line.joined.length : from + found;
  const ranges = valueRanges(line.joined.slice(start)).map((range) => moved(range, start));
  return ranges.length > 0
    ? tokensIn(ranges, line)
    : line.tokens.filter((token, index) => (line.starts[index] ?? 0) >= from && /[\p{L}\p{N}]/u.test(token.token));
}

/** How much likelier the chosen token was than the likeliest other one; where most tokens tell others. */
function meanMargin(tokens: readonly TokenLogprob[]): number | undefined {
  const margins = tokens.flatMap((token) => {
    const others = (token.top ?? []).filter(
      ({ token: other, logprob }) => other !== token.token && !Number.isNaN(logprob),
    );
    if (others.length === 0) return [];
    return [boundedLogprob(token) - Math.max(...others.map(boundedLogprob))];
  });
  if (margins.length === 0 || margins.length * 2 < tokens.length) return undefined;
  return margins.reduce((sum, margin) => sum + margin, 0) / margins.length;
}

function moved({ start, end }: Range, by: number): Range {
  return { start: start + by, end: end + by };
}
