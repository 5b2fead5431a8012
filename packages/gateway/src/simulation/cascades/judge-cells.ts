import { calibrate, globalPrior, type Calibrator } from "#confidence/calibrator";
import { fitCalibrator } from "#confidence/fit-calibrator";
import { acceptedAt, reliabilityOf, type Outcome } from "#confidence/reliability";
import { halvesOf } from "./halves.ts";

/** One answer that went through the gateway, as it was scored there. */
export interface ScoredAnswer {
  readonly row: string;
  /** The principal log-odds first; empty where a hard gate failed, and no score was needed. */
  readonly features: readonly number[];
  /** 0..1 */
  readonly raw: number;
  readonly correct: boolean;
}

/** All answers of one model to one task. */
export interface Cell {
  readonly task: string;
  readonly model: string;
  readonly answers: readonly ScoredAnswer[];
}

/** How scores are read: as they are, by the prior, by so many labels, or by a certificate for the pool. */
export const readings = ["raw", "no labels", "50 labels", "200 labels", "pool, 200 labels"] as const;
export type Reading = (typeof readings)[number];

/** Over all seeds of a cell. */
export interface CellFigures {
  /** Mean over the test halves. */
  readonly ece: number;
  readonly eceFloor: number;
  /** Share of the answers that are accepted at the promise. */
  readonly accepted: number;
  /** Of the accepted ones; undefined where none was. */
  readonly accuracy?: number;
}

export interface JudgedCell {
  readonly task: string;
  readonly model: string;
  readonly accuracy: number;
  readonly figures: Readonly<Record<Reading, CellFigures>>;
}

export interface CellTerms {
  readonly seeds: number;
  /** What an accepted answer is promised to be: 0.85. */
  readonly promise: number;
  readonly delta: number;
}

/** A cell of which fewer answers pass is silent: its accuracy says nothing. */
const silentShare = 0.01;

/** Calibrates on one half of a cell and judges on the other, for each seed. */
export function judgeCell({ task, model, answers }: Cell, terms: CellTerms): JudgedCell {
  const sums = new Map(readings.map((reading) => [reading, new CellSum()]));
  for (let seed = 0; seed < terms.seeds; seed += 1) {
    const { calibration, test } = halvesOf(answers, seed);
    for (const [reading, { read, least }] of readersOf(calibration, terms)) {
      const outcomes = test.map((answer): Outcome => ({ probability: read(answer), correct: Number(answer.correct) }));
      sums.get(reading)?.add(outcomes, least);
    }
  }
  const figures = Object.fromEntries([...sums].map(([reading, sum]) => [reading, sum.figures()]));
  return {
    task,
    model,
    accuracy: answers.filter(({ correct }) => correct).length / answers.length,
    figures: figures as Record<Reading, CellFigures>,
  };
}

interface Reader {
  readonly read: (answer: ScoredAnswer) => number;
  /** What is accepted; above 1: nothing. */
  readonly least: number;
}

function readersOf(calibration: readonly ScoredAnswer[], terms: CellTerms): ReadonlyMap<Reading, Reader> {
  const { promise, delta } = terms;
  const by = (labels: number) => fitCalibrator(samplesOf(calibration.slice(0, labels), terms));
  const fifty = by(50)?.calibrator ?? globalPrior;
  const fitted = by(200);
  const twoHundred = fitted?.calibrator ?? globalPrior;
  const pool = fitted?.pools.find((each) => each.min >= promise && each.delta <= delta);
  return new Map<Reading, Reader>([
    ["raw", { read: ({ raw }) => raw, least: promise }],
    ["no labels", { read: (answer) => told(globalPrior, answer), least: promise }],
    ["50 labels", { read: (answer) => told(fifty, answer), least: promise }],
    ["200 labels", { read: (answer) => told(twoHundred, answer), least: promise }],
    [
      "pool, 200 labels",
      { read: (answer) => told(twoHundred, answer), least: pool?.threshold ?? Number.POSITIVE_INFINITY },
    ],
  ]);
}

/** What a calibrator makes of an answer; one that failed a hard gate is never accepted. */
export function told(calibrator: Calibrator, { features }: Pick<ScoredAnswer, "features">): number {
  return features.length === 0 ? 0 : calibrate(calibrator, features);
}

/** What a fit takes, with a promise for the pool. */
export function samplesOf(answers: readonly ScoredAnswer[], { promise, delta }: Pick<CellTerms, "promise" | "delta">) {
  return {
    samples: answers
      .filter(({ features }) => features.length > 0)
      .map(({ features, correct }) => ({ features, correct: Number(correct), weight: 1 })),
    promises: [{ accuracy: promise, delta }],
  };
}

class CellSum {
  #halves = 0;
  #ece = 0;
  #floor = 0;
  #accepted = 0;
  #right = 0;
  #all = 0;

  add(outcomes: readonly Outcome[], least: number): void {
    const { ece = 0, eceFloor = 0 } = reliabilityOf(outcomes) ?? {};
    const { count, accuracy = 0 } = acceptedAt(outcomes, least);
    this.#halves += 1;
    this.#ece += ece;
    this.#floor += eceFloor;
    this.#accepted += count;
    this.#right += count * accuracy;
    this.#all += outcomes.length;
  }

  figures(): CellFigures {
    const ofHalves = (sum: number): number => sum / Math.max(1, this.#halves);
    return {
      ece: ofHalves(this.#ece),
      eceFloor: ofHalves(this.#floor),
      accepted: this.#accepted / Math.max(1, this.#all),
      ...(this.#accepted === 0 ? {} : { accuracy: this.#right / this.#accepted }),
    };
  }
}

/** How one reading of scores does over all cells. */
export interface ReadingSummary {
  readonly reading: Reading;
  readonly cells: number;
  /** Cells whose accepted answers are right less often than promised. */
  readonly broken: number;
  readonly silent: number;
  /** The lowest accuracy of accepted answers of a cell that is not silent. */
  readonly worst?: number;
  readonly meanAccepted: number;
  readonly meanEce: number;
  readonly meanFloor: number;
}

export function summariseReading(reading: Reading, cells: readonly JudgedCell[], promise: number): ReadingSummary {
  const figures = cells.map((cell) => cell.figures[reading]);
  const spoken = figures.filter(({ accepted }) => accepted > 0);
  const worst = Math.min(
    ...spoken.filter(({ accepted }) => accepted >= silentShare).map(({ accuracy = 1 }) => accuracy),
  );
  const mean = (of: (figure: CellFigures) => number): number =>
    figures.reduce((sum, figure) => sum + of(figure), 0) / Math.max(1, figures.length);
  return {
    reading,
    cells: cells.length,
    broken: spoken.filter(({ accuracy = 1 }) => accuracy < promise).length,
    silent: figures.filter(({ accepted }) => accepted < silentShare).length,
    ...(Number.isFinite(worst) ? { worst } : {}),
    meanAccepted: mean(({ accepted }) => accepted),
    meanEce: mean(({ ece }) => ece),
    meanFloor: mean(({ eceFloor }) => eceFloor),
  };
}
