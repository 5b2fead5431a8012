import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  acceptedAt,
  areaUnderCurve,
  expectedEce,
  reliabilityBins,
  reliabilityOf,
  type Outcome,
} from "./reliability.ts";

const told = [0.1, 0.4, 0.35, 0.8, 0.8, 0.65, 0.9, 0.2, 0.55, 0.8];
const came = [0, 0, 1, 1, 0, 1, 1, 0, 0, 1];
const weights = [1, 2, 1, 1, 0.5, 1, 3, 1, 1, 1];
const plain = told.map((probability, at) => ({ probability, correct: came[at] ?? 0 }));
const weighted = plain.map((outcome, at) => ({ ...outcome, weight: weights[at] ?? 0 }));

describe("reliability", () => {
  // sklearn.metrics.roc_auc_score and brier_score_loss(t, p, sample_weight=w), 1.9.1; the calibration error by numpy:
  // b = np.minimum(14, (p * 15).astype(int)); sum(abs(p[b == k].sum() - t[b == k].sum()) for k in range(15)) / len(p)
  test("has scikit-learn's figures", () => {
    const found = reliabilityOf(plain);
    expect(found?.auroc).toBeCloseTo(0.8, 12);
    expect(found?.brier).toBeCloseTo(0.178_75, 12);
    expect(found?.ece).toBeCloseTo(0.275, 12);
    expect(reliabilityOf(weighted)?.auroc).toBeCloseTo(0.883_116_883_116_883_1, 12);
    expect(reliabilityOf(weighted)?.brier).toBeCloseTo(0.1318, 12);
  });

  test("has no figures without outcomes, and no order among one kind", () => {
    expect(reliabilityOf([])).toBeUndefined();
    expect(reliabilityOf([{ probability: 1, correct: 1 }])).toEqual({ count: 1, ece: 0, eceFloor: 0, brier: 0 });
  });

  test("knows the error that a perfect predictor shows for so few outcomes", () => {
    // Two coins: |heads − 1| is 1 in half of the cases, of two outcomes.
    expect(expectedEce([0.5, 0.5].map((probability) => ({ probability, correct: 0 })))).toBeCloseTo(0.25, 12);
    // A hundred at 0.9: the mean absolute deviation of a binomial is 2·v·C(n, v)·p^v·q^(n−v+1), v = ⌊np⌋ + 1 (De Moivre);
    // scipy: 2*91*comb(100,91)*.9**91*.1**10/100
    const many = Array.from({ length: 100 }, () => ({ probability: 0.9, correct: 1 }));
    expect(expectedEce(many)).toBeCloseTo(0.023_735_762_428_407_9, 9);
    const thousands = Array.from({ length: 2000 }, () => ({ probability: 0.9, correct: 1 }));
    expect(expectedEce(thousands)).toBeCloseTo(Math.sqrt((2 * 0.09) / Math.PI / 2000), 12);
  });

  test("reads what is accepted at a threshold", () => {
    expect(acceptedAt(plain, 0.8)).toEqual({ count: 4, share: 0.4, accuracy: 0.75 });
    expect(acceptedAt(plain, 0.95)).toEqual({ count: 0, share: 0 });
  });

  test("has bins that hold everything once, and an order that pairs of outcomes agree with", () => {
    const outcome = fc.record({
      probability: fc.constantFrom(0, 0.2, 0.5, 0.7, 0.99, 1),
      correct: fc.constantFrom(0, 1),
      weight: fc.constantFrom(0.5, 1, 3),
    });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 40 }), (outcomes) => {
        expect(reliabilityBins(outcomes).reduce((sum, { count }) => sum + count, 0)).toBe(outcomes.length);
        const expected = pairwise(outcomes);
        const found = areaUnderCurve(outcomes);
        if (expected === undefined) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});

function pairwise(outcomes: readonly Outcome[]): number | undefined {
  let [wins, pairs] = [0, 0];
  for (const good of outcomes.filter(({ correct }) => correct === 1)) {
    for (const bad of outcomes.filter(({ correct }) => correct === 0)) {
      const weight = (good.weight ?? 1) * (bad.weight ?? 1);
      pairs += weight;
      if (good.probability > bad.probability) wins += weight;
      if (good.probability === bad.probability) wins += weight / 2;
    }
  }
  return pairs === 0 ? undefined : wins / pairs;
}
