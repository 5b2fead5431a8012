import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { report } from "#cli/commands/report";
import type { ConfidenceReport } from "#control/reports/confidence";
import { ingestRecords } from "#control/store/ingest";
import { labelsFile, openLabelsFile } from "#control/store/labels-file";
import { openStore, storeFile } from "#control/store/sqlite";
import type { Label } from "#domain/confidence";
import type { CallRecord } from "#domain/record";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { runCommand } from "../world/run-command.ts";
import { expectGolden } from "./golden-text.ts";

const folder = mkdtempSync(join(tmpdir(), "hedgerow-confidence-"));
const nowMs = Date.parse("2026-11-22T00:00:00Z");

const configuration = `
providers:
  weak: { kind: openai-compatible, url: "http://127.0.0.1:1/v1" }
  strong: { kind: openai-compatible, url: "http://127.0.0.1:2/v1" }
routes:
  default: { targets: [weak/m, strong/m] }
`;

/** What is known of one call, from which its record and its label are written; the test counts over these. */
interface Told {
  readonly id: string;
  readonly at: string;
  /** Of the weak model; below 0.85 the strong one is asked. */
  readonly score: number;
  readonly strongScore: number;
  readonly label?: { readonly correct: number };
}

const told: readonly Told[] = Array.from({ length: 120 }, (_, at) => ({
  id: `req_${String(at).padStart(24, "0")}`,
  at: new Date(nowMs - 86_400_000 + at * 60_000).toISOString(),
  score: 0.4 + ((at * 37) % 60) / 100,
  strongScore: 0.7 + ((at * 13) % 29) / 100,
  ...(at % 2 === 0 ? { label: { correct: Number(at % 10 !== 0) } } : {}),
}));

const isSure = ({ score }: Told) => score >= 0.85;
const key = { ...sampleJudgement().key, route: "default" };

function recordOf(call: Told): CallRecord {
  const weak = { score: call.score, key: { ...key, model: "vendor/weak" } };
  const strong = { score: call.strongScore, key: { ...key, model: "vendor/strong", tier: 1 } };
  const first = attemptRecord({
    target: "weak/m",
    outcome: isSure(call) ? "answered" : "doubted",
    costNanoUsd: 1_000_000,
    judgement: sampleJudgement({ ...weak, verdict: isSure(call) ? "accepted" : "doubted" }),
  });
  const second = attemptRecord({
    target: "strong/m",
    costNanoUsd: 10_000_000,
    judgement: sampleJudgement({ ...strong, verdict: "accepted" }),
  });
  const attempts = isSure(call) ? [first] : [first, second];
  return callRecord(call.id, { at: call.at, attempts, costNanoUsd: isSure(call) ? 1_000_000 : 11_000_000 });
}

beforeAll(async () => {
  writeFileSync(join(folder, "hedgerow.yaml"), configuration);
  const opened = openStore(join(folder, ".hedgerow", storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  const plain = callRecord("req_plain", { at: told[0]?.at ?? "", costNanoUsd: 99_000_000 });
  const shadow = callRecord("req_shadow", {
    at: told[0]?.at ?? "",
    decision: "shadow",
    costNanoUsd: 99_000_000,
    attempts: recordOf(told[0] as Told).attempts,
  });
  const records = [...told.map(recordOf), plain, shadow];
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 9, chainHash: "h" }, records);
  opened.store.close();
  const labels = openLabelsFile({
    path: join(folder, ".hedgerow", labelsFile),
    onTrouble: (why) => expect.fail(why),
    nowMs: () => 0,
  });
  const add = (label: Partial<Label> & Pick<Label, "callId">) =>
    new Promise((then) => {
      const usual = { correct: 1, source: "human", weight: 1, propensity: 1, caller: "app", atMs: nowMs } as const;
      labels.take({ ...usual, ...label }, then);
    });
  // What a verifier said first, a person corrected.
  await add({ callId: told[0]?.id ?? "", source: "verifier", correct: 1 });
  for (const { id, label } of told) if (label !== undefined) await add({ callId: id, correct: label.correct });
  await add({ callId: told[1]?.id ?? "", caller: "somebody else" });
  labels.close();
});

