import { hingeAt, type Logistic } from "./calibrator.ts";
import { clipLogOdds, probabilityOf } from "./log-odds.ts";

/** An answer with a verdict. */
export interface LabelledSample {
  /** As `calibrate` takes them: the first is the raw score in log-odds. */
  readonly features: readonly number[];
  /** 1 acceptable, 0 not, or a share between. */
  readonly correct: number;
  /** How many sure labels it is worth, more than 0. */
  readonly weight: number;
}

/** A Gaussian belief: `precision` is 1 ÷ variance, more than 0. */
export interface Belief {
  readonly mean: number;
  readonly precision: number;
}

/** What is believed of each coefficient before labels are seen. */
export interface LogisticPrior {
  readonly intercept: Belief;
  readonly slopes: readonly Belief[];
  readonly hinge: Belief;
}

export interface LogisticFit {
  readonly logistic: Logistic;
  /** Newton steps. */
  readonly steps: number;
}

/** Columns of the design: 1, the score up to the hinge, what is above it, the other features. */
const below = 1;
const above = 2;
const maxSteps = 100;
const maxHalvings = 40;

/**
 * Logistic regression, most probable a posteriori: minimises Σ w·(ln(1 + e^η) − y·η) + ½ Σ precision·(coefficient − mean)²,
 * by damped Newton steps (iteratively reweighted least squares; Bishop, Pattern Recognition and Machine Learning, 4.3.3).
 * Priors make it strictly convex, so that it has one minimum even where labels are all alike or none are there.
 *
 * Confidence never falls as the score rises: the score's slope is kept at 0 or more on both sides of the hinge (projected
 * Newton; Bertsekas 1982). A score that orders answers the wrong way round is worth no more than the mean.
 */
export function fitLogistic(samples: readonly LabelledSample[], prior: LogisticPrior): LogisticFit {
  const rows = samples.map(({ features, correct, weight }) => ({
    x: columnsOf(features, prior.slopes.length),
    y: Math.min(1, Math.max(0, correct)),
    weight,
  }));
  const penalty = penaltyOf(prior);
  let at = penalty.centre.map((mean, column) => (isBounded(column) ? Math.max(0, mean) : mean));
  let loss = lossAt(rows, penalty, at);
  let steps = 0;
  for (; steps < maxSteps; steps += 1) {
    const { gradient, curvature } = slopeAt(rows, penalty, at);
    const free = gradient.map((g, column) => !(isBounded(column) && at[column] === 0 && g > 0));
    const direction = solve(curvature, gradient, free);
    // So near the bottom the loss is rounded more coarsely than a step could lower it: the last step is taken on trust.
    if (dot(gradient, direction) < 1e-13 * (1 + loss)) {
      at = moved(at, direction, 1);
      break;
    }
    const next = stepDown({ at, loss, gradient, direction, lossOf: (point) => lossAt(rows, penalty, point) });
    if (next === undefined) break;
    ({ at, loss } = next);
  }
  const [intercept = 0, slope = 0, steep = 0, ...others] = at;
  return { logistic: { intercept, slopes: [slope, ...others], hinge: steep - slope }, steps };
}

interface Row {
  readonly x: readonly number[];
  readonly y: number;
  readonly weight: number;
}

/** ½ (c − centre)ᵀ matrix (c − centre). */
interface Penalty {
  readonly centre: readonly number[];
  readonly matrix: readonly (readonly number[])[];
}

function isBounded(column: number): boolean {
  return column === below || column === above;
}

function columnsOf(features: readonly number[], count: number): readonly number[] {
  if (features.length < count) throw new RangeError(`a sample has ${features.length} features, the prior ${count}`);
  const [score = 0, ...others] = features.slice(0, count).map(clipLogOdds);
  return [1, Math.min(score, hingeAt), Math.max(0, score - hingeAt), ...others];
}

/** The hinge is the difference of the two slopes, hence the term that ties them. */
function penaltyOf({ intercept, slopes, hinge }: LogisticPrior): Penalty {
  const [slope = { mean: 0, precision: 1 }, ...others] = slopes;
  const centre = [intercept.mean, slope.mean, slope.mean + hinge.mean, ...others.map(({ mean }) => mean)];
  const diagonal = [
    intercept.precision,
    slope.precision + hinge.precision,
    hinge.precision,
    ...others.map(({ precision }) => precision),
  ];
  const matrix = diagonal.map((own, row) =>
    diagonal.map((_, column) => {
      if (row === column) return own;
      return isBounded(row) && isBounded(column) ? -hinge.precision : 0;
    }),
  );
  return { centre, matrix };
}

