import { afterEach, describe, expect, it } from "vitest";
import { calibrationsFile, writeCalibrations } from "#control/config/calibrations";
import { renderProblem } from "#control/config/problem";
import type { CalibrationEntry } from "#domain/calibration";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigFolder } from "../world/config-folder.ts";

const folders: ConfigFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function warnings(rule: string, targets: string, entries: readonly CalibrationEntry[] = []): string {
  const folder = new ConfigFolder({ A: "key-a", B: "key-b" });
  folders.push(folder);
  if (entries.length > 0) {
    const data = join(folder.path, ".hedgerow");
    mkdirSync(data);
    writeCalibrations(join(data, calibrationsFile), { entries, createdAt: "2026-11-20T00:00:00Z" });
  }
  const yaml = `
providers:
  openai: { kind: openai, key: \${A} }
  anthropic: { kind: anthropic, key: \${B} }
  amazon: { kind: bedrock, region: eu-central-1, key: \${B} }
routes:
  default: { targets: [${targets}], confidence: { ${rule} } }
`;
  return folder.configured(yaml).warnings.map(renderProblem).join("\n");
}

function entry(more: Partial<CalibrationEntry>, accuracy: number): CalibrationEntry {
  return {
    key: { tenant: "", route: "default", model: "openai/gpt-5.4", tier: 1, shape: "label", signals: "logprobs" },
    calibrator: { kind: "platt", logistic: { intercept: 0, slopes: [0.5], hinge: 0 }, labels: 200 },
    quality: { n: 200, nEff: 200, ece: 0.05, eceFloor: 0.04, brier: 0.2, accuracy },
    pools: [],
    reference: { edges: [0], counts: [100, 100] },
    state: "ok",
    fittedAt: "2026-11-20T00:00:00Z",
    ...more,
  };
}

const both = "openai/gpt-5.4, anthropic/claude-sonnet-5";
const blind = /no target tells log-probabilities/u;

describe("lint of a route's gate", () => {
  it("says that no answer can get a score where nobody tells anything of it", () => {
    const deaf = "anthropic/claude-sonnet-5, amazon/anthropic.claude-sonnet-5";
    expect(warnings("min: 0.9", deaf)).toMatch(blind);
    expect(warnings("min: 0.9, second: openai/gpt-5.4", deaf)).not.toMatch(blind);
    expect(warnings("min: 0.9, judge: openai/gpt-5.4", deaf)).not.toMatch(blind);
    expect(warnings("min: 0.9, decision: { url: 'http://c.example/classify', right: 1 }", deaf)).not.toMatch(blind);
    expect(warnings("min: 0.9, estimator: logprobs, judge: openai/gpt-5.4", deaf)).toMatch(blind);
    expect(warnings("min: 0.9", both)).not.toMatch(blind);
  });

  it("says that a gate with one target changes nothing where its answer is given all the same", () => {
    const said = /the gate changes nothing/u;
    expect(warnings("exhausted: best", "openai/gpt-5.4")).toMatch(said);
    expect(warnings("exhausted: review", "openai/gpt-5.4")).not.toMatch(said);
    expect(warnings("exhausted: best", both)).not.toMatch(said);
  });

  it.each([
    ["min: 0", /every answer reaches 0/u],
    ["min: 1", /no answer is ever sure/u],
    ["maxCost: 0", /nobody but the first target/u],
    ["min: 0.8, hedgeBelow: 0.9", /between 0\.8 and 0\.9 are sure enough/u],
    ["second: openai/gpt-5.4", /compared with its own/u],
    ["judge: anthropic/claude-sonnet-5", /judges its own answers/u],
  ])("says that %s cannot be meant", (rule, said) => {
    expect(warnings(rule, both)).toMatch(said);
    expect(warnings("min: 0.8, hedgeBelow: 0.8, second: anthropic/claude-sonnet-5, maxCost: 1", both)).not.toMatch(
      said,
    );
  });

  it("says that a pool without labels lets nothing through", () => {
    const said = /no pool of this route is certified for 0\.9 yet/u;
    expect(warnings("mode: pool, min: 0.9", both)).toMatch(said);
    expect(warnings("mode: pool, min: 0.9, uncalibrated: observe", both)).not.toMatch(said);
    const pool = { delta: 0.05, threshold: 0.8, accuracyLowerBound: 0.91, accepted: 100, correct: 98 };
    expect(warnings("mode: pool, min: 0.9", both, [entry({ pools: [{ min: 0.9, ...pool }] }, 0.95)])).not.toMatch(said);
    expect(warnings("mode: pool, min: 0.9", both, [entry({ pools: [{ min: 0.85, ...pool }] }, 0.95)])).toMatch(said);
  });

  it("says how much any gate has to refuse where the last target is wrong too often", () => {
    // (0.4 - 0.15) / (1 - 0.15)
    expect(warnings("min: 0.85", both, [entry({}, 0.6)])).toMatch(
      /40 % of the 200 labelled answers of openai\/gpt-5\.4 \(label\) are wrong: to keep 0\.85, at least 29 % .* refused/u,
    );
    expect(warnings("min: 0.85", both, [entry({}, 0.86)])).not.toMatch(/has to be refused/u);
    // The first target has somebody behind it.
    const first = entry({ key: { ...entry({}, 0).key, tier: 0 } }, 0.4);
    expect(warnings("min: 0.85", both, [first, entry({}, 0.9)])).not.toMatch(/has to be refused/u);
  });
});
