import { describe, expect, it } from "vitest";
import { chooseCalibrator, scopeName } from "#confidence/calibration-key";
import { calibrationVersion } from "#confidence/calibration-file";
import { calibrate } from "#confidence/calibrator";
import { probabilityOf } from "#confidence/log-odds";
import { fitCalibrator } from "#confidence/fit-calibrator";
import { reliabilityOf } from "#confidence/reliability";
import { refit, type RefitInput, type Refitted } from "#control/confidence/refit";
import { samplesOf } from "#control/confidence/samples";
import type { TrainingRow } from "#control/confidence/training-rows";
import type { JudgedAnswer } from "#control/store/read-judged";
import type { CalibrationEntry, CalibrationSet } from "#domain/calibration";
import type { CalibrationKey } from "#domain/confidence";

const startMs = 1_795_255_200_000;
const key: CalibrationKey = { tenant: "", route: "main", model: "a/one", tier: 0, shape: "label", signals: "logprobs" };

/** A small generator of its own: the same numbers everywhere (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Answers whose raw log-odds are between -2 and 10, right with the chance sigmoid(intercept + slope · log-odds). */
interface Nature {
  readonly intercept: number;
  readonly slope: number;
  readonly shift?: number;
}

const overconfident: Nature = { intercept: -1, slope: 0.5 };

function drawn(seed: number, count: number, { intercept, slope, shift = 0 }: Nature = overconfident) {
  const random = dice(seed);
  return Array.from({ length: count }, () => {
    const score = -2 + 12 * random() + shift;
    return { score, correct: Number(random() < probabilityOf(intercept + slope * (score - shift))) };
  });
}

interface Draw {
  readonly seed: number;
  readonly count: number;
  readonly nature?: Nature;
  readonly of?: CalibrationKey;
  readonly fromMs?: number;
  readonly more?: Partial<TrainingRow>;
}

function rowsOf({ seed, count, nature, of = key, fromMs = startMs, more = {} }: Draw): readonly TrainingRow[] {
  const rowOf = ({ score, correct }: { score: number; correct: number }, at: number): TrainingRow => ({
    key: of,
    keyText: scopeName(of),
    features: [score],
    caller: "app",
    correct,
    source: "human",
    weight: 1,
    propensity: 1,
    atMs: fromMs + at * 1000,
    told: null,
    isOwnWord: false,
    ofDoubted: false,
    ...more,
  });
  return drawn(seed, count, nature).map(rowOf);
}

function judgedOf(rows: readonly TrainingRow[]): readonly JudgedAnswer[] {
  return rows
    .map((row, at): JudgedAnswer => {
      const { key: of, keyText, features, atMs, told, ofDoubted } = row;
      const verdict = ofDoubted ? "doubted" : "accepted";
      return {
        callId: `req_${at}`,
        caller: "app",
        atMs,
        number: 1,
        target: of.model,
        key: of,
        keyText,
        features,
        score: told,
        raw: 0.5,
        estimator: "logprobs",
        calibration: "own",
        verdict,
        outcome: "answered",
      };
    })
    .toReversed();
}

const promises: RefitInput["promises"] = new Map([["main", { min: 0.85, delta: 0.05, tiers: 2 }]]);

function run(rows: readonly TrainingRow[], more: Partial<RefitInput> = {}): Refitted {
  const nowMs = Math.max(startMs, ...rows.map(({ atMs }) => atMs)) + 1;
  return refit({
    rows: rows.toReversed(),
    judged: judgedOf(rows),
    previous: undefined,
    promises,
    nowMs,
    whole: false,
    ...more,
  });
}

function setOf({ entries }: Refitted): CalibrationSet {
  return { version: calibrationVersion(entries), entries };
}

function own({ entries }: Refitted, of = key): CalibrationEntry {
  const found = entries.find((entry) => scopeName(entry.key) === scopeName(of));
  if (found === undefined) throw new Error("there is no calibration of the key itself");
  return found;
}

/** How far off what is told is, on answers nobody has seen. */
function errorOf(set: CalibrationSet, nature?: Nature): number {
  const fresh = drawn(99, 4000, nature).map(({ score, correct }) => ({
    probability: calibrate(chooseCalibrator(set, key).calibrator, [score]),
    correct,
  }));
  return reliabilityOf(fresh)?.ece ?? 1;
}

