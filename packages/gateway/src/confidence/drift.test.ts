import { describe, expect, test } from "vitest";
import { findDrift, type LabelledAnswer } from "./drift.ts";
import { countOf, histogramOf } from "./score-histogram.ts";

/** Mulberry32, so that every run sees the same. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(chance: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}

const scoresOf = (count: number, draw: () => number) => Array.from({ length: count }, () => ({ score: draw() }));

describe("drift of scores", () => {
  test("has the index and distance that two histograms have", () => {
    const before = [10, 20, 30, 40].flatMap((count, at) => Array.from({ length: count }, () => ({ score: at })));
    const now = [200, 300, 300, 200].flatMap((count, at) => Array.from({ length: count }, () => ({ score: at })));
    const found = findDrift({ reference: histogramOf(before, [0.5, 1.5, 2.5]), scores: now, labels: [] });
    // Largest difference of 0.1, 0.3, 0.6, 1 and 0.2, 0.5, 0.8, 1; limit 1.949 · √(1/100 + 1/1000).
    expect(found.ks).toBeCloseTo(0.2, 12);
    expect(found.ksLimit).toBeCloseTo(0.204_46, 4);
    // numpy: w = (np.array([10, 20, 30, 40]) + .5) / 102; n = (np.array([200, 300, 300, 200]) + .5) / 1002;
    // ((n - w) * np.log(n / w)).sum()
    expect(found.psi).toBeCloseTo(0.239_141_552, 8);
    expect(found.state).toBe("ok");
  });

  test("is not seen among equals, once in hundreds of times at most", () => {
    const chance = chanceFrom(11);
    let alarms = 0;
    for (let time = 0; time < 400; time += 1) {
      const reference = histogramOf(scoresOf(200, () => 3 * normal(chance) + 2));
      const scores = scoresOf(1000, () => 3 * normal(chance) + 2);
      if (findDrift({ reference, scores, labels: [] }).state === "drift") alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(3);
  });

  test("is seen in a thousand scores that moved by half their spread", () => {
    const chance = chanceFrom(12);
    const reference = histogramOf(scoresOf(400, () => 3 * normal(chance) + 2));
    const { state, why } = findDrift({ reference, scores: scoresOf(1000, () => 3 * normal(chance) + 0.5), labels: [] });
    expect(state).toBe("drift");
    expect(why.join()).toContain("raw scores have moved: up to ");
  });

  test("is nothing where there is little to compare", () => {
    const reference = histogramOf(scoresOf(400, () => 5));
    const moved = scoresOf(99, () => -5);
    expect(findDrift({ reference, scores: moved, labels: [] }).state).toBe("ok");
    expect(findDrift({ reference, scores: [...moved, { score: -5 }], labels: [] }).state).toBe("drift");
    expect(findDrift({ reference: histogramOf([]), scores: [], labels: [] })).toMatchObject({
      state: "ok",
      psi: 0,
      ks: 0,
    });
  });
});

describe("drift of labels", () => {
  const worlds: readonly (readonly [name: string, draw: (chance: () => number) => number])[] = [
    ["a coin's toss", () => 0.5],
    ["mostly right", () => 0.85],
    ["nearly always right", () => 0.95],
    ["mixed", (chance) => 0.3 + 0.69 * chance()],
  ];

  /** Labels until the alarm, or `most`; the limit is that of the whole series, as it would be of a long one. */
  function labelsToAlarm(draw: () => LabelledAnswer, most: number): number {
    const labels = Array.from({ length: most }, draw);
    if (findDrift({ reference: histogramOf([]), scores: [], labels }).state === "ok") return most;
    let [low, high] = [1, most];
    const { cusumLimit } = findDrift({ reference: histogramOf([]), scores: [], labels });
    while (low < high) {
      const middle = (low + high) >> 1;
      const { cusum } = findDrift({ reference: histogramOf([]), scores: [], labels: labels.slice(0, middle) });
      if (cusum > cusumLimit) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  test.each(worlds)("%s: false alarms are 2,000 labels apart, 0.10 too few right are seen in 200", (_, drawFor) => {
    const chance = chanceFrom(5);
    const drawn = (shift: number) => () => {
      const probability = drawFor(chance);
      return { probability, correct: chance() < probability - shift ? 1 : 0 };
    };
    let calm = 0;
    for (let time = 0; time < 120; time += 1) calm += labelsToAlarm(drawn(0), 8000);
    // Cut at 8,000, the mean of a wait of 2,000 labels is 1,963; of 120 of them the error is 180.
    expect(calm / 120).toBeGreaterThan(1700);
    let seen = 0;
    for (let time = 0; time < 300; time += 1) if (labelsToAlarm(drawn(0.1), 400) <= 200) seen += 1;
    expect(seen / 300).toBeGreaterThan(0.7);
  });

  test("is no broken promise where more is right than was told, but is said", () => {
    const labels = Array.from({ length: 300 }, () => ({ probability: 0.8, correct: 1 }));
    const found = findDrift({ reference: histogramOf([]), scores: [], labels });
    expect(found).toMatchObject({ state: "ok", isTooModest: true, why: ["more answers are right than was told"] });
  });

  test("is said in words", () => {
    const labels = Array.from({ length: 100 }, (_, at) => ({ probability: 0.9, correct: at % 2 }));
    const { state, why } = findDrift({ reference: histogramOf([]), scores: [], labels });
    expect(state).toBe("drift");
    expect(why).toEqual([
      expect.stringMatching(
        /^fewer answers are right than was told: \d+\.\d+ more errors than expected and allowed for, limit 6\.00$/,
      ),
    ]);
  });
});

test("a histogram has every score once, in the bin that begins at or below it", () => {
  const scores = [-12, -11, 0, 0.49, 0.5, 11, Number.NaN].map((score) => ({ score }));
  const { counts } = histogramOf(scores);
  expect([counts[0], counts[1], counts[23], counts[24], counts[45]]).toEqual([2, 1, 2, 1, 1]);
  expect(
    countOf(
      histogramOf([
        { score: 1, weight: 50 },
        { score: 2, weight: 50 },
      ]),
    ),
  ).toBe(2);
});
