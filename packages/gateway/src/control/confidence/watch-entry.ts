import { findDrift } from "#confidence/drift";
import { countOf, histogramOf } from "#confidence/score-histogram";
import type { CalibrationEntry, CalibrationState, ScoreHistogram } from "#domain/calibration";
import type { JudgedAnswer } from "#control/store/read-judged";
import type { TrainingRow } from "./training-rows.ts";

/** A reference grows until it has so many scores, then it stands. */
const matureScores = 1000;
/** Not for a few scores more: each change is a new snapshot for every worker. */
const growth = 1.5;
const referenceScores = 5000;
const recentScores = 1000;
/** Labels whose errors are summed up; what happened before was either found or is over. */
const watchedLabels = 500;
const labelsToRecover = 100;
export const staleAfterMs = 30 * 86_400_000;

interface Seen {
  readonly previous: CalibrationEntry | undefined;
  /** Of this key, the newest first. */
  readonly rows: readonly TrainingRow[];
  readonly judged: readonly JudgedAnswer[];
  readonly nowMs: number;
}

export interface Watched {
  readonly state: CalibrationState;
  readonly why?: string;
  readonly reference: ScoreHistogram;
  readonly anchoredAt: string;
  readonly driftedAt?: string;
}

/** Whether traffic still looks as it did, and what it is compared with from now on. */
export function watchEntry({ previous, rows, judged, nowMs }: Seen): Watched {
  const now = new Date(nowMs).toISOString();
  const driftedAtMs = timeOf(previous?.driftedAt) ?? Number.NEGATIVE_INFINITY;
  const drifted = previous?.driftedAt === undefined ? {} : { driftedAt: previous.driftedAt };
  if (previous?.state === "drift") {
    const newer = rows.filter(({ atMs }) => atMs > driftedAtMs).length;
    const reference = referenceOf(judged.filter(({ atMs }) => atMs > driftedAtMs));
    if (newer >= labelsToRecover) return { state: "ok", reference, anchoredAt: now, ...drifted };
    const { anchoredAt = previous.fittedAt, why = "" } = previous;
    return { state: "drift", why, reference: previous.reference, anchoredAt, ...drifted };
  }
  const isMature = previous !== undefined && countOf(previous.reference) >= matureScores;
  const anchoredAtMs = timeOf(previous?.anchoredAt) ?? nowMs;
  const recent = judged.filter(({ atMs }) => atMs > anchoredAtMs).slice(0, recentScores);
  const drift = findDrift({
    reference: previous?.reference ?? referenceOf([]),
    scores: recent.map(scoreOf),
    labels: rows
      .filter(({ atMs, isOwnWord, source }) => isOwnWord && atMs > driftedAtMs && watched.has(source))
      .slice(0, watchedLabels)
      .toReversed()
      .map(({ told, correct, weight }) => ({ probability: told ?? 0, correct, weight })),
  });
  const grown = referenceOf(judged.filter(({ atMs }) => atMs > driftedAtMs));
  const stays =
    previous !== undefined &&
    (isMature || drift.state === "drift" || countOf(grown) < growth * countOf(previous.reference));
  const compared = stays
    ? { reference: previous.reference, anchoredAt: previous.anchoredAt ?? previous.fittedAt }
    : { reference: grown, anchoredAt: now };
  if (drift.state === "drift") return { state: "drift", why: drift.why.join("; "), ...compared, driftedAt: now };
  const newestMs = rows[0]?.atMs ?? Number.NEGATIVE_INFINITY;
  if (nowMs - newestMs <= staleAfterMs) return { state: "ok", ...compared, ...drifted };
  return { state: "stale", why: "its newest label is older than 30 days", ...compared, ...drifted };
}

/** Silver labels are no truth to be measured by, and who reaches a reviewer was chosen. */
const watched: ReadonlySet<TrainingRow["source"]> = new Set(["human", "verifier"]);

function referenceOf(judged: readonly JudgedAnswer[]): ScoreHistogram {
  return histogramOf(judged.slice(0, referenceScores).map(scoreOf));
}

function scoreOf({ features }: JudgedAnswer): { readonly score: number } {
  return { score: features[0] ?? 0 };
}

function timeOf(iso: string | undefined): number | undefined {
  return iso === undefined ? undefined : Date.parse(iso);
}
