import type { CalibrationKey, LabelSource } from "#domain/confidence";
import type { KeptLabel, LabelsFile } from "#control/store/labels-file";
import { comparedAnswers, judgedAnswersOf, type ComparedAnswer, type JudgedAnswer } from "#control/store/read-judged";
import type { Store } from "#control/store/sqlite";
import { fairShare } from "./fair-share.ts";

/** A judged answer and a verdict on it: what calibrators are fitted on. */
export interface TrainingRow {
  readonly key: CalibrationKey;
  /** Equal for equal keys. */
  readonly keyText: string;
  readonly features: readonly number[];
  /** Whose call it was. */
  readonly caller: string;
  /** 0 to 1. */
  readonly correct: number;
  readonly source: LabelSource;
  /** As its giver said, 0 to 1. */
  readonly weight: number;
  /** Chance with which just this answer came to be looked at. */
  readonly propensity: number;
  /** When the verdict was given, wall clock. */
  readonly atMs: number;
  /** What was told before the verdict was known; null: nothing. */
  readonly told: number | null;
  /** It was told by a calibration of the key itself. */
  readonly isOwnWord: boolean;
  /**
   * It was looked at because it was doubted: such rows say what doubted answers are worth, and of accepted ones nothing.
   */
  readonly ofDoubted: boolean;
}

export interface TrainingBounds {
  readonly perKey: number;
  /** Verdicts that are looked at in all. */
  readonly verdicts: number;
}

/** The newest count; beyond 20,000 of a key older ones would weigh a thousandth. */
const trainingBounds: TrainingBounds = { perKey: 20_000, verdicts: 100_000 };

const pageSize = 500;

interface Sources {
  readonly store: Store;
  readonly labels: Pick<LabelsFile, "page" | "callers">;
  readonly bounds?: TrainingBounds;
}

/**
 * Every verdict there is with the answer it is on, of each caller the newest first: labels of callers and reviewers on their own calls;
 * then, as silver ones, whether another model said the same, where nobody said more of that answer.
 */
export function trainingRows(sources: Sources): readonly TrainingRow[] {
  const { store, labels, bounds = trainingBounds } = sources;
  const kept = new KeptRows(bounds.perKey);
  // Whoever said least comes first, and of nobody more than a fair share is read: many labels of one caller, whatever they
  // are on, push out no other's.
  const callers = [...labels.callers()].toSorted(([, a], [, b]) => a - b);
  const each = Math.floor(
    fairShare(
      callers.map(([, count]) => count),
      bounds.verdicts,
    ),
  );
  for (const [caller, count] of callers) addLabels(kept, sources, { caller, most: Math.min(count, each) });
  let untilMs = Number.MAX_SAFE_INTEGER;
  for (let seen = 0; seen < bounds.verdicts;) {
    const page = comparedAnswers(store, { untilMs, limit: pageSize });
    for (const { answer, row } of silverOf(store, page)) if (!kept.has(answer)) kept.add(answer, row);
    seen += page.length;
    const oldest = page.at(-1)?.atMs ?? 0;
    // A page of one millisecond alone would be read again for ever.
    untilMs = oldest === page[0]?.atMs ? oldest : oldest + 1;
    if (page.length < pageSize) break;
  }
  return kept.rows;
}

function addLabels(
  kept: KeptRows,
  { store, labels }: Sources,
  { caller, most }: { readonly caller: string; readonly most: number },
): void {
  let before = Number.MAX_SAFE_INTEGER;
  for (let left = most; left > 0;) {
    const page = labels.page(before, Math.min(left, pageSize), caller);
    const answers = judgedAnswersOf(store, [...new Set(page.map(({ callId }) => callId))]);
    for (const label of page) {
      const answer = labelledAnswer(label, answers.get(label.callId) ?? []);
      if (answer !== undefined) kept.add(answer, rowOf(answer, label));
    }
    left -= page.length;
    before = page.at(-1)?.seq ?? 0;
    if (page.length === 0) break;
  }
}

class KeptRows {
  readonly rows: TrainingRow[] = [];
  readonly #perKey: number;
  readonly #counts = new Map<string, number>();
  readonly #answers = new Set<string>();

  constructor(perKey: number) {
    this.#perKey = perKey;
  }

  has({ callId, number }: JudgedAnswer): boolean {
    return this.#answers.has(`${callId} ${number}`);
  }

  add(answer: JudgedAnswer, row: TrainingRow): void {
    const count = this.#counts.get(row.keyText) ?? 0;
    if (count >= this.#perKey || !teaches(answer)) return;
    this.#counts.set(row.keyText, count + 1);
    this.#answers.add(`${answer.callId} ${answer.number}`);
    this.rows.push(row);
  }
}

/** A failed gate has a score that nobody calibrates; a verifier's word is no score, but the verdict itself. */
function teaches({ raw, features, key }: JudgedAnswer): boolean {
  return raw !== null && features.length > 0 && key.signals !== "gate" && key.signals !== "verifier";
}

/** The answer that a label is on: of the caller's own call, the named target's last, or the one that was given. */
export function labelledAnswer(
  { caller, target }: KeptLabel,
  answers: readonly JudgedAnswer[],
): JudgedAnswer | undefined {
  const own = answers.filter((answer) => answer.caller === caller);
  return target === undefined ? givenAnswer(own) : own.findLast((answer) => answer.target === target);
}

/** What the caller got: the answered attempt's, else the best of those that were doubted. */
function givenAnswer(answers: readonly JudgedAnswer[]): JudgedAnswer | undefined {
  const answered = answers.find(({ outcome }) => outcome === "answered");
  if (answered !== undefined) return answered;
  return answers.toSorted((a, b) => (b.score ?? -1) - (a.score ?? -1))[0];
}

type Said = Pick<TrainingRow, "correct" | "source" | "weight" | "propensity" | "atMs">;

function rowOf({ key, keyText, features, caller, score, verdict, calibration }: JudgedAnswer, said: Said): TrainingRow {
  const { correct, source, weight, propensity, atMs } = said;
  // Whoever reaches a reviewer was doubted, and so was what was escalated.
  const ofDoubted = verdict === "doubted";
  const isOwnWord = score !== null && (calibration === "own" || calibration === "stale");
  return {
    key,
    keyText,
    features,
    caller,
    correct,
    source,
    weight,
    propensity,
    atMs,
    told: score,
    isOwnWord,
    ofDoubted,
  };
}

function silverOf(
  store: Store,
  page: readonly ComparedAnswer[],
): readonly { readonly answer: JudgedAnswer; readonly row: TrainingRow }[] {
  const callIds = new Set(page.map(({ callId, shadow }) => shadow?.of ?? callId));
  const answers = judgedAnswersOf(store, [...callIds]);
  return page.flatMap((compared) => {
    const { shadow, callId, number, agrees, atMs } = compared;
    const all = answers.get(shadow?.of ?? callId) ?? [];
    const answer = shadow === undefined ? all.find((each) => each.number === number) : givenAnswer(all);
    // The given answer agrees with itself, which says nothing.
    if (answer === undefined || (shadow === undefined && answer === givenAnswer(all))) return [];
    const propensity = shadow?.propensity ?? 1;
    const row = rowOf(answer, { correct: Number(agrees), source: "silver", weight: 1, propensity, atMs });
    return [{ answer, row }];
  });
}