afterAll(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]) {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  const ran = await runCommand(["report", "confidence", ...args], [report], { cwd: folder });
  vi.useRealTimers();
  return ran;
}

async function made(...args: readonly string[]): Promise<ConfidenceReport> {
  const ran = await run(...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as ConfidenceReport;
}

/** Guo et al. 2017, equation 3, by hand: 15 bins, |mean told − mean right| weighted by their share. */
function eceByHand(outcomes: readonly { readonly p: number; readonly y: number }[]): number {
  let sum = 0;
  for (let bin = 0; bin < 15; bin += 1) {
    const inside = outcomes.filter(({ p }) => Math.min(14, Math.floor(p * 15)) === bin);
    const gap = inside.reduce((total, { p, y }) => total + p - y, 0);
    sum += Math.abs(gap);
  }
  return sum / outcomes.length;
}

/** Chance of at least `k` right answers among `n`, each right with chance `p`: what Clopper and Pearson's bound solves. */
function tail(k: number, n: number, p: number): number {
  let sum = 0;
  for (let right = k; right <= n; right += 1) {
    let term = 1;
    for (let each = 1; each <= right; each += 1) term *= ((n - right + each) / each) * p;
    sum += term * (1 - p) ** (n - right);
  }
  return sum;
}

describe("hedgerow report confidence", () => {
  it("prints what is known, at 80 columns", async () => {
    const ran = await run();
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("confidence.txt", ran.out);
    const diagram = ran.out.slice(ran.out.indexOf("CONFIDENCE"));
    for (const line of diagram.split("\n").slice(0, 16)) expect(line.length).toBeLessThanOrEqual(80);
    expectGolden("confidence.csv", (await run("--csv")).out);
  });

  it("counts what a count of the calls gives", async () => {
    const { rows, costs } = await made();
    const weak = rows.find(({ model }) => model === "vendor/weak");
    const sure = told.filter(isSure);
    const labelled = sure.filter(({ label }) => label !== undefined);
    const right = labelled.filter(({ label }) => label?.correct === 1).length;
    expect(weak).toMatchObject({
      route: "default",
      tier: 0,
      judged: told.length,
      accepted: sure.length,
      acceptRate: sure.length / told.length,
      labels: labelled.length,
      acceptedLabels: labelled.length,
      acceptedRight: right,
      accuracy: right / labelled.length,
    });
    const { accuracyLo = 0, accuracyHi = 0, ece = 0, brier = 0 } = weak ?? {};
    expect(tail(right, labelled.length, accuracyLo)).toBeCloseTo(0.025, 6);
    expect(1 - tail(right + 1, labelled.length, accuracyHi)).toBeCloseTo(0.025, 6);
    const outcomes = labelled.map(({ score, label }) => ({ p: score, y: label?.correct ?? 0 }));
    expect(ece).toBeCloseTo(eceByHand(outcomes), 9);
    expect(brier).toBeCloseTo(outcomes.reduce((sum, { p, y }) => sum + (p - y) ** 2, 0) / outcomes.length, 9);

    // The label of an escalated call is one of the answer that was given.
    const strong = rows.find(({ model }) => model === "vendor/strong");
    const escalated = told.filter((call) => !isSure(call));
    expect(strong).toMatchObject({
      tier: 1,
      judged: escalated.length,
      accepted: escalated.length,
      labels: escalated.filter(({ label }) => label !== undefined).length,
    });

    const cost = sure.length * 1e6 + escalated.length * 11e6;
    expect(costs).toEqual([
      {
        route: "default",
        calls: told.length,
        costNanoUsd: cost,
        unpriced: 0,
        last: "strong/m",
        lastNanoUsd: 10e6,
        share: cost / (told.length * 10e6),
      },
    ]);
  });

  it("is of one route, or of a time in which nothing was judged", async () => {
    expect((await made("--route", "other")).rows).toEqual([]);
    expect((await run("--since", "30m")).out).toMatch(/No answer passed a confidence gate/u);
    expect((await run("--since", "soon")).code).toBe(2);
  });
});
