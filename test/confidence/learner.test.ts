import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseCalibrator } from "#confidence/calibration-key";
import { compileMade } from "#control/config/configuration";
import { calibrationsFile, readCalibrations } from "#control/config/calibrations";
import { withCalibration } from "#control/config/fingerprint";
import { ingestRecords } from "#control/store/ingest";
import { labelsFile, openLabelsFile, type LabelsFile } from "#control/store/labels-file";
import { openStore, storeFile, type Store } from "#control/store/sqlite";
import type { CalibrationSet } from "#domain/calibration";
import type { Snapshot } from "#domain/snapshot";
import { followLabels } from "#planes/learn";
import { openSnapshot, sealSnapshot } from "#planes/sealed-snapshot";
import { describeChange } from "#planes/describe-change";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";

const folders: string[] = [];
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const pace = { everyMs: 5, restMs: 5 };

afterEach(() => {
  vi.clearAllMocks();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function configured(data: string): Snapshot {
  const document = {
    providers: { a: { kind: "openai-compatible", url: "http://127.0.0.1:1/v1" } },
    routes: { default: { targets: ["a/one"] } },
  };
  const made = compileMade({ document, notices: [] }, { today: "2026-11-21", cwd: data, overrides: { data } });
  if (made.kind === "refused") throw new Error(JSON.stringify(made.problems));
  return made.snapshot;
}

function pathsIn(folder: string) {
  return { storePath: join(folder, storeFile), labelsPath: join(folder, labelsFile) };
}

interface World {
  readonly folder: string;
  readonly store: Store;
  readonly labels: LabelsFile;
}

function world(): World {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-learn-"));
  folders.push(folder);
  const opened = openStore(join(folder, storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  const labels = openLabelsFile({
    path: join(folder, labelsFile),
    onTrouble: (why) => expect.fail(why),
    nowMs: () => 0,
  });
  return { folder, store: opened.store, labels };
}

/** Calls whose answers claim much and are right half of the time, and people who say so. */
async function live({ store, labels }: World, from: number, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, at) => `req_${from + at}`);
  const judgement = sampleJudgement({ verdict: "accepted", features: [6], score: 0.9 });
  const records = ids.map((id) => callRecord(id, { attempts: [attemptRecord({ judgement })] }));
  ingestRecords(store, { file: `w${from}-1-000001.jsonl`, fromOffset: 0, toOffset: 9, chainHash: "h" }, records);
  const label = { source: "human", weight: 1, propensity: 1, caller: "app", atMs: Date.now() } as const;
  await Promise.all(
    ids.map((callId, at) => new Promise((then) => labels.take({ ...label, callId, correct: at % 2 }, then))),
  );
}

describe("a supervisor that learns", () => {
  it("makes a new snapshot of what labels say, and keeps it for the next start", async () => {
    const made = world();
    const { folder, store, labels } = made;
    let snapshot = configured(folder);
    const before = snapshot;
    const learned: CalibrationSet[] = [];
    const onLearned = (set: CalibrationSet) => {
      learned.push(set);
      snapshot = withCalibration(snapshot, set);
    };
    const file = join(folder, calibrationsFile);
    const learner = followLabels({
      store,
      labels,
      ...pathsIn(folder),
      file,
      log,
      snapshot: () => snapshot,
      onLearned,
      pace,
    });
    await live(made, 0, 20);
    await new Promise((done) => setTimeout(done, 100));
    expect(learned).toEqual([]);
    await live(made, 20, 60);
    await vi.waitFor(() => expect(learned.length).toBeGreaterThan(0), 5000);
    await learner.finish();

    const { key } = sampleJudgement();
    const chosen = chooseCalibrator(snapshot.calibration, key, 1);
    expect(chosen.level).toBe("own");
    expect(snapshot.version).not.toBe(before.version);
    expect(describeChange(before, snapshot)).toEqual(["what labels taught of confidence changed"]);
    expect(readCalibrations(file)).toEqual({ kind: "read", file: snapshot.calibration });
    // The next start compiles the same snapshot, and workers get it whole.
    expect(configured(folder).version).toBe(snapshot.version);
    expect(openSnapshot(sealSnapshot(snapshot)).calibration).toEqual(snapshot.calibration);
    expect(log.info).toHaveBeenCalledWith(
      "confidence was learned anew from labels",
      expect.objectContaining({ labels: 80 }),
    );
    expect(log.error).not.toHaveBeenCalled();
  });

  it("goes on with what it has where the disk fails, and says so once a minute", async () => {
    const made = world();
    const { folder, store, labels } = made;
    const onLearned = vi.fn();
    const file = join(folder, "nowhere", calibrationsFile);
    const learner = followLabels({
      store,
      labels,
      ...pathsIn(folder),
      file,
      log,
      snapshot: () => configured(folder),
      onLearned,
      pace,
    });
    await live(made, 0, 60);
    await vi.waitFor(() => expect(log.error).toHaveBeenCalled(), 5000);
    await new Promise((done) => setTimeout(done, 100));
    await learner.finish();
    expect(log.error).toHaveBeenCalledTimes(1);
    expect(onLearned).not.toHaveBeenCalled();
    expect(existsSync(file)).toBe(false);
  });
});

describe("calibration.json", () => {
  it("that is broken is told in words, and the gateway runs without it", () => {
    const { folder, labels } = world();
    labels.close();
    const plain = configured(folder);
    writeFileSync(join(folder, calibrationsFile), "{}");
    const broken = configured(folder);
    expect(broken.calibration).toBeUndefined();
    expect(broken.notices.join("\n")).toMatch(/calibration\.json in the data folder is not read: format must be 1/u);
    expect(plain.notices).toEqual([]);
    expect(readFileSync(join(folder, calibrationsFile), "utf8")).toBe("{}");
  });
});
