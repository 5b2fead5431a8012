import { describe, expect, test } from "vitest";
import { calibrate, globalPrior, type Calibrator } from "#confidence/calibrator";
import { findDrift } from "#confidence/drift";
import { fitCalibrator, type CalibratorFit } from "#confidence/fit-calibrator";
import { probabilityOf } from "#confidence/log-odds";
import { reliabilityOf } from "#confidence/reliability";
import { folder, halvesOf, isThere, readCells, type Cell, type StoredAnswer } from "./stored-answers.ts";

if (!isThere) console.info(`skipped: stored answers, there is no ${folder}; set HEDGEROW_SHARED to judge by them`);

const promise = { accuracy: 0.85, delta: 0.05 };
/**
 * Precisions of the priors were chosen on the other models and seeds 100 to 119. The slope of the global prior was not: it saw
 * all of them, which is why nothing is claimed here of answers without labels but that no promise breaks.
 */
const unseenModels = new Set(["llama3.2-3b", "llama3.1-70b"]);

type Tell = (answer: StoredAnswer) => number;

interface Rule {
  readonly name: string;
  readonly labels: number;
  /** What is told of an answer, and from where on it is accepted; undefined: nothing is. `fit` is that of so many labels. */
  readonly make: (fit: () => CalibratorFit) => { readonly tell: Tell; readonly least?: number };
}

function fitOf(samples: readonly StoredAnswer[]): CalibratorFit {
  const labelled = samples.map(({ z, correct }) => ({ features: [z], correct, weight: 1 }));
  const fit = fitCalibrator({ samples: labelled, promises: [promise] });
  if (fit === undefined) throw new Error("there are no labels");
  return fit;
}

function tellBy(calibrator: Calibrator): Tell {
  return ({ z }) => calibrate(calibrator, [z]);
}

const perAnswer = (fit: () => CalibratorFit) => ({ tell: tellBy(fit().calibrator), least: 0.85 });

const rules: readonly Rule[] = [
  { name: "raw", labels: 0, make: () => ({ tell: ({ z }) => probabilityOf(z), least: 0.85 }) },
  { name: "prior", labels: 0, make: () => ({ tell: tellBy(globalPrior), least: 0.85 }) },
  { name: "per answer", labels: 50, make: perAnswer },
  { name: "per answer", labels: 200, make: perAnswer },
  {
    name: "pool",
    labels: 200,
    make: (fit) => {
      const { calibrator, pools } = fit();
      const [pool] = pools;
      return { tell: tellBy(calibrator), ...(pool === undefined ? {} : { least: pool.threshold }) };
    },
  },
];

interface CellResult {
  readonly cell: Cell;
  /** Means over the seeds. */
  readonly ece: number;
  readonly floor: number;
  /** Of all halves together. */
  readonly share: number;
  /** NaN where nothing was accepted. */
  readonly accuracy: number;
  /** Halves whose accepted answers break the promise, of those that accept any. */
  readonly halvesBroken: number;
  readonly halves: number;
}

/** One result for each rule. */
function judge(cell: Cell, seeds: readonly number[]): readonly CellResult[] {
  const sums = rules.map(() => ({ ece: 0, floor: 0, asked: 0, accepted: 0, right: 0, halvesBroken: 0, halves: 0 }));
  for (const seed of seeds) {
    const { calibration, test: unseen } = halvesOf(cell.answers, seed);
    const fits = new Map<number, CalibratorFit>();
    for (const [at, { labels, make }] of rules.entries()) {
      const sum = sums[at];
      if (sum === undefined) continue;
      const { tell, least = Infinity } = make(() => {
        const fit = fits.get(labels) ?? fitOf(calibration.slice(0, labels));
        fits.set(labels, fit);
        return fit;
      });
      const outcomes = unseen.map((answer) => ({ probability: tell(answer), correct: answer.correct }));
      const { ece = 0, eceFloor = 0 } = reliabilityOf(outcomes) ?? {};
      const passed = outcomes.filter(({ probability }) => probability >= least);
      const right = passed.filter(({ correct }) => correct === 1).length;
      sum.ece += ece / seeds.length;
      sum.floor += eceFloor / seeds.length;
      sum.asked += outcomes.length;
      sum.accepted += passed.length;
      sum.right += right;
      if (passed.length > 0) sum.halves += 1;
      if (right < promise.accuracy * passed.length) sum.halvesBroken += 1;
    }
  }
  return sums.map(({ ece, floor, asked, accepted, right, halvesBroken, halves }) => {
    return { cell, ece, floor, share: accepted / asked, accuracy: right / accepted, halvesBroken, halves };
  });
}