describe("a refit", () => {
  it("makes what is told true, for the key, its model on any route, and any model", () => {
    const refitted = run(rowsOf({ seed: 1, count: 400 }));
    expect(refitted.entries.map((entry) => scopeName(entry.key)).toSorted()).toEqual([
      "model=a/one|shape=label|signals=logprobs",
      "route=main|model=a/one|shape=label|signals=logprobs".replace("|shape", "|tier=0|shape"),
      "shape=label|signals=logprobs",
    ]);
    const before = errorOf({ version: "", entries: [] });
    expect(errorOf(setOf(refitted))).toBeLessThan(Math.min(0.06, before / 2));
    expect(own(refitted).quality).toMatchObject({ n: 400 });
  });

  it("has nothing to say before 25 labels, and leaves the ancestors to speak for a key with few", () => {
    expect(run(rowsOf({ seed: 1, count: 24 })).entries).toEqual([]);
    const other = { ...key, route: "other" };
    const refitted = run([...rowsOf({ seed: 1, count: 200, of: other }), ...rowsOf({ seed: 2, count: 10 })]);
    expect(chooseCalibrator(setOf(refitted), key).level).toBe("parent");
    expect(errorOf(setOf(refitted))).toBeLessThan(0.08);
  });

  it("begins with what other routes' labels say", () => {
    const other = rowsOf({ seed: 1, count: 1000, of: { ...key, route: "other" } });
    let [alone, beside] = [0, 0];
    for (let seed = 20; seed < 26; seed += 1) {
      const few = rowsOf({ seed, count: 30 });
      alone += errorOf(setOf(run(few)));
      beside += errorOf(setOf(run([...other, ...few])));
    }
    expect(beside).toBeLessThan(alone * 0.8);
  });

  it("counts no label twice, although a key's labels are its ancestors', too", () => {
    const rows = rowsOf({ seed: 3, count: 60 });
    const nowMs = rows.at(-1)?.atMs ?? 0;
    const samples = samplesOf(rows.toReversed(), { nowMs }).map(({ sample }) => sample);
    const fitted = own(run(rows, { nowMs })).calibrator;
    expect(fitted).toEqual(fitCalibrator({ samples })?.calibrator);
  });

  it("does not learn from doubted answers alone, unless there are no others", () => {
    const doubted = rowsOf({ seed: 1, count: 200, more: { ofDoubted: true, source: "silver" } });
    const judged = judgedOf([...doubted, ...rowsOf({ seed: 2, count: 200 })]);
    expect(run(doubted, { judged }).entries).toEqual([]);
    const all = run(doubted);
    expect(own(all).pools).toEqual([]);
    const beside = run([...doubted, ...rowsOf({ seed: 2, count: 12 })], { judged });
    expect(own(beside).quality.n).toBe(212);
  });

  it("promises what labels carry, and below the labelled scores nothing", () => {
    const all = own(run(rowsOf({ seed: 1, count: 600 })));
    expect(all.pools.map(({ min }) => min)).toEqual(expect.arrayContaining([0.8, 0.85]));
    const at = all.pools.find(({ min }) => min === 0.85);
    expect(at).toMatchObject({ delta: 0.05 });
    const passing = drawn(98, 4000).filter(({ score }) => calibrate(all.calibrator, [score]) >= (at?.threshold ?? 2));
    const right = passing.filter(({ correct }) => correct === 1).length;
    expect(right / passing.length).toBeGreaterThan(0.85);

    // Callers label what they were given: everything that scores high, and next to nothing below.
    const given = rowsOf({ seed: 1, count: 2000 }).filter(
      ({ features: [score = 0] }, index) => score > 6 || index === 7,
    );
    const refitted = own(run(given));
    const pool = refitted.pools.find(({ min }) => min === 0.8);
    expect(pool?.threshold).toBeGreaterThanOrEqual(calibrate(refitted.calibrator, [5.9]));
  });

  it("promises nothing on the word of other models or of reviewers", () => {
    const silver = rowsOf({ seed: 1, count: 600, more: { source: "silver" } });
    expect(own(run(silver)).pools).toEqual([]);
    const reviewed = rowsOf({ seed: 1, count: 600, more: { source: "review" } });
    expect(own(run(reviewed)).pools).toEqual([]);
  });

  it("lets silver fade as true labels come", () => {
    const wrong = rowsOf({ seed: 5, count: 200, nature: { intercept: 3, slope: 0.5 }, more: { source: "silver" } });
    const few = errorOf(setOf(run([...wrong, ...rowsOf({ seed: 6, count: 30 })])));
    const many = errorOf(setOf(run([...wrong, ...rowsOf({ seed: 6, count: 250 })])));
    expect(many).toBeLessThan(few / 2);
    expect(many).toBeLessThan(0.06);
  });

  it("is the same again where nothing new came", () => {
    const rows = rowsOf({ seed: 1, count: 300 });
    const first = { version: "x", entries: run(rows).entries };
    const settled = setOf(run(rows, { previous: first, nowMs: startMs + 420_000 }));
    const nowMs = startMs + 480_000;
    const again = setOf(run(rows, { previous: settled, nowMs }));
    expect(again.version).toBe(settled.version);
    const whole = setOf(run(rows, { previous: settled, nowMs, whole: true }));
    expect(whole.version).not.toBe(settled.version);
  });

  it("keeps what somebody fitted on many labels of their own until as many came here", () => {
    const many = setOf(run(rowsOf({ seed: 1, count: 500 })));
    const fewer = rowsOf({ seed: 2, count: 30, nature: { intercept: 2, slope: 0 } });
    const nowMs = startMs + 600_000;
    expect(own(run(fewer, { previous: many, nowMs })).calibrator).toEqual(
      own(many as Refitted & CalibrationSet).calibrator,
    );
    const none = run([], { previous: many, nowMs: startMs + 40 * 86_400_000 });
    expect(own(none)).toMatchObject({ state: "stale", calibrator: own(many as Refitted & CalibrationSet).calibrator });
  });
});

