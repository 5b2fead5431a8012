import type { CalibrationEntry, CalibrationScope, CalibrationSet, Calibrator } from "#domain/calibration";
import type { CalibrationKey } from "#domain/confidence";
import { globalPrior } from "./calibrator.ts";

export interface ChosenCalibrator {
  readonly calibrator: Calibrator;
  /** Absent for the global prior. */
  readonly entry?: CalibrationEntry;
  /** Whose it is: the key's own, an ancestor's, or the global prior. */
  readonly level: "own" | "parent" | "prior";
}

/**
 * Whose answers may speak for a key, the nearest first: its own, those of the model with this shape and these signals on any
 * route, those of any model. Shape and signals are never left out: they decide what a score means.
 */
export function scopesOf(key: CalibrationKey): readonly [CalibrationKey, ...CalibrationScope[]] {
  const { model, shape, signals } = key;
  return [key, { model, shape, signals }, { shape, signals }];
}

/**
 * A scope's name, for tables and look-ups: `route=support|model=openai/gpt-5.4|tier=0|shape=label|signals=logprobs`. What is
 * not told apart is left out, in values `%`, `|` and `=` are escaped as in URLs.
 */
export function scopeName(scope: CalibrationScope): string {
  const parts: string[] = [];
  for (const part of ["tenant", "route", "model", "tier", "shape", "signals"] as const) {
    const value = scope[part];
    if (value === undefined || value === "") continue;
    parts.push(`${part}=${String(value).replace(/[%|=]/gu, encodeURIComponent)}`);
  }
  return parts.join("|");
}

/**
 * The calibrator of the nearest scope that has one, else the global prior. With `features`, calibrators made for more or
 * fewer are passed over: they are from a version that scored otherwise.
 */
export function chooseCalibrator(
  calibrations: CalibrationSet | undefined,
  key: CalibrationKey,
  features?: number,
): ChosenCalibrator {
  if (calibrations !== undefined) {
    const entries = entriesByName(calibrations);
    for (const [at, scope] of scopesOf(key).entries()) {
      const entry = entries.get(scopeName(scope));
      if (entry === undefined || (features !== undefined && entry.calibrator.logistic.slopes.length !== features))
        continue;
      return { calibrator: entry.calibrator, entry, level: at === 0 ? "own" : "parent" };
    }
  }
  return { calibrator: globalPrior, level: "prior" };
}

/** A set never changes: its index is made once and goes with it. */
const indexes = new WeakMap<CalibrationSet, ReadonlyMap<string, CalibrationEntry>>();

function entriesByName(calibrations: CalibrationSet): ReadonlyMap<string, CalibrationEntry> {
  const known = indexes.get(calibrations);
  if (known !== undefined) return known;
  const made = new Map(calibrations.entries.map((entry) => [scopeName(entry.key), entry]));
  indexes.set(calibrations, made);
  return made;
}