interface Summary {
  readonly ece: number;
  readonly floor: number;
  readonly broken: readonly CellResult[];
  readonly line: string;
}

function summaryOf(rule: Rule, results: readonly CellResult[]): Summary {
  const mean = (of: (result: CellResult) => number) =>
    results.reduce((sum, result) => sum + of(result), 0) / results.length;
  const accepting = results.filter(({ accuracy }) => !Number.isNaN(accuracy));
  const broken = accepting.filter(({ accuracy }) => accuracy < promise.accuracy);
  const worst = Math.min(...accepting.map(({ accuracy }) => accuracy));
  const silent = results.filter(({ share }) => share < 0.01).length;
  const sum = (of: (result: CellResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const cells = [
    rule.name.padEnd(10),
    String(rule.labels).padStart(6),
    mean(({ ece }) => ece)
      .toFixed(4)
      .padStart(7),
    mean(({ floor }) => floor)
      .toFixed(4)
      .padStart(7),
    `${broken.length}/${results.length}`.padStart(6),
    String(silent).padStart(6),
    percent(worst).padStart(6),
    percent(mean(({ share }) => share)).padStart(6),
    percent(accepting.reduce((total, { accuracy }) => total + accuracy, 0) / accepting.length).padStart(6),
    `${sum(({ halvesBroken }) => halvesBroken)}/${sum(({ halves }) => halves)}`.padStart(8),
  ];
  return { ece: mean(({ ece }) => ece), floor: mean(({ floor }) => floor), broken, line: cells.join("  ") };
}

const heading = "gate        labels      ECE    floor  broken  silent   worst  accept   right    halves";

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function table(cells: readonly Cell[], seeds: readonly number[], title: string): ReadonlyMap<string, Summary> {
  const results = cells.map((cell) => judge(cell, seeds));
  const summaries = new Map<string, Summary>();
  for (const [at, rule] of rules.entries()) {
    const ofRule = results.flatMap((each) => each[at] ?? []);
    summaries.set(`${rule.name} ${rule.labels}`, summaryOf(rule, ofRule));
  }
  const lines: string[] = [];
  for (const [name, { line, broken }] of summaries) {
    lines.push(line);
    if (name === "raw 0") continue;
    for (const { cell, accuracy, share } of broken) {
      lines.push(`  broken: ${cell.route} ${cell.model}, ${percent(accuracy)} of ${percent(share)}`);
    }
  }
  console.info([title, heading, ...lines].join("\n"));
  return summaries;
}

const seedsFrom = (first: number) => Array.from({ length: 20 }, (_, at) => first + at);

describe.skipIf(!isThere)("on stored answers of real models", () => {
  const cells = isThere ? readCells() : [];

  test("0.85 means 0.85: in 21 cells of 3 routes and 7 models, over 20 seeded halves", { timeout: 120_000 }, () => {
    expect(cells).toHaveLength(21);
    const found = table(cells, seedsFrom(0), "all cells, seeds 0 to 19");
    expect(found.get("prior 0")?.ece).toBeLessThanOrEqual(0.1);
    expect(found.get("per answer 50")?.ece).toBeLessThanOrEqual(0.075);
    expect(found.get("per answer 200")?.ece).toBeLessThanOrEqual(0.06);
    expect(found.get("pool 200")?.broken).toEqual([]);
    expect(found.get("per answer 200")?.broken.length).toBeLessThanOrEqual(1);
    // The gate this project began with.
    expect(found.get("raw 0")?.broken.length).toBeGreaterThan(2);
  });

  test("it holds for models and seeds that no choice was made on", { timeout: 120_000 }, () => {
    const unseen = cells.filter(({ model }) => unseenModels.has(model));
    const found = table(unseen, seedsFrom(1000), "two unseen models, seeds 1000 to 1019");
    expect(found.get("prior 0")?.broken).toEqual([]);
    expect(found.get("per answer 50")?.ece).toBeLessThanOrEqual(0.075);
    expect(found.get("per answer 200")?.ece).toBeLessThanOrEqual(0.06);
    expect(found.get("pool 200")?.broken).toEqual([]);
    expect(found.get("per answer 200")?.broken.length).toBeLessThanOrEqual(1);
  });
});

describe.skipIf(!isThere)("when traffic changes from one route to another", () => {
  const cells = isThere ? readCells() : [];
  const models = [...new Set(cells.map(({ model }) => model))];
  const answersOf = (route: string, model: string) =>
    cells.find((cell) => cell.route === route && cell.model === model)?.answers ?? [];

  test(
    "no alarm is raised within a route, and one where accepted answers are no longer right",
    { timeout: 60_000 },
    () => {
      const rows: string[] = [
        "from → to: model, unlabelled alarm, labelled alarm, right at 0.85 before / after a refit",
      ];
      let [calm, falseAlarms] = [0, 0];
      for (const [from, to] of [
        ["mmlu", "triviaqa"],
        ["triviaqa", "mmlu"],
        ["mmlu", "gsm8k"],
      ] as const) {
        for (const model of models) {
          const { calibration, test: same } = halvesOf(answersOf(from, model), 0);
          const { calibration: refit, test: other } = halvesOf(answersOf(to, model), 0);
          const fit = fitOf(calibration.slice(0, 400));
          const before = tellBy(fit.calibrator);
          const within = driftOf(fit, { scores: same.slice(0, 1000), labels: same.slice(0, 200) });
          calm += 1;
          if (within.state === "drift") falseAlarms += 1;
          const unlabelled = driftOf(fit, { scores: other.slice(0, 1000), labels: [] });
          const labelled = driftOf(fit, { scores: [], labels: refit.slice(0, 200) });
          const after = tellBy(fitOf(refit.slice(0, 200)).calibrator);
          const [was, is] = [before, after].map((tell) => accepted(other, tell));
          rows.push(`${from} → ${to}: ${model}, ${unlabelled.state}, ${labelled.state}, ${shown(was)} / ${shown(is)}`);
          if (was !== undefined && was.count >= 20 && was.accuracy < promise.accuracy - 0.03) {
            expect([from, to, model, unlabelled.state, labelled.state]).toContain("drift");
          }
          if (is !== undefined && is.count >= 20) expect(is.accuracy).toBeGreaterThan(promise.accuracy - 0.03);
        }
      }
      console.info([...rows, `false alarms within a route: ${falseAlarms} of ${calm}`].join("\n"));
      expect(falseAlarms).toBeLessThanOrEqual(2);
    },
  );

  function driftOf(
    { calibrator, reference }: CalibratorFit,
    { scores, labels }: { scores: readonly StoredAnswer[]; labels: readonly StoredAnswer[] },
  ) {
    const tell = tellBy(calibrator);
    return findDrift({
      reference,
      scores: scores.map(({ z }) => ({ score: z })),
      labels: labels.map((answer) => ({ probability: tell(answer), correct: answer.correct })),
    });
  }
});

function accepted(answers: readonly StoredAnswer[], tell: Tell): { count: number; accuracy: number } | undefined {
  const passed = answers.filter((answer) => tell(answer) >= promise.accuracy);
  if (passed.length === 0) return undefined;
  return { count: passed.length, accuracy: passed.filter(({ correct }) => correct === 1).length / passed.length };
}

function shown(figures: { count: number; accuracy: number } | undefined): string {
  return figures === undefined ? "none" : `${percent(figures.accuracy)} of ${figures.count}`;
}
