import { scopeName } from "#confidence/calibration-key";
import type { CalibrationEntry, CalibrationSet, CalibrationState } from "#domain/calibration";
import { cleanLabel, type FamilyName, type SampledFamily } from "./metrics.ts";

const numbers: Readonly<Record<CalibrationState, number>> = { ok: 0, stale: 1, drift: 2 };
/** Those with most labels; a gateway with more is looked at with `hedgerow report confidence`. */
const mostSeries = 200;
const longestLabel = 200;

/** Calibrations of keys as families of metrics; what their ancestors know is no news of its own. */
export function calibrationFamilies(calibrations: CalibrationSet | undefined): readonly SampledFamily[] {
  const own = (calibrations?.entries ?? []).filter(({ key }) => key.route !== undefined);
  const largest = own.toSorted((a, b) => b.quality.nEff - a.quality.nEff).slice(0, mostSeries);
  if (largest.length === 0) return [];
  return [
    family("hedgerow_calibration_state", largest, ({ state }) => numbers[state]),
    family("hedgerow_calibration_labels", largest, ({ quality }) => quality.nEff),
  ];
}

function family(
  name: FamilyName,
  entries: readonly CalibrationEntry[],
  valueOf: (entry: CalibrationEntry) => number,
): SampledFamily {
  const series = entries.map((entry) => ({
    labels: [cleanLabel(scopeName(entry.key), longestLabel)],
    values: [valueOf(entry)],
  }));
  return { name, series };
}
