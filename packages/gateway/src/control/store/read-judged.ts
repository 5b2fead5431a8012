import type { CalibrationKey, CalibrationNote, Verdict } from "#domain/confidence";
import type { LedgerReader } from "./sql.ts";
import type { Row, Store } from "./sqlite.ts";

/** One judged answer, and what is to be known of its call. */
export interface JudgedAnswer {
  readonly callId: string;
  readonly caller: string;
  /** When its call was accepted. */
  readonly atMs: number;
  readonly number: number;
  readonly target: string;
  readonly key: CalibrationKey;
  /** Equal for equal keys. */
  readonly keyText: string;
  readonly features: readonly number[];
  readonly score: number | null;
  readonly raw: number | null;
  readonly estimator: string;
  /** Whose calibration the score is of. */
  readonly calibration: CalibrationNote["state"];
  readonly verdict: Verdict;
  readonly outcome: string;
  /** Whether it says the same as the answer that was given; absent: nobody can tell. */
  readonly agrees?: boolean;
}

/** Statements have so many places; the last ids stand in those that are left. */
const idsAtOnce = 100;
const columns = `calls.id AS call_id, caller, at_ms, number, target, calibration_key, features, score, raw, estimator,
  calibration_state, verdict, outcome, agrees`;

const ofCalls = `SELECT ${columns} FROM attempts JOIN calls ON calls.id = attempts.call_id
  WHERE calls.id IN (${Array.from({ length: idsAtOnce }, () => "?").join(", ")})
    AND verdict IS NOT NULL AND role IS NULL ORDER BY calls.id, number`;

/** Every judged answer of these calls, second opinions left out. */
export function judgedAnswersOf(
  store: Store,
  callIds: readonly string[],
): ReadonlyMap<string, readonly JudgedAnswer[]> {
  return byCall(idPages(callIds).flatMap((ids) => store.all(ofCalls, ...ids)));
}

/** The same of any ledger. */
export async function readJudgedAnswersOf(
  reader: LedgerReader,
  callIds: readonly string[],
): Promise<ReadonlyMap<string, readonly JudgedAnswer[]>> {
  const rows: Row[] = [];
  for (const ids of idPages(callIds)) rows.push(...(await reader.all(ofCalls, ...ids)));
  return byCall(rows);
}

function idPages(callIds: readonly string[]): readonly (readonly string[])[] {
  const pages: string[][] = [];
  for (let at = 0; at < callIds.length; at += idsAtOnce) {
    const ids = callIds.slice(at, at + idsAtOnce);
    const last = ids.at(-1) ?? "";
    pages.push(Array.from({ length: idsAtOnce }, (_, place) => ids[place] ?? last));
  }
  return pages;
}

function byCall(rows: readonly Row[]): ReadonlyMap<string, readonly JudgedAnswer[]> {
  return Map.groupBy(rows.map(judgedOf), ({ callId }) => callId);
}

/** Judged answers of calls accepted in `[fromMs, untilMs)`, the newest first. */
export function judgedAnswers(
  store: Store,
  { fromMs, untilMs, limit }: { readonly fromMs: number; readonly untilMs: number; readonly limit: number },
): readonly JudgedAnswer[] {
  return store
    .all(
      `SELECT ${columns} FROM attempts JOIN calls ON calls.id = attempts.call_id
       WHERE verdict IS NOT NULL AND judged_at_ms >= ? AND judged_at_ms < ? AND role IS NULL
         AND decision <> 'shadow' ORDER BY judged_at_ms DESC LIMIT ?`,
      fromMs,
      untilMs,
      limit,
    )
    .map(judgedOf);
}

/** Judged answers that are alike: as many rows as there are kinds of answers, however many answers. */
export interface JudgedCount {
  readonly key: CalibrationKey;
  readonly verdict: Verdict;
  readonly calibration: CalibrationNote["state"];
  readonly answers: number;
  /** When the call of the newest of them was accepted. */
  readonly newestMs: number;
}

/** Of calls accepted in the window, second opinions and shadows left out. */
export async function judgedCounts(
  reader: LedgerReader,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Promise<readonly JudgedCount[]> {
  const rows = await reader.all(
    `SELECT calibration_key, verdict, calibration_state, count(*) AS answers, max(judged_at_ms) AS newest
     FROM attempts JOIN calls ON calls.id = attempts.call_id
     WHERE verdict IS NOT NULL AND judged_at_ms >= ? AND judged_at_ms < ? AND role IS NULL AND decision <> 'shadow'
     GROUP BY calibration_key, verdict, calibration_state`,
    fromMs,
    untilMs,
  );
  return rows.map((row) => ({
    key: JSON.parse(String(row["calibration_key"])) as CalibrationKey,
    verdict: String(row["verdict"]) as Verdict,
    calibration: String(row["calibration_state"]) as CalibrationNote["state"],
    answers: Number(row["answers"]),
    newestMs: Number(row["newest"]),
  }));
}

/** A comparison with another model's answer. */
export interface ComparedAnswer {
  readonly callId: string;
  readonly number: number;
  readonly atMs: number;
  readonly agrees: boolean;
  /** Of a shadow: the call whose given answer it was compared with, and how likely that was. */
  readonly shadow?: { readonly of: string; readonly propensity: number };
}

/** The newest first, of calls before a time. */
export function comparedAnswers(
  store: Store,
  { untilMs, limit }: { readonly untilMs: number; readonly limit: number },
): readonly ComparedAnswer[] {
  return store
    .all(
      `SELECT calls.id AS call_id, number, at_ms, agrees, shadow_of, propensity
       FROM attempts JOIN calls ON calls.id = attempts.call_id
       WHERE agrees IS NOT NULL AND judged_at_ms < ? AND role IS NULL ORDER BY judged_at_ms DESC LIMIT ?`,
      untilMs,
      limit,
    )
    .map(comparedOf);
}

function comparedOf(row: Row): ComparedAnswer {
  const { shadow_of: of, propensity } = row;
  return {
    callId: String(row["call_id"]),
    number: Number(row["number"]),
    atMs: Number(row["at_ms"]),
    agrees: row["agrees"] === 1,
    ...(typeof of === "string" ? { shadow: { of, propensity: Number(propensity ?? 1) } } : {}),
  };
}

function judgedOf(row: Row): JudgedAnswer {
  const keyText = String(row["calibration_key"]);
  return {
    callId: String(row["call_id"]),
    caller: String(row["caller"]),
    atMs: Number(row["at_ms"]),
    number: Number(row["number"]),
    target: String(row["target"]),
    key: JSON.parse(keyText) as CalibrationKey,
    keyText,
    features: JSON.parse(String(row["features"])) as readonly number[],
    score: row["score"] === null ? null : Number(row["score"]),
    raw: row["raw"] === null ? null : Number(row["raw"]),
    estimator: String(row["estimator"]),
    calibration: String(row["calibration_state"]) as CalibrationNote["state"],
    verdict: String(row["verdict"]) as Verdict,
    outcome: String(row["outcome"]),
    ...(row["agrees"] === null ? {} : { agrees: row["agrees"] === 1 }),
  };
}
