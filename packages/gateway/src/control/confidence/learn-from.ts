import type { LabelsFile } from "#control/store/labels-file";
import { judgedAnswers, type JudgedAnswer } from "#control/store/read-judged";
import type { Store } from "#control/store/sqlite";
import type { CalibrationSet } from "#domain/calibration";
import type { RoutePromises } from "./promises.ts";
import { refit, type Refitted } from "./refit.ts";
import { trainingRows } from "./training-rows.ts";

export interface LearnInput {
  readonly store: Store;
  readonly labels: Pick<LabelsFile, "page" | "callers">;
  readonly previous: CalibrationSet | undefined;
  readonly promises: RoutePromises;
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** Fits everything anew, not only what has newer labels. */
  readonly whole: boolean;
}

export interface Learned extends Refitted {
  /** Verdicts that were joined with a judged answer. */
  readonly labels: number;
}

/** Judged answers that are looked at for drift, and for how long they count. */
const maxJudged = 20_000;
const judgedForMs = 30 * 86_400_000;

/** One pass over everything that is known: seconds for a hundred thousand labels, so it has a thread of its own. */
export function learnFrom({ store, labels, ...known }: LearnInput): Learned {
  const rows = trainingRows({ store, labels });
  return { ...refit({ ...known, rows, judged: judgedOfLate(store, known.nowMs) }), labels: rows.length };
}

function judgedOfLate(store: Store, nowMs: number): readonly JudgedAnswer[] {
  return judgedAnswers(store, { fromMs: nowMs - judgedForMs, untilMs: nowMs + 1, limit: maxJudged });
}
