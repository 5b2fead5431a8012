/** Terms of the continued fraction: it needs about √(a + b) of them. */
const maxTerms = 100_000;
/** Halvings of the bracket of an inverse: 2^-200 is below every number that matters. */
const maxBisections = 200;
const tiny = 1e-300;
const logTwoPi = Math.log(2 * Math.PI);

/**
 * The regularised incomplete beta function I_x(a, b): the probability that a Beta(a, b) variable is at most x. By its
 * continued fraction (DLMF 8.17.22, evaluated by Lentz's method), whose factor is a binomial density computed without
 * cancellation (Loader 2000, as R does). Absolute error below 1e-12 up to a + b of a million.
 *
 * @param a more than 0
 * @param b more than 0
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  requirePositive(a, b);
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean only.
  return x < (a + 1) / (a + b + 2) ? lowerTail(x, a, b) : 1 - lowerTail(1 - x, b, a);
}

/**
 * The x at which I_x(a, b) is `probability`: the quantile of Beta(a, b). Newton's steps inside a bracket that halves where
 * a step would leave it.
 */
export function inverseIncompleteBeta(probability: number, a: number, b: number): number {
  requirePositive(a, b);
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let turn = 0; turn < maxBisections; turn += 1) {
    const off = incompleteBeta(x, a, b) - probability;
    if (off === 0) return x;
    if (off > 0) high = x;
    else low = x;
    const density = powers(x, a, b) / (x * (1 - x));
    const next = x - off / density;
    const previous = x;
    x = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(x - previous) <= 1e-16 * x) break;
  }
  return x;
}

function requirePositive(a: number, b: number): void {
  if (!(a > 0 && b > 0)) throw new RangeError(`a Beta distribution has positive parameters, not ${a} and ${b}`);
}

/** x^a (1−x)^b ÷ (a B(a, b)) times the continued fraction. */
function lowerTail(x: number, a: number, b: number): number {
  return (powers(x, a, b) / a) * fraction(x, a, b);
}

function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / guarded(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= maxTerms; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return value;
}

function guarded(value: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/**
 * x^a (1−x)^b ÷ B(a, b), as ab ÷ (a + b) times the binomial density of a successes in a + b tries: logarithms of gamma
 * functions would lose digits to each other.
 */
function powers(x: number, a: number, b: number): number {
  const n = a + b;
  const exponent =
    stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * (1 - x));
  const logDensity = exponent - (logTwoPi + Math.log(a) + Math.log(b) - Math.log(n)) / 2;
  return Math.exp(logDensity + Math.log(a) + Math.log(b) - Math.log(n));
}

/** count · ln(count ÷ mean) + mean − count, by a series where the two are close. */
function deviance(count: number, mean: number): number {
  const ratio = (count - mean) / (count + mean);
  if (Math.abs(ratio) >= 0.1) return count * Math.log(count / mean) + mean - count;
  let sum = (count - mean) * ratio;
  let term = 2 * count * ratio;
  for (let power = 3; power < 200; power += 2) {
    term *= ratio * ratio;
    const next = sum + term / power;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** ln n! − (n + ½) ln n + n − ½ ln 2π: what Stirling's formula leaves. */
function stirlingError(n: number): number {
  if (n >= 16) {
    const square = n * n;
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
  }
  // ln n! = ln (n + k)! − Σ ln(n + i): so far up that the series holds.
  let product = 1;
  let up = n;
  while (up < 16) {
    up += 1;
    product *= up;
  }
  const logFactorial = (up + 0.5) * Math.log(up) - up + logTwoPi / 2 + stirlingError(up) - Math.log(product);
  return logFactorial - (n + 0.5) * Math.log(n) + n - logTwoPi / 2;
}
