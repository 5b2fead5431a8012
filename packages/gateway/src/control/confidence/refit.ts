import { scopeName, scopesOf } from "#confidence/calibration-key";
import { globalPrior } from "#confidence/calibrator";
import { effectiveCount } from "#confidence/effective-count";
import { fitCalibrator, type CalibratorFit } from "#confidence/fit-calibrator";
import { certifyPool } from "#confidence/pool-threshold";
import type {
  CalibrationEntry,
  CalibrationScope,
  CalibrationSet,
  CalibrationState,
  Calibrator,
  PoolCertificate,
} from "#domain/calibration";
import type { CalibrationKey } from "#domain/confidence";
import type { JudgedAnswer } from "#control/store/read-judged";
import { fairlyFirst } from "./fair-share.ts";
import { promisesOf, type RoutePromises } from "./promises.ts";
import { samplesOf, teachingRows, type SampledRow } from "./samples.ts";
import type { TrainingRow } from "./training-rows.ts";
import { staleAfterMs, watchEntry } from "./watch-entry.ts";

export interface RefitInput {
  /** The newest first. */
  readonly rows: readonly TrainingRow[];
  /** Answers judged of late, labelled or not, the newest first. */
  readonly judged: readonly JudgedAnswer[];
  readonly previous: CalibrationSet | undefined;
  readonly promises: RoutePromises;
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** Fits everything anew; otherwise only what has newer labels. */
  readonly whole: boolean;
}

/** A calibration whose state changed. */
export interface StateNews {
  readonly scope: string;
  readonly state: CalibrationState;
  readonly why?: string;
}

export interface Refitted {
  readonly entries: readonly CalibrationEntry[];
  readonly news: readonly StateNews[];
}

/** Fewer labels fit worse than the prior does (mean error of calibration 0.108 with 10, 0.098 with none, 0.086 with 25). */
const fewestLabels = 25;
/** Of one fit: with a half-life of 2,000 labels older ones count an eighth and less. */
const mostRows = 6000;
/** The least labelled answers are the least sure ones; below them nothing is known, and nothing is promised. */
const unlabelledTail = 0.02;
const mostEntries = 2000;
/** A label may be written a moment before a fit that does not see its call's record yet. */
const lateRecordMs = 60_000;
const dayMs = 86_400_000;

/** Calibrations for every key with labels enough, and for their ancestors. */
export function refit(input: RefitInput): Refitted {
  const { previous } = input;
  const before = new Map(previous?.entries.map((entry) => [scopeName(entry.key), entry]));
  const keys = groupsOf(input);
  const fitted = new Map<string, CalibrationEntry>();
  // Ancestors first: their calibrators are what their children begin with.
  for (const level of [2, 1] as const) {
    for (const [scope, rows] of ancestorsOf(keys, level)) {
      const entry = ancestorEntry(rows, { ...input, previous: before.get(scopeName(scope)), scope });
      if (entry !== undefined) fitted.set(scopeName(scope), entry);
    }
  }
  for (const group of keys) {
    const entry = ownEntry(group, { ...input, keys, previous: before.get(scopeName(group.key)) });
    if (entry !== undefined) fitted.set(scopeName(group.key), entry);
  }
  for (const [name, entry] of before) if (!fitted.has(name)) fitted.set(name, withoutLabels(entry, input.nowMs));
  const largest = [...fitted].toSorted(([, a], [, b]) => b.quality.nEff - a.quality.nEff).slice(0, mostEntries);
  // In the order of the file, so that what is read again is the same.
  const entries = largest.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const news = entries.flatMap(({ key, state, why }) => {
    const scope = scopeName(key);
    if ((before.get(scope)?.state ?? "ok") === state) return [];
    return [{ scope, state, ...(why === undefined ? {} : { why }) }];
  });
  return { entries, news };
}

interface KeyGroup {
  readonly key: CalibrationKey;
  /** All, and those that may teach; the newest first. */
  readonly rows: readonly TrainingRow[];
  readonly teaching: readonly TrainingRow[];
  readonly judged: readonly JudgedAnswer[];
}

function groupsOf({ rows, judged }: RefitInput): readonly KeyGroup[] {
  const judgedByKey = Map.groupBy(judged, ({ keyText }) => keyText);
  return [...Map.groupBy(rows, ({ keyText }) => keyText)].flatMap(([keyText, ofKey]) => {
    const newest = ofKey.toSorted((a, b) => b.atMs - a.atMs);
    const key = newest[0]?.key;
    if (key === undefined) return [];
    const looked = judgedByKey.get(keyText) ?? [];
    const accepted = looked.filter(({ verdict }) => verdict !== "doubted").length;
    const share = looked.length === 0 ? undefined : accepted / looked.length;
    return [{ key, rows: newest, teaching: fairlyFirst(teachingRows(newest, share), mostRows), judged: looked }];
  });
}

function ancestorsOf(keys: readonly KeyGroup[], level: 1 | 2): readonly [CalibrationScope, readonly TrainingRow[]][] {
  const found = new Map<string, [CalibrationScope, TrainingRow[]]>();
  for (const { key, teaching } of keys) {
    const scope = scopesOf(key)[level];
    if (scope === undefined) continue;
    const known = found.get(scopeName(scope));
    if (known === undefined) found.set(scopeName(scope), [scope, [...teaching]]);
    else known[1].push(...teaching);
  }
  return [...found.values()].map(([scope, rows]) => [
    scope,
    fairlyFirst(
      rows.toSorted((a, b) => b.atMs - a.atMs),
      mostRows,
    ),
  ]);
}

interface Fitting extends Pick<RefitInput, "nowMs" | "whole" | "promises"> {
  readonly previous: CalibrationEntry | undefined;
}

