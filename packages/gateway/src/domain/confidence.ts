import type { FinishReason } from "./answer.ts";
import type { Secret } from "./secret.ts";

/** What an answer must earn before it is given, on a route or in a call. */
export interface ConfidenceRule {
  /** Least calibrated probability that the answer is acceptable, 0..1. */
  readonly min: number;
  /** `per_answer`: each accepted answer reaches `min`. `pool`: of all accepted ones at least `min` are right. */
  readonly mode: "per_answer" | "pool";
  /** How often the promise for the pool may be wrong, 0..1. */
  readonly delta: number;
  /** Which signals are asked for. `auto`: what the target offers, then what the rule has a target for. */
  readonly estimator: EstimatorChoice;
  /** `provider/model` that gives a second answer to compare with. */
  readonly second?: string;
  /** `provider/model` that is asked whether an answer is right. */
  readonly judge?: string;
  /** A classifier that tells how likely an answer is right. */
  readonly decision?: DecisionRule;
  /** A caller's own check, asked with the answer. */
  readonly verifier?: VerifierRule;
  /**
   * Before a calibration of its own exists. `conservative`: the prior decides, and no pool is promised. `observe`: scored
   * and let through. `strict`: doubted.
   */
  readonly uncalibrated: "conservative" | "observe" | "strict";
  /** When no target was sure. */
  readonly exhausted: "best" | "review" | "refuse";
  /**
   * The answer of the last target is given without a verdict of somebody who has to be paid for it: it is asked because
   * the others were doubted. Hard gates hold.
   */
  readonly trustLast: boolean;
  /** `hold`: nothing before the verdict. `prefix`: decided on the first tokens. `annotate`: let through, told at the end. */
  readonly stream: "hold" | "prefix" | "annotate";
  /** Share of accepted answers for which the next target is asked all the same, so that there is something to learn from. */
  readonly shadow: number;
  /** Most that all attempts of a call may cost before nobody else is asked, integer nano-dollars. */
  readonly maxCostNanoUsd?: number;
  /** Names of tools (a trailing `*` stands for any ending) whose calls need `irreversibleMin`. */
  readonly irreversibleTools: readonly string[];
  /** The next target is asked beside, once the running score is below this. Absent: one after another. */
  readonly hedgeBelow?: number;
  readonly review: ReviewRule;
}

/** What a rule says where nobody says otherwise; alone, what a call gets that asks for confidence on a route without a rule. */
export const defaultConfidence: ConfidenceRule = {
  min: 0.85,
  mode: "per_answer",
  delta: 0.05,
  estimator: "auto",
  uncalibrated: "conservative",
  exhausted: "refuse",
  trustLast: false,
  stream: "hold",
  shadow: 0,
  irreversibleTools: [],
  review: { deadlineMs: 24 * 3_600_000, onTimeout: "refuse" },
};

/** The name is what records and answers show: `logprobs`, `agreement`, `decision`, `judge`, `verifier`, `stated`. */
export type EstimatorChoice = "auto" | "logprobs" | "decision" | "agreement" | "judge" | "verifier";

/** What tools that cannot be undone need, whatever the route says (cascades.md §4.5). */
export const irreversibleMin = 0.95;

/** An address of the operator's; `key` is sent as a bearer token. */
export interface HookRule {
  readonly url: string;
  readonly key?: Secret;
}

export interface VerifierRule extends HookRule {
  readonly timeoutMs: number;
}

export interface DecisionRule extends HookRule {
  /** As the endpoint calls it, where it serves several. */
  readonly model?: string;
  /** The class of answers that are right: its label, or its number. */
  readonly right: string | number;
  readonly timeoutMs: number;
}

export interface ReviewRule {
  /** How long a person may take. */
  readonly deadlineMs: number;
  /** What then becomes of the review. `best`: the best scored answer is taken. */
  readonly onTimeout: "refuse" | "best";
  /** Told of new and decided reviews. */
  readonly webhook?: HookRule;
}

/** One token of an answer's text, as the provider reports it. Natural logarithms. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** Likeliest tokens at this place, the chosen one usually among them. */
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

/** What estimators look at: one whole answer, in no provider's language. */
export interface AnswerView {
  readonly text: string;
  readonly refusal: string;
  readonly toolCalls: readonly ToolCallView[];
  readonly finish?: FinishReason;
  /** Of `text`, in order. Absent where the provider told none. */
  readonly tokens?: readonly TokenLogprob[];
  /** There is content the hub has no word for (a custom tool's call): the answer is not empty, and not all of it is here. */
  readonly foreign?: true;
}

export interface ToolCallView {
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
}

/** What an answer looks like: it decides what can be compared, and belongs to the calibration's key. */
export type OutputShapeKind = "label" | "short" | "long" | "json" | "tool";

/** Whose answers a calibration is for. */
export interface CalibrationKey {
  /** The tenant; empty until there are tenants. */
  readonly tenant: string;
  readonly route: string;
  readonly model: string;
  /** 0 for answers that nobody doubted before. */
  readonly tier: number;
  readonly shape: OutputShapeKind;
  /** The signals in the score, sorted and joined by `+`: `agreement+logprobs`. */
  readonly signals: string;
}

/** How an answer was judged. Kept in records; of the answer itself it holds nothing. */
export interface Judgement {
  /** Calibrated, 0..1; null where there was no signal. Never a guess. */
  readonly score: number | null;
  /** Before calibration, 0..1; null where there was no signal. */
  readonly raw: number | null;
  /** Signals by name, joined by `+`; `gate` where a hard gate decided; `none`. */
  readonly estimator: string;
  /** The features that were scored, the principal log-odds first. Bounded to 8. */
  readonly features: readonly number[];
  readonly key: CalibrationKey;
  readonly calibration: CalibrationNote;
  /** Needed for acceptance. */
  readonly threshold: number;
  readonly mode: "per_answer" | "pool";
  readonly verdict: Verdict;
  /** In words: the gate that failed, or why the score was not enough. */
  readonly why: string;
}

export type Verdict = "accepted" | "doubted" | "observed";

export interface CalibrationNote {
  /** `own` for the key itself, else the ancestor that was used. */
  readonly state: "own" | "parent" | "prior" | "stale" | "drift";
  /** Effective number of labels. */
  readonly n: number;
  readonly ece?: number;
  /** Of the whole set of calibrations. */
  readonly version: string;
  /** Of a pool's promise: the certified lower bound, and how often it may be wrong. */
  readonly guarantee?: { readonly accuracyLowerBound: number; readonly delta: number };
}

/** A verdict from outside on an answer that was given. */
export interface Label {
  /** The call's id. */
  readonly callId: string;
  /** Which of the call's answers; absent: the one that was given. */
  readonly target?: string;
  /** 0 wrong, 1 right. */
  readonly correct: number;
  readonly source: LabelSource;
  /** 0..1 */
  readonly weight: number;
  /** Probability with which this answer came to be labelled; 1 where every one is. */
  readonly propensity: number;
  /** Who said it: calls of others are nobody's to judge. */
  readonly caller: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly note?: string;
}

/** `silver`: another model's answer, not the truth. */
export type LabelSource = "human" | "verifier" | "silver" | "review";
