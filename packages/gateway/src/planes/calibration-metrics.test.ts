import { describe, expect, it } from "vitest";
import type { CalibrationEntry, CalibrationState } from "#domain/calibration";
import { calibrationFamilies } from "./calibration-metrics.ts";
import { mergeSamples, renderMetrics } from "./metrics.ts";

function entry(state: CalibrationState, route?: string): CalibrationEntry {
  return {
    key: {
      ...(route === undefined ? {} : { tenant: "", route, model: "a/m", tier: 0 }),
      shape: "label",
      signals: "logprobs",
    },
    calibrator: { kind: "platt", logistic: { intercept: 0, slopes: [0.5], hinge: 0 }, labels: 120 },
    quality: { n: 130, nEff: 120, ece: 0.05, eceFloor: 0.04, brier: 0.2 },
    pools: [],
    reference: { edges: [0], counts: [1, 1] },
    state,
    fittedAt: "2026-11-20T00:00:00Z",
  };
}

describe("metrics of calibrations", () => {
  it("tell of each key whether it still fits, once for all workers", () => {
    const set = { version: "v", entries: [entry("drift", "main"), entry("ok", "other"), entry("ok")] };
    const text = renderMetrics(mergeSamples([calibrationFamilies(set), calibrationFamilies(set)]));
    expect(text).toContain(
      'hedgerow_calibration_state{answers="route=main|model=a/m|tier=0|shape=label|signals=logprobs"} 2\n',
    );
    expect(text).toContain(
      'hedgerow_calibration_labels{answers="route=other|model=a/m|tier=0|shape=label|signals=logprobs"} 120\n',
    );
    expect(text).not.toContain('answers="shape=label');
  });

  it("are none where nothing was learned", () => {
    expect(calibrationFamilies(undefined)).toEqual([]);
  });
});