function lossAt(rows: readonly Row[], { centre, matrix }: Penalty, at: readonly number[]): number {
  const off = at.map((value, column) => value - (centre[column] ?? 0));
  let loss =
    dot(
      off,
      matrix.map((row) => dot(row, off)),
    ) / 2;
  for (const { x, y, weight } of rows) {
    const eta = dot(x, at);
    loss += weight * (Math.max(0, eta) + Math.log1p(Math.exp(-Math.abs(eta))) - y * eta);
  }
  return loss;
}

function slopeAt(rows: readonly Row[], { centre, matrix }: Penalty, at: readonly number[]) {
  const off = at.map((value, column) => value - (centre[column] ?? 0));
  const gradient = matrix.map((row) => dot(row, off));
  const curvature = matrix.map((row) => [...row]);
  for (const { x, y, weight } of rows) {
    const p = probabilityOf(dot(x, at));
    const bend = weight * p * (1 - p);
    for (let row = 0; row < x.length; row += 1) {
      const value = x[row] ?? 0;
      gradient[row] = (gradient[row] ?? 0) + weight * (p - y) * value;
      const line = curvature[row] ?? [];
      for (let column = 0; column < x.length; column += 1) {
        line[column] = (line[column] ?? 0) + bend * value * (x[column] ?? 0);
      }
    }
  }
  return { gradient, curvature };
}

interface Descent {
  readonly at: readonly number[];
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly direction: readonly number[];
  readonly lossOf: (point: readonly number[]) => number;
}

/** Halves the step until the loss falls by a part of what the gradient promises (Armijo). Undefined: at the bottom. */
function stepDown({ at, loss, gradient, direction, lossOf }: Descent): { at: number[]; loss: number } | undefined {
  let length = 1;
  for (let halvings = 0; halvings < maxHalvings; halvings += 1, length /= 2) {
    const point = moved(at, direction, length);
    const promised = dot(
      gradient,
      at.map((value, column) => value - (point[column] ?? 0)),
    );
    const reached = lossOf(point);
    if (promised > 0 && reached <= loss - 1e-4 * promised) return { at: point, loss: reached };
  }
  return undefined;
}

function moved(at: readonly number[], direction: readonly number[], length: number): number[] {
  return at.map((value, column) => {
    const next = value - length * (direction[column] ?? 0);
    return isBounded(column) ? Math.max(0, next) : next;
  });
}

/** Solves curvature · direction = gradient over the free columns by Cholesky's factors; the others stay where they are. */
function solve(
  curvature: readonly (readonly number[])[],
  gradient: readonly number[],
  free: readonly boolean[],
): readonly number[] {
  const columns = [...free.keys()].filter((column) => free[column]);
  const entry = (row: number, column: number) => curvature[columns[row] ?? 0]?.[columns[column] ?? 0] ?? 0;
  const lower: number[][] = [];
  const forward: number[] = [];
  for (const row of columns.keys()) {
    const line: number[] = [];
    for (let column = 0; column <= row; column += 1) {
      const rest = entry(row, column) - dot(line, (lower[column] ?? line).slice(0, column));
      line.push(column === row ? Math.sqrt(rest) : rest / (lower[column]?.[column] ?? 1));
    }
    lower.push(line);
    forward.push(((gradient[columns[row] ?? 0] ?? 0) - dot(line.slice(0, row), forward)) / (line[row] ?? 1));
  }
  const direction = gradient.map(() => 0);
  for (let row = columns.length - 1; row >= 0; row -= 1) {
    let rest = forward[row] ?? 0;
    for (let later = row + 1; later < columns.length; later += 1) {
      rest -= (lower[later]?.[row] ?? 0) * (direction[columns[later] ?? 0] ?? 0);
    }
    direction[columns[row] ?? 0] = rest / (lower[row]?.[row] ?? 1);
  }
  return direction;
}

/** Without iterators: it is most of what a fit costs. */
function dot(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}