function ancestorEntry(
  rows: readonly TrainingRow[],
  fitting: Fitting & { readonly scope: CalibrationScope },
): CalibrationEntry | undefined {
  const { previous, nowMs, scope } = fitting;
  if (previous !== undefined && isUpToDate(rows, fitting)) return previous;
  const fit = fitOf(samplesOf(rows, { nowMs }), globalPrior);
  if (fit === undefined) return undefined;
  const { calibrator, quality, reference } = fit;
  return {
    key: scope,
    calibrator,
    quality,
    pools: [],
    reference,
    state: "ok",
    fittedAt: new Date(nowMs).toISOString(),
  };
}

function ownEntry(
  { key, rows, teaching, judged }: KeyGroup,
  fitting: Fitting & { readonly keys: readonly KeyGroup[] },
): CalibrationEntry | undefined {
  const { previous, nowMs, keys, promises } = fitting;
  const watched = watchEntry({ previous, rows, judged, nowMs });
  if (previous !== undefined && previous.state === watched.state && isUpToDate(teaching, fitting)) {
    return { ...withoutWhy(previous), ...watched };
  }
  const driftedAtMs = watched.driftedAt === undefined ? undefined : Date.parse(watched.driftedAt);
  const sampled = samplesOf(teaching, { nowMs, ...(driftedAtMs === undefined ? {} : { driftedAtMs }) });
  const fit = fitOf(sampled, parentOf(key, keys, nowMs));
  // After a drift there may be too few labels that count: the old curve stays, without its promise.
  if (fit === undefined) return previous === undefined ? undefined : { ...withoutWhy(previous), ...watched };
  if (previous !== undefined && isBetterFounded(previous, fit, nowMs)) return { ...withoutWhy(previous), ...watched };
  const { calibrator, quality } = fit;
  const pools = certificatesOf(sampled, fit, promisesOf(key.route, promises));
  return { key, calibrator, quality, pools, fittedAt: new Date(nowMs).toISOString(), ...watched };
}

function withoutWhy(entry: CalibrationEntry): CalibrationEntry {
  const { why: _why, ...rest } = entry;
  return rest;
}

/** What somebody fitted on many labels of their own is not given up for the first few that came here. */
function isBetterFounded(previous: CalibrationEntry, fit: CalibratorFit, nowMs: number): boolean {
  const isOld = nowMs - Date.parse(previous.fittedAt) > staleAfterMs;
  return previous.state !== "drift" && !isOld && previous.quality.nEff > 2 * fit.quality.nEff;
}

/** Nothing came since the last fit, and it is not so old that its labels have faded. */
function isUpToDate(rows: readonly TrainingRow[], { previous, whole, nowMs }: Fitting): boolean {
  if (previous === undefined || whole) return false;
  const fittedAtMs = Date.parse(previous.fittedAt);
  return nowMs - fittedAtMs < dayMs && (rows[0]?.atMs ?? 0) < fittedAtMs - lateRecordMs;
}

function fitOf(sampled: readonly SampledRow[], parent: Calibrator): CalibratorFit | undefined {
  const samples = sampled.map(({ sample }) => sample);
  if (effectiveCount(samples.map(({ weight }) => weight)) < fewestLabels) return undefined;
  return fitCalibrator({ samples, parent });
}

/**
 * What others' labels say of such answers: of the model on other routes, else of other models. Never those of the key
 * itself, which would count twice.
 */
function parentOf(key: CalibrationKey, keys: readonly KeyGroup[], nowMs: number): Calibrator {
  for (const level of [1, 2] as const) {
    const scope = scopeName(scopesOf(key)[level] ?? key);
    const others = keys.filter(
      (each) => each.key !== key && scopeName(scopesOf(each.key)[level] ?? each.key) === scope,
    );
    const rows = others.flatMap(({ teaching }) => teaching).toSorted((a, b) => b.atMs - a.atMs);
    const fit = fitOf(samplesOf(rows.slice(0, mostRows), { nowMs }), globalPrior);
    if (fit !== undefined) return fit.calibrator;
  }
  return globalPrior;
}

/**
 * Promises stand on the word of people and verifiers, for answers that were not looked at because of their score. Where
 * only given answers are labelled, nothing is known of what scores less: no threshold is below the labelled ones.
 */
function certificatesOf(
  sampled: readonly SampledRow[],
  fit: CalibratorFit,
  promises: ReturnType<typeof promisesOf>,
): readonly PoolCertificate[] {
  const labelled = sampled.flatMap(({ row, sample }, at) => {
    const isFair = !row.ofDoubted && (row.source === "human" || row.source === "verifier");
    return isFair ? [{ score: fit.scores[at] ?? 0, correct: sample.correct, weight: sample.weight }] : [];
  });
  const ascending = labelled.map(({ score }) => score).toSorted((a, b) => a - b);
  const floor = ascending[Math.floor(ascending.length * unlabelledTail)] ?? 1;
  const fair = labelled.filter(({ score }) => score >= floor);
  return promises.flatMap((promise) => {
    const pool = certifyPool(fair, promise);
    return pool === undefined ? [] : [{ ...pool, threshold: Math.max(floor, pool.threshold) }];
  });
}

/** Fitted elsewhere, or its labels have left the store: what they taught is the best there is, and gets old. */
function withoutLabels(entry: CalibrationEntry, nowMs: number): CalibrationEntry {
  if (entry.state !== "ok" || nowMs - Date.parse(entry.fittedAt) <= staleAfterMs) return entry;
  return { ...entry, state: "stale", why: "its newest label is older than 30 days" };
}
