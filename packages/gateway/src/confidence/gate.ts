import type { CalibrationEntry, CalibrationSet, Calibrator, PoolCertificate } from "#domain/calibration";
import {
  irreversibleMin,
  type CalibrationKey,
  type CalibrationNote,
  type ConfidenceRule,
  type Judgement,
  type Verdict,
} from "#domain/confidence";
import { chooseCalibrator } from "./calibration-key.ts";
import { calibrate } from "./calibrator.ts";
import { maxLogOdds, probabilityOf } from "./log-odds.ts";
import type { Scored } from "./score.ts";
import type { FailedGate } from "./signals.ts";

export interface GateInput {
  readonly scored: Scored;
  /** A hard gate that failed: then nothing else counts. */
  readonly gate?: FailedGate | undefined;
  readonly rule: Pick<ConfidenceRule, "min" | "mode" | "delta" | "uncalibrated">;
  readonly key: CalibrationKey;
  /** Absent: nobody has labelled anything yet. */
  readonly calibrations: CalibrationSet | undefined;
  /** The answer calls a tool that cannot be undone. */
  readonly irreversible: boolean;
}

/** Where a calibration no longer fits, the least confidence is raised to the next multiple of this. */
const grid = 0.05;

/**
 * What becomes of an answer, by its score and by what is known of scores like it (cascades.md §4.2, §4.4, §4.7). Without
 * a signal the score is null, never a number. What cannot be undone needs `irreversibleMin` and a certified pool whatever
 * the rule says, and is never let through to learn from.
 */
export function judgeAnswer(input: GateInput): Judgement {
  const { scored, gate, key, rule } = input;
  const standard = standardOf(input);
  const about = { features: scored.features, key, threshold: standard.threshold, mode: rule.mode };
  const calibration = standard.note;
  if (gate !== undefined) {
    return { ...about, score: 0, raw: 0, estimator: "gate", calibration, verdict: "doubted", why: gate.why };
  }
  const score = isOwnWord(scored) ? scored.raw : estimate(scored, standard.calibrator);
  const judged = { ...about, score, raw: scored.raw, estimator: scored.signals, calibration };
  return { ...judged, ...verdictOf(score, standard, input) };
}

function estimate({ raw, features }: Scored, calibrator: Calibrator): number | null {
  return raw === null ? null : calibrate(calibrator, features);
}

/** A caller's own check is no estimate of whether the answer is right: it is the word for it. */
function isOwnWord({ signals }: Scored): boolean {
  return signals === "verifier";
}

/** What an answer is measured by. */
interface Standard {
  readonly calibrator: Calibrator;
  readonly threshold: number;
  readonly note: CalibrationNote;
  /** There is a calibration for just these answers. */
  readonly isOwn: boolean;
  /** A pool has to be certified, and none is. */
  readonly uncertified: boolean;
}

function standardOf({ rule, key, calibrations, irreversible, scored }: GateInput): Standard {
  const { calibrator, entry, level } = chooseCalibrator(
    calibrations,
    key,
    scored.raw === null ? undefined : scored.features.length,
  );
  const isOwn = level === "own";
  const min = irreversible ? Math.max(rule.min, irreversibleMin) : rule.min;
  const hasDrifted = entry?.state === "drift";
  const needed = hasDrifted ? raised(min) : min;
  const needsPool = (rule.mode === "pool" || irreversible) && !isOwnWord(scored);
  const pool = needsPool && isOwn && !hasDrifted ? certificateOf(entry, { min, delta: rule.delta }) : undefined;
  // A certificate speaks of all answers that pass, which is not enough where one of them cannot be undone.
  const threshold = pool === undefined ? needed : Math.max(pool.threshold, irreversible ? needed : 0);
  const state = entry === undefined || entry.state === "ok" ? level : entry.state;
  return {
    calibrator,
    threshold,
    isOwn,
    uncertified: needsPool && pool === undefined,
    note: {
      state,
      n: calibrator.labels,
      ...(entry === undefined ? {} : { ece: entry.quality.ece }),
      version: calibrations?.version ?? "prior",
      ...(pool === undefined ? {} : { guarantee: { accuracyLowerBound: pool.accuracyLowerBound, delta: pool.delta } }),
    },
  };
}

/** Of the certificates for at least this promise, the one that lets most answers through. */
function certificateOf(
  entry: CalibrationEntry | undefined,
  { min, delta }: Pick<PoolCertificate, "min" | "delta">,
): PoolCertificate | undefined {
  const fitting = entry?.pools.filter((pool) => pool.min >= min && pool.delta <= delta) ?? [];
  return fitting.toSorted((a, b) => a.threshold - b.threshold)[0];
}

/** 0.85 becomes 0.9, and 0.87 too. */
function raised(min: number): number {
  return Math.min(1, Math.round((Math.floor(min / grid + 1e-9) + 1) * grid * 1e6) / 1e6);
}

function verdictOf(
  score: number | null,
  standard: Standard,
  { rule, irreversible, scored }: GateInput,
): { readonly verdict: Verdict; readonly why: string } {
  const isOwn = standard.isOwn || isOwnWord(scored);
  const against = objection(score, standard);
  const mayObserve = rule.uncalibrated === "observe" && !irreversible && (!isOwn || standard.uncertified);
  if (against !== undefined && mayObserve) return { verdict: "observed", why: `${against}; let through to learn from` };
  if (against !== undefined)
    return { verdict: "doubted", why: irreversible ? `${against}; ${cannotBeUndone}` : against };
  if (!isOwn && rule.uncalibrated === "strict") return { verdict: "doubted", why: "no calibration of its own yet" };
  return { verdict: "accepted", why: "sure enough" };
}

const cannotBeUndone = "it calls a tool that cannot be undone";

/** What speaks against an answer, in words; undefined: nothing. */
function objection(score: number | null, { threshold, uncertified }: Standard): string | undefined {
  if (score === null) return "there is nothing to judge it by";
  if (uncertified) return "no pool of such answers is certified yet";
  return score >= threshold ? undefined : `${shown(score)} is below ${shown(threshold)}`;
}

/** Cut, not rounded, so that what is below a threshold looks it. */
function shown(score: number): string {
  return String(Math.floor(score * 1e4 + 1e-9) / 1e4);
}

/**
 * What becomes at best of an answer whose principal log-odds can be no higher than `most`: its other features, not known
 * yet, are as good as this calibration can find them. Undefined where a higher score is not always better, so that nothing
 * follows.
 */
export function judgeAtBest(
  input: Omit<GateInput, "scored" | "gate">,
  most: number,
  signals: string,
): Judgement | undefined {
  const { logistic } = chooseCalibrator(input.calibrations, input.key).calibrator;
  const [slope = 0, ...others] = logistic.slopes;
  if (slope < 0 || slope + logistic.hinge < 0) return undefined;
  const features = [most, ...others.map((each) => (each < 0 ? -maxLogOdds : maxLogOdds))];
  return judgeAnswer({ ...input, scored: { raw: probabilityOf(most), features, signals } });
}
