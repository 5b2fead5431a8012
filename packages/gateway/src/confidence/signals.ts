/** What estimators found out about one answer. Each is absent where there was nothing to go by: none is ever guessed. */
export interface Signals {
  /** A hard gate failed: the score is 0, and no calibration is asked. `why` quotes nothing of the answer. */
  readonly gate?: FailedGate;
  readonly logprobs?: LogprobSignal;
  /** Whether the answer of `with` (`provider/model`) is the same. */
  readonly agreement?: { readonly agrees: boolean; readonly with: string };
  /** A judge's log-odds of "yes"; `by` is `provider/model`. */
  readonly judge?: { readonly logOdds: number; readonly by: string };
  /** A classifier's log-odds that the answer is right. */
  readonly decision?: { readonly logOdds: number };
  /** A caller's own check, 0..1. It decides by itself, and is a label, too. */
  readonly verifier?: { readonly correct: number };
  /** What the answer says of itself, 0..1. */
  readonly stated?: number;
}

export interface FailedGate {
  readonly rule: GateRule;
  /** In words, at most 200 characters. */
  readonly why: string;
}

export type GateRule =
  | "malformed"
  | "refusal"
  | "cut"
  | "empty"
  | "no-tool-call"
  | "unknown-tool"
  | "unwanted-tool"
  | "invalid-arguments"
  | "missing-argument"
  | "invalid-json"
  | "schema";

/** Of the tokens that say something: a label's own, values in JSON, else all. Natural logarithms. */
export interface LogprobSignal {
  /** Of the geometric mean of the tokens' probabilities. */
  readonly logOdds: number;
  /** The least likely token. */
  readonly lowest: number;
  /** The tenth part of the tokens is at most as likely (nearest rank). */
  readonly tenth: number;
  /** Mean distance of the chosen token to the likeliest other. Absent where providers tell no others. */
  readonly margin?: number;
  readonly tokens: number;
}
