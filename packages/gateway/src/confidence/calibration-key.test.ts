import { describe, expect, test } from "vitest";
import type { CalibrationEntry, CalibrationScope, CalibrationSet, Calibrator } from "#domain/calibration";
import type { CalibrationKey } from "#domain/confidence";
import { chooseCalibrator, scopeName, scopesOf } from "./calibration-key.ts";
import { globalPrior } from "./calibrator.ts";
import { histogramOf } from "./score-histogram.ts";

const key: CalibrationKey = {
  tenant: "",
  route: "support",
  model: "openai/gpt-5.4",
  tier: 0,
  shape: "label",
  signals: "logprobs",
};

function entryFor(scope: CalibrationScope, slopes: readonly number[]): CalibrationEntry {
  const calibrator: Calibrator = { kind: "platt", logistic: { intercept: 0, slopes, hinge: 0 }, labels: 90 };
  const quality = { n: 90, nEff: 90, ece: 0.05, eceFloor: 0.04, brier: 0.1 };
  return {
    key: scope,
    calibrator,
    quality,
    pools: [],
    reference: histogramOf([]),
    state: "ok",
    fittedAt: "2026-08-01",
  };
}

function setOf(...entries: CalibrationEntry[]): CalibrationSet {
  return { version: "v", entries };
}

describe("the calibration of a key", () => {
  const [, model, shape] = scopesOf(key);
  const own = entryFor(key, [0.5]);
  const ofModel = entryFor(model ?? key, [0.4]);
  const ofShape = entryFor(shape ?? key, [0.3]);

  test("is its own, else that of its model, else that of its shape, else the prior", () => {
    expect(chooseCalibrator(setOf(ofShape, ofModel, own), key)).toMatchObject({ level: "own", entry: own });
    expect(chooseCalibrator(setOf(ofShape, ofModel), key)).toMatchObject({ level: "parent", entry: ofModel });
    expect(chooseCalibrator(setOf(ofShape), key)).toMatchObject({ level: "parent", entry: ofShape });
    for (const none of [undefined, setOf()]) {
      expect(chooseCalibrator(none, key)).toEqual({ calibrator: globalPrior, level: "prior" });
    }
  });

  test("is not that of another shape, other signals, another tier or tenant", () => {
    for (const other of [{ shape: "json" }, { signals: "agreement" }, { tier: 1 }, { tenant: "acme" }] as const) {
      expect(chooseCalibrator(setOf(own), { ...key, ...other }).level).toBe("prior");
    }
  });

  test("is passed over where it was made for other features", () => {
    expect(chooseCalibrator(setOf(entryFor(key, [0.5, 1]), ofModel), key, 1).entry).toBe(ofModel);
    expect(chooseCalibrator(setOf(entryFor(key, [0.5, 1])), key, 2).level).toBe("own");
  });

  test("has a name that no other scope has", () => {
    expect(scopesOf(key).map(scopeName)).toEqual([
      "route=support|model=openai/gpt-5.4|tier=0|shape=label|signals=logprobs",
      "model=openai/gpt-5.4|shape=label|signals=logprobs",
      "shape=label|signals=logprobs",
    ]);
    expect(scopeName({ ...key, tenant: "a|route=b%", signals: "agreement+logprobs" })).toBe(
      "tenant=a%7Croute%3Db%25|route=support|model=openai/gpt-5.4|tier=0|shape=label|signals=agreement+logprobs",
    );
  });
});