describe("labels of several callers", () => {
  const honest = rowsOf({ seed: 3, count: 300, nature: { intercept: -1, slope: 0.5 } });
  const lies = (count: number): readonly TrainingRow[] =>
    rowsOf({ seed: 4, count, fromMs: startMs + 1_000_000, more: { caller: "liar", correct: 1 } });
  const confidence = (rows: readonly TrainingRow[]): number => {
    const { calibrator } = chooseCalibrator({ version: "x", entries: run(rows).entries }, key);
    return calibrate(calibrator, [2]);
  };

  it("count for half at most where one of them says more than all the others together", () => {
    const weights = (rows: readonly TrainingRow[], caller: string): number =>
      samplesOf(rows, { nowMs: startMs })
        .filter(({ row }) => row.caller === caller)
        .reduce((sum, { sample }) => sum + sample.weight, 0);
    const both = [...honest, ...lies(5000)];
    expect(weights(both, "liar")).toBeCloseTo(Math.max(200, weights(both, "app")), 6);
    // A few words of another undo nothing, and who is alone is heard.
    expect(weights([...honest.slice(0, 5), ...lies(150)], "liar")).toBeGreaterThan(140);
    expect(weights(lies(900), "liar")).toBeGreaterThan(500);
  });

  it("of which one lies without end move a confidence no further than as many lies as there are true words", () => {
    // More than a fit takes altogether.
    const flooded = confidence([...honest, ...lies(9000)]);
    expect(flooded).toBeLessThan(0.9);
    expect(flooded).toBeLessThan(confidence(lies(9000)) - 0.1);
  });
});

describe("drift", () => {
  const fit = () => {
    const rows = rowsOf({ seed: 1, count: 1200 });
    return { rows, first: run(rows) };
  };

  it("is not seen in scores that go on as before, and in labels once in some 2,000", () => {
    const { rows, first } = fit();
    let alarms = 0;
    for (let seed = 40; seed < 60; seed += 1) {
      const later = rowsOf({ seed, count: 250, fromMs: startMs + 2_000_000 });
      const after = run([...rows, ...toldBy(first, later)], { previous: setOf(first) });
      const { state, why = "" } = own(after);
      expect(why).not.toMatch(/raw scores/u);
      if (state === "drift") alarms += 1;
    }
    // 5,000 labels: two and a half are due.
    expect(alarms).toBeLessThan(7);
  });

  it("is seen within 1,000 answers without a label whose scores moved", () => {
    const { rows, first } = fit();
    const moved = rowsOf({
      seed: 11,
      count: 1000,
      nature: { ...overconfident, shift: -2 },
      fromMs: startMs + 2_000_000,
    });
    const after = run(rows, {
      previous: setOf(first),
      judged: judgedOf([...rows, ...moved]),
      nowMs: startMs + 4_000_000,
    });
    expect(own(after)).toMatchObject({ state: "drift", why: expect.stringMatching(/raw scores/u) });
    expect(after.news).toMatchObject([{ scope: scopeName(key), state: "drift" }]);
  });

  it("is seen within 200 labels where answers got worse, and over after 100 newer ones", () => {
    const { rows, first } = fit();
    const worse: Nature = { intercept: -2.2, slope: 0.5 };
    const later = rowsOf({ seed: 11, count: 200, nature: worse, fromMs: startMs + 2_000_000 });
    const drifted = run([...rows, ...toldBy(first, later)], { previous: setOf(first) });
    expect(own(drifted)).toMatchObject({ state: "drift", why: expect.stringMatching(/fewer answers are right/u) });

    const newer = (count: number) => rowsOf({ seed: 12, count, nature: worse, fromMs: startMs + 3_000_000 });
    const few = run([...rows, ...later, ...newer(99)], { previous: setOf(drifted) });
    expect(own(few).state).toBe("drift");
    expect(few.news).toEqual([]);
    const enough = run([...rows, ...later, ...newer(110)], { previous: setOf(few) });
    expect(enough.news).toEqual([{ scope: scopeName(key), state: "ok" }]);
    expect(errorOf(setOf(enough), worse)).toBeLessThan(errorOf(setOf(first), worse) / 2);
  });

  it("is told in words that a calibration is old", () => {
    const { rows, first } = fit();
    const late = run(rows, { previous: setOf(first), nowMs: startMs + 32 * 86_400_000 });
    expect(own(late)).toMatchObject({ state: "stale", why: expect.stringMatching(/30 days/u) });
  });
});

/** Rows of a time in which the calibration had its say. */
function toldBy(refitted: Refitted, rows: readonly TrainingRow[]): readonly TrainingRow[] {
  const { calibrator } = own(refitted);
  return rows.map((row) => Object.assign({}, row, { told: calibrate(calibrator, row.features), isOwnWord: true }));
}
