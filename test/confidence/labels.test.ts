import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openLabelsFile, type LabelsFile } from "#control/store/labels-file";
import type { Label } from "#domain/confidence";

const folders: string[] = [];
const open: LabelsFile[] = [];

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-labels-"));
  folders.push(folder);
  return join(folder, "labels.sqlite");
}

function file(path = newPath(), more: { maxLabels?: number; onTrouble?: (why: string) => void } = {}): LabelsFile {
  const onTrouble = (why: string) => {
    throw new Error(why);
  };
  const made = openLabelsFile({ path, onTrouble, nowMs: () => 0, ...more });
  open.push(made);
  return made;
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const label = (callId: string, more: Partial<Label> = {}): Label => ({
  callId,
  correct: 1,
  source: "human",
  weight: 1,
  propensity: 1,
  caller: "alice",
  atMs: 1_000,
  ...more,
});

const all = (labels: LabelsFile) => labels.page(Number.MAX_SAFE_INTEGER, 1000);

describe("a file of labels", () => {
  it("gives back what was added, the newest first, page by page", () => {
    const labels = file();
    expect(labels.state()).toEqual({ kept: 0 });
    for (const id of ["a", "b", "c"]) expect(labels.add(label(id, { note: `of ${id}`, atMs: 7 }))).toBe(true);
    expect(labels.add(label("d", { target: "p/m", correct: 0.25, weight: 0.5, propensity: 0.02, atMs: 9 }))).toBe(true);
    const [newest, ...others] = labels.page(Number.MAX_SAFE_INTEGER, 2);
    expect(newest).toEqual({
      ...label("d", { target: "p/m", correct: 0.25, weight: 0.5, propensity: 0.02, atMs: 9 }),
      seq: 4,
    });
    expect(others).toEqual([{ ...label("c", { note: "of c", atMs: 7 }), seq: 3 }]);
    expect(labels.page(3, 10).map(({ callId }) => callId)).toEqual(["b", "a"]);
    expect(labels.state()).toEqual({ kept: 4, newestAtMs: 9 });
  });

  it("keeps one verdict of a caller, source and answer, the later one, and it counts as new", () => {
    const labels = file();
    labels.add(label("a", { correct: 0 }));
    labels.add(label("b"));
    labels.add(label("a", { correct: 1 }));
    labels.add(label("a", { correct: 0, source: "verifier" }));
    labels.add(label("a", { correct: 0, caller: "bob" }));
    labels.add(label("a", { correct: 0, target: "p/m" }));
    expect(all(labels).map(({ callId, correct, seq }) => [callId, correct, seq])).toEqual([
      ["a", 0, 6],
      ["a", 0, 5],
      ["a", 0, 4],
      ["a", 1, 3],
      ["b", 1, 2],
    ]);
    expect(labels.state().kept).toBe(6);
  });

  it("takes many at once and tells each when it is on disk, in one sync", async () => {
    const path = newPath();
    const labels = file(path);
    const told = await Promise.all(
      Array.from({ length: 500 }, (_, at) => new Promise<boolean>((then) => labels.take(label(`c${at}`), then))),
    );
    expect(new Set(told)).toEqual(new Set([true]));
    expect(labels.page(Number.MAX_SAFE_INTEGER, 1000)).toHaveLength(500);
    expect(file(path).state().kept).toBe(500);
  });

  it("forgets first what whoever said most said first: a flood of one caller pushes out no other's", () => {
    const labels = file(newPath(), { maxLabels: 100 });
    for (let at = 0; at < 20; at += 1) labels.add(label(`quiet${at}`, { caller: "quiet" }));
    for (let at = 0; at < 500; at += 1) labels.add(label(`loud${at}`, { caller: "loud" }));
    expect(labels.callers()).toEqual(
      new Map([
        ["loud", 80],
        ["quiet", 20],
      ]),
    );
    expect(labels.page(Number.MAX_SAFE_INTEGER, 1, "loud")[0]).toMatchObject({ callId: "loud499" });
    expect(labels.page(Number.MAX_SAFE_INTEGER, 100, "quiet")).toHaveLength(20);
  });

  it("is bounded: the oldest leave", async () => {
    const labels = file(newPath(), { maxLabels: 50 });
    const ids = Array.from({ length: 400 }, (_, at) => `c${at}`);
    await Promise.all(ids.map((id) => new Promise((then) => labels.take(label(id), then))));
    const kept = all(labels);
    expect(kept).toHaveLength(50);
    expect(kept[0]?.callId).toBe("c399");
    expect(labels.state().kept).toBe(400);
  });

  it("is seen by everybody who opens it, and is its owner's alone", () => {
    const path = newPath();
    const one = file(path);
    const other = file(path);
    one.add(label("a"));
    other.add(label("b"));
    expect(all(one).map(({ callId }) => callId)).toEqual(["b", "a"]);
    expect(all(other)).toEqual(all(one));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("says no, and why, where it could not write", () => {
    const told: string[] = [];
    const path = newPath();
    const labels = openLabelsFile({ path, onTrouble: (why) => told.push(why), nowMs: () => 0 });
    labels.close();
    expect(labels.add(label("a"))).toBe(false);
    labels.take(label("b"), (kept) => expect(kept).toBe(false));
    expect(told).toHaveLength(1);
    expect(all(file(path))).toEqual([]);
  });
});
