import type { CalibrationNote, Judgement } from "#domain/confidence";
import { editFields, scanFields } from "#wire/json-splice";

/** What a caller is told of the gate its answer passed, or did not. */
export interface GivenConfidence {
  readonly judgement: Judgement;
  readonly decision: "accepted" | "observed" | "doubted" | "deadline";
}

/** The members of an answer that tell it, beside the language's own. */
export interface ConfidenceMembers {
  readonly confidence_score: number | null;
  readonly confidence: object;
}

export function confidenceMembers({ judgement, decision }: GivenConfidence): ConfidenceMembers {
  const { score, raw, estimator, calibration, threshold, mode } = judgement;
  return {
    confidence_score: score,
    confidence: {
      score,
      raw,
      estimator,
      calibration: calibrationMember(calibration),
      decision,
      threshold,
      mode,
      ...(decision === "doubted" || decision === "deadline" ? { low_confidence: true } : {}),
    },
  };
}

function calibrationMember({ state, n, ece, version, guarantee }: CalibrationNote): object {
  return {
    state,
    n,
    ...(ece === undefined ? {} : { ece }),
    version,
    guarantee:
      guarantee === undefined ? null : { accuracy_lower_bound: guarantee.accuracyLowerBound, delta: guarantee.delta },
  };
}

/** `0.9132`, cut rather than rounded, so that nothing looks surer than it is; `none` where there was no signal. */
export function confidenceHeader({ judgement: { score } }: GivenConfidence): string {
  return score === null ? "none" : String(Math.floor(score * 1e4) / 1e4);
}

/** A whole JSON answer with further members at its top level; every other byte as it was. */
export function withMembers(body: Uint8Array, members: Readonly<Record<string, unknown>>): Uint8Array {
  const edits = new Map(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]));
  if (edits.size === 0) return body;
  const scan = scanFields(body, { maxDepth: 1000 });
  return "problem" in scan ? body : editFields(body, scan, edits);
}
