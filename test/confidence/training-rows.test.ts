import { describe, expect, it } from "vitest";
import { trainingRows } from "#control/confidence/training-rows";
import { ingestRecords } from "#control/store/ingest";
import { openLabelsFile, type LabelsFile } from "#control/store/labels-file";
import { openStore, type Store } from "#control/store/sqlite";
import type { Judgement, Label } from "#domain/confidence";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";

interface World {
  readonly store: Store;
  readonly labels: LabelsFile;
}

function world(records: readonly CallRecord[], labels: readonly Partial<Label>[] = []): World {
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 10, chainHash: "h" }, records);
  const file = openLabelsFile({ path: ":memory:", onTrouble: (why) => expect.fail(why), nowMs: () => 0 });
  for (const [at, label] of labels.entries()) {
    const whole = {
      callId: "req_1",
      correct: 1,
      source: "human",
      weight: 1,
      propensity: 1,
      caller: "app",
      atMs: at,
    } as const;
    file.add({ ...whole, ...label });
  }
  return { store: opened.store, labels: file };
}

function judged(target: string, judgement: Partial<Judgement> = {}, more: Partial<AttemptRecord> = {}): AttemptRecord {
  const model = target.split("/")[1] ?? "";
  const key = { ...sampleJudgement().key, model: target };
  return attemptRecord({ target, model, judgement: sampleJudgement({ key, ...judgement }), ...more });
}

const accepted = { verdict: "accepted", score: 0.9 } as const;
const rowsOf = (made: World, bounds?: { perKey: number; verdicts: number }) =>
  trainingRows({ ...made, ...(bounds === undefined ? {} : { bounds }) });

const escalated = callRecord("req_1", {
  decision: "escalated",
  attempts: [
    judged("a/one", { score: 0.4 }, { outcome: "doubted", agrees: false }),
    attemptRecord({ target: "a/second", role: "second" }),
    judged("b/two", accepted, { agrees: true }),
  ],
});

describe("rows to learn from", () => {
  it("put a label on the answer that was given, or on the one it names", () => {
    const rows = rowsOf(
      world(
        [escalated],
        [
          { correct: 0.5, weight: 0.7 },
          { target: "a/one", correct: 0 },
        ],
      ),
    );
    expect(
      rows.map(({ key, correct, weight, told, ofDoubted }) => [key.model, correct, weight, told, ofDoubted]),
    ).toEqual([
      ["a/one", 0, 1, 0.4, true],
      ["b/two", 0.5, 0.7, 0.9, false],
    ]);
    expect(rows[0]).toMatchObject({ source: "human", features: [2.2, 0.5], isOwnWord: false });
  });

  it("leave out labels of others on a caller's call, of answers nobody judged, and of calls nobody knows", () => {
    const plain = callRecord("req_2", { attempts: [attemptRecord()] });
    const made = world(
      [escalated, plain],
      [{ caller: "other" }, { callId: "req_2" }, { callId: "req_3" }, { target: "c/none" }, { target: "a/second" }],
    );
    expect(rowsOf(made).filter(({ source }) => source === "human")).toEqual([]);
  });

  it("take the best of doubted answers for the given one where none was accepted", () => {
    const attempts = [
      judged("a/one", { score: 0.4 }, { outcome: "doubted" }),
      judged("b/two", { score: 0.6 }, { outcome: "doubted" }),
      judged("c/three", { score: null, raw: null, features: [] }, { outcome: "doubted" }),
    ];
    const rows = rowsOf(world([callRecord("req_1", { decision: "doubted", attempts })], [{ correct: 1 }]));
    expect(rows.map(({ key }) => key.model)).toEqual(["b/two"]);
  });

  it("learn nothing of failed gates and of verifiers, whose score is no estimate", () => {
    const key = { ...sampleJudgement().key, signals: "gate" };
    const gate = judged("a/one", { score: 0, raw: 0, estimator: "gate", key }, { outcome: "doubted", agrees: false });
    const verified = judged("b/two", { ...accepted, key: { ...key, signals: "verifier" } });
    const rows = rowsOf(world([callRecord("req_1", { attempts: [gate, verified] })], [{}, { target: "a/one" }]));
    expect(rows).toEqual([]);
  });

  it("take what a later target said as silver, of doubted answers, unless somebody knew better", () => {
    const rows = rowsOf(world([escalated]));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      source: "silver",
      correct: 0,
      ofDoubted: true,
      propensity: 1,
      key: { model: "a/one" },
    });
    const known = rowsOf(world([escalated], [{ target: "a/one", correct: 1 }]));
    expect(known.map(({ source, correct }) => [source, correct])).toEqual([["human", 1]]);
  });

  it("take what a shadow said as silver of the answer that was given, with the chance it was picked by", () => {
    const given = callRecord("req_1", { attempts: [judged("a/one", accepted)] });
    const shadow = callRecord("req_2", {
      decision: "shadow",
      shadow: { of: "req_1", propensity: 0.02 },
      attempts: [judged("b/two", accepted, { agrees: false })],
    });
    const rows = rowsOf(world([given, shadow]));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      key: { model: "a/one" },
      source: "silver",
      correct: 0,
      propensity: 0.02,
      ofDoubted: false,
    });
  });

  it("are bounded, and the newest count, over many pages", () => {
    const count = 1200;
    const ids = Array.from({ length: count }, (_, at) => `req_${at}`);
    const at = (index: number) => new Date(1_795_255_200_000 + Math.floor(index / 700) * 1000).toISOString();
    const records = ids.map((id, index) =>
      callRecord(id, {
        at: at(index),
        attempts: [
          judged(index % 2 === 0 ? "a/one" : "b/two", accepted, { outcome: "doubted", agrees: true }),
          judged("c/three", accepted),
        ],
      }),
    );
    const labels = ids.map((callId, index) => ({ callId, atMs: index }));
    const everything = rowsOf(world(records, labels));
    expect(everything.filter(({ source }) => source === "human")).toHaveLength(count);
    expect(everything.filter(({ source }) => source === "silver").length).toBeGreaterThan(count / 2);
    const bounded = rowsOf(world(records, labels), { perKey: 100, verdicts: 1000 });
    expect(bounded.filter(({ source }) => source === "human").map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 100 }, (_, index) => count - 1 - index),
    );
    expect(bounded).toHaveLength(300);
  });

  it("are read of every caller, however many labels on nothing one of them sent afterwards", () => {
    const flood = Array.from({ length: 300 }, (_, at) => ({ callId: `req_none${at}`, caller: "loud" }));
    const made = world([escalated], [{ correct: 0 }, ...flood]);
    expect(rowsOf(made, { perKey: 10, verdicts: 100 })).toContainEqual(
      expect.objectContaining({ caller: "app", correct: 0, source: "human" }),
    );
  });
});
