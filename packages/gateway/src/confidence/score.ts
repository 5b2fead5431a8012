import { clipLogOdds, logOddsOf, logOddsOfLogProbability, maxLogOdds, probabilityOf } from "./log-odds.ts";
import type { LogprobSignal, Signals } from "./signals.ts";

/** What is calibrated. */
export interface Scored {
  /** The principal signal as a probability, 0..1; null where there was none. */
  readonly raw: number | null;
  /** The principal log-odds first; at most 8. As many for one `signals` as for another answer with the same. */
  readonly features: readonly number[];
  /** Sorted and joined by `+`; `gate`, or `none`. */
  readonly signals: string;
}

/**
 * What two equal or different answers are worth alone, before labels are there. The prior takes 0.28 of it, which is
 * 0.88 and 0.38: between what was measured on easy questions (97 % of equal answers right) and on hard ones (83 %).
 */
const agreementLogOdds = { same: 7, other: -1.7 };

/** Stated confidence from here on is what models say of nearly everything, and says nothing. */
const usuallyStated = 0.9;

/**
 * One score from all signals. The principal one is the verifier, else log-probabilities, else a classifier or the judge,
 * else agreement; the others are further features in this order, moved so that 0 is what is usual: lowest, tenth, margin
 * and number of tokens, classifier or judge, agreement, stated doubt.
 *
 * - A classifier is in the judge's place: beside it no judge counts, and the labels of one never teach the other.
 * - A verifier decides by itself: beside it nothing else counts.
 * - What an answer says of itself may lower its score and never raise it, and is not named among the signals: or a text
 *   could choose its calibration by what it says. Alone it is no signal.
 */
export function scoreOf(signals: Signals): Scored {
  const { gate, verifier, logprobs, decision, agreement } = signals;
  const judge = decision === undefined ? signals.judge : undefined;
  if (gate !== undefined) return { raw: 0, features: [-maxLogOdds], signals: "gate" };
  if (verifier !== undefined) {
    return { raw: verifier.correct, features: [logOddsOf(verifier.correct)], signals: "verifier" };
  }
  const opinion = decision ?? judge;
  const features = [
    ...(logprobs === undefined ? [] : [clipLogOdds(logprobs.logOdds), ...spreadOf(logprobs)]),
    ...(opinion === undefined ? [] : [clipLogOdds(opinion.logOdds)]),
    ...(agreement === undefined ? [] : [agreementFeature(agreement.agrees, logprobs ?? opinion)]),
  ];
  const [principal] = features;
  if (principal === undefined) return { raw: null, features: [], signals: "none" };
  const names = Object.entries({ agreement, decision, judge, logprobs }).filter(([, signal]) => signal !== undefined);
  return {
    raw: probabilityOf(principal),
    features: [...features, statedDoubt(signals.stated)],
    signals: names.map(([name]) => name).join("+"),
  };
}

/** Of long answers the mean hides a single doubtful token. Usual values: a tenth of 0.5, a lowest of 0.2, some 8 tokens. */
function spreadOf({ lowest, tenth, margin, tokens }: LogprobSignal): readonly number[] {
  return [
    logOddsOfLogProbability(lowest) - logOddsOf(0.2),
    logOddsOfLogProbability(tenth) - logOddsOf(0.5),
    margin === undefined ? 0 : clipLogOdds(margin - 2),
    Math.log(Math.max(1, tokens)) - 2,
  ];
}

function agreementFeature(agrees: boolean, stronger: object | undefined): number {
  if (stronger !== undefined) return agrees ? 1 : -1;
  return agrees ? agreementLogOdds.same : agreementLogOdds.other;
}

function statedDoubt(stated: number | undefined): number {
  return stated === undefined ? 0 : Math.min(0, logOddsOf(stated) - logOddsOf(usuallyStated));
}
