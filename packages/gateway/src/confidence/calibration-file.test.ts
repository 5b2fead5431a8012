import { describe, expect, test } from "vitest";
import type { CalibrationEntry } from "#domain/calibration";
import { calibrationVersion, readCalibrationFile, writeCalibrationFile } from "./calibration-file.ts";
import { fitCalibrator } from "./fit-calibrator.ts";

const createdAt = "2026-08-01T12:00:00.000Z";

function entryOf(model: string, count: number): CalibrationEntry {
  const samples = Array.from({ length: count }, (_, at) => ({
    features: [(at % 23) - 11],
    correct: at % 23 > 16 || (at % 23 > 6 && at % 2 === 0) ? 1 : 0,
    weight: 1,
  }));
  const fit = fitCalibrator({ samples, promises: [{ accuracy: 0.85, delta: 0.05 }] });
  if (fit === undefined) throw new Error("nothing was fitted");
  const { calibrator, quality, pools, reference } = fit;
  return {
    key: { model, shape: "label", signals: "logprobs" },
    calibrator,
    quality,
    pools,
    reference,
    state: "ok",
    fittedAt: createdAt,
  };
}

const entries = [entryOf("openai/gpt-5.4", 900), entryOf("anthropic/claude-sonnet-5", 150)];
const text = writeCalibrationFile({ createdAt, entries });

/** The file with one thing changed. */
function broken(change: (file: { entries: Record<string, never>[] } & Record<string, unknown>) => void): string {
  const file = JSON.parse(text) as { entries: Record<string, never>[] };
  change(file);
  const read = readCalibrationFile(JSON.stringify(file));
  return read.kind === "broken" ? read.why : "it was read";
}

describe("a file of calibrations", () => {
  test("is read as it was written", () => {
    const read = readCalibrationFile(text);
    if (read.kind === "broken") throw new Error(read.why);
    expect(entries[0]?.calibrator.kind).toBe("isotonic");
    expect(entries[0]?.pools).toHaveLength(1);
    expect(read.createdAt).toBe(createdAt);
    expect(read.calibrations.entries).toEqual(entries.toReversed());
    expect(read.calibrations.version).toBe(calibrationVersion(entries));
    expect(text.split("\n")).toHaveLength(5);
  });

  test("has a version that is of its content, not of its order", () => {
    const version = calibrationVersion(entries);
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(calibrationVersion(entries.toReversed())).toBe(version);
    const [first, ...rest] = entries;
    if (first === undefined) throw new Error("no entries");
    expect(calibrationVersion([{ ...first, state: "drift" }, ...rest])).not.toBe(version);
    expect(calibrationVersion([])).not.toBe(version);
  });

  test.each<[string, Parameters<typeof broken>[0]]>([
    ["format must be 1", (file) => Object.assign(file, { format: 2 })],
    ["createdAt must be a date and time in ISO 8601", (file) => Object.assign(file, { createdAt: "yesterday" })],
    ["entries must be a list", (file) => Object.assign(file, { entries: {} })],
    ["entries[1] must be an object", (file) => Object.assign(file.entries, { 1: null })],
    [
      "entries[1].key is there twice",
      (file) => Object.assign(file.entries[1] ?? {}, { key: file.entries[0]?.["key"] }),
    ],
    [
      "entries[0].key.shape must be one of label, short, long, json, tool",
      (file) => Object.assign(file.entries[0]?.["key"] ?? {}, { shape: "poem" }),
    ],
    [
      "entries[0].calibrator.labels must be a number from 0",
      (file) => Object.assign(file.entries[0]?.["calibrator"] ?? {}, { labels: "many" }),
    ],
    [
      "entries[0].calibrator.logistic must not fall: the first slope, and its sum with the hinge, are 0 or more",
      (file) =>
        Object.assign(file.entries[0]?.["calibrator"] ?? {}, { logistic: { intercept: 0, slopes: [1], hinge: -2 } }),
    ],
    [
      "entries[1].calibrator.steps.logOdds[1] must be more than the number before",
      (file) =>
        Object.assign(file.entries[1]?.["calibrator"] ?? {}, { steps: { logOdds: [1, 1], probabilities: [0, 1] } }),
    ],
    [
      "entries[0].quality.ece must be a number from 0 to 1",
      (file) => Object.assign(file.entries[0]?.["quality"] ?? {}, { ece: 2 }),
    ],
    [
      "entries[0].reference.counts must be one more than the edges",
      (file) => Object.assign(file.entries[0]?.["reference"] ?? {}, { counts: [1] }),
    ],
    [
      "entries[0].state must be one of ok, stale, drift",
      (file) => Object.assign(file.entries[0] ?? {}, { state: "x" }),
    ],
  ])("says where it is wrong: %s", (why, change) => {
    expect(broken(change)).toBe(why);
  });

  test("is none where it is no JSON, or no object", () => {
    expect(readCalibrationFile("{")).toEqual({ kind: "broken", why: "it is not JSON" });
    expect(readCalibrationFile("[]")).toMatchObject({ kind: "broken", why: "the file must be an object" });
  });
});
