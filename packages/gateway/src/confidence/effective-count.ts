/**
 * How many sure labels a set of weighted ones is worth: Σw, but no more than (Σw)² ÷ Σw² (Kish 1965). So a half-trusted label
 * counts half, and one that stands for fifty others does not count fifty times.
 */
export function effectiveCount(weights: readonly number[]): number {
  let [sum, squares] = [0, 0];
  for (const weight of weights) {
    sum += weight;
    squares += weight * weight;
  }
  return squares === 0 ? 0 : Math.min(sum, (sum * sum) / squares);
}
