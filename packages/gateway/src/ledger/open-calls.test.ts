import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BegunCall } from "#domain/begun-call";
import type { CallRecord } from "#domain/record";
import { closeDeadJournals } from "./close-journal.ts";
import { openJournal } from "./journal.ts";
import { segmentFile } from "./journal-line.ts";
import { lostRecord } from "./lost-record.ts";
import { OpenCalls, readOpenCalls } from "./open-calls.ts";
import { readJournal } from "./read-journal.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-open-calls-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const record = (id: string, more: Partial<CallRecord> = {}): CallRecord =>
  ({ version: 1, id, route: "default", attempts: [], ...more }) as unknown as CallRecord;
const begun = (id: string, more: Partial<BegunCall> = {}): BegunCall => ({
  version: 1,
  id,
  atMs: Date.UTC(2026, 10, 26),
  snapshot: "0123456789ab",
  caller: "app",
  dialect: "openai-chat",
  operation: "generate",
  route: "default",
  requestedModel: "default",
  streamed: true,
  requestBytes: 100,
  elapsedMs: 20,
  attempts: [],
  ...more,
});

async function openIn(file: string): Promise<readonly string[]> {
  const records = existsSync(join(folder, file)) ? await readOpenCalls(join(folder, file)) : [];
  return records.map(({ id }) => id).toSorted();
}

const ended = (): ((error?: Error) => void) & { readonly done: Promise<void> } => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return Object.assign((error?: Error) => (error === undefined ? resolve() : reject(error)), { done: promise });
};

describe("calls on their way", () => {
  it("are in the file while they last, whatever order they end in", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 60 }), async (steps) => {
        const name = `${readdirSync(folder).length}.open`;
        const calls = new OpenCalls(join(folder, name));
        const open = new Set<string>();
        for (const [at, step] of steps.entries()) {
          const known = [...open].find((each) => each.startsWith(`${step}-`));
          const id = known ?? `${step}-${at}`;
          if (known !== undefined) {
            open.delete(id);
            calls.take(id);
          } else {
            open.add(id);
            calls.put(begun(id, { route: "r".repeat(step * 100) }));
          }
          const found = await openIn(name);
          expect([...open].filter((each) => !found.includes(each))).toEqual([]);
          expect(new Set(found).size).toBe(found.length);
        }
        calls.close();
        expect(await openIn(name)).toEqual([...open].toSorted());
        expect(existsSync(join(folder, name))).toBe(open.size > 0);
      }),
      { numRuns: 40 },
    );
  });

  it("take the room of those that have ended, and what is too long for a page is counted, not written", async () => {
    const calls = new OpenCalls(join(folder, "a.open"));
    for (let call = 0; call < 500; call += 1) {
      calls.put(begun(`c${call}`));
      if (call > 3) calls.take(`c${call}`);
    }
    expect(readFileSync(join(folder, "a.open")).length).toBeLessThanOrEqual(5 * 4096);
    calls.put(begun("long", { route: "r".repeat(5000) }));
    expect([calls.failures, calls.size]).toEqual([1, 4]);
    calls.put(begun("next"));
    calls.put(begun("next", { elapsedMs: 500 }));
    expect((await readOpenCalls(join(folder, "a.open"))).filter(({ id }) => id === "next")).toMatchObject([
      { elapsedMs: 500 },
    ]);
    calls.close();
  });

  it("that are torn or no records are left out", async () => {
    const page = (text: string): string => text.padEnd(4096, " ");
    const whole = JSON.stringify(begun("whole"));
    writeFileSync(
      join(folder, "a.open"),
      [page(`${whole}\n`), page(whole.slice(0, 20)), page("{}\n"), page("\n"), page("null\nx"), `${whole}\n`].join(""),
    );
    expect(await openIn("a.open")).toEqual(["whole", "whole"]);
  });
});

describe("a journal whose process died", () => {
  const close = (recorded: readonly string[], grows = false) =>
    closeDeadJournals({ folder, grows: () => grows, isRecorded: (id) => recorded.includes(id) });

  it("ends with a record of each call that has none, once, and its chain goes on", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    const kept = ended();
    for (const id of ["a", "b", "c"]) journal.begin(begun(id));
    journal.append(record("b", { status: 200 }), kept);
    await kept.done;
    // Killed here: nothing is closed.
    expect(await close(["b"], true)).toEqual([]);
    expect(await openIn("w1-1.open")).toEqual(expect.arrayContaining(["a", "c"]));
    expect(await close(["b"])).toMatchObject([{ journal: "w1-1", lost: [{ id: "a" }, { id: "c" }] }]);
    const first = await readJournal(join(folder, segmentFile("w1-1", 1)));
    const last = await readJournal(join(folder, segmentFile("w1-1", 2)));
    expect([...first.records, ...last.records].map(({ id }) => id)).toEqual(["b", "a", "c"]);
    expect([first.damage, last.damage, last.ended]).toEqual([[], [], true]);
    const begin = readFileSync(join(folder, segmentFile("w1-1", 2)), "utf8").split("\n")[0];
    expect(begin).toContain(`"previous":"${first.position?.hash}"`);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await close(["a", "b", "c"])).toEqual([]);
  });

  it("is found closed where whoever closed it died in the middle", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    journal.begin(begun("a"));
    const open = readFileSync(join(folder, "w1-1.open"));
    writeFileSync(join(folder, "w1-1.open.closing"), "half a seg");
    await close([]);
    // The file of open calls was to be removed, and was not.
    writeFileSync(join(folder, "w1-1.open"), open);
    expect(await close(["a"])).toEqual([]);
    expect(readdirSync(folder)).toEqual([segmentFile("w1-1", 1), segmentFile("w1-1", 2)]);
  });

  it("keeps calls over segments, and leaves nothing behind where all have ended", async () => {
    const journal = await openJournal({ folder, name: "w1-1", maxSegmentBytes: 600 });
    journal.begin(begun("long"));
    for (let call = 0; call < 20; call += 1) {
      const kept = ended();
      journal.begin(begun(`c${call}`));
      journal.append(record(`c${call}`), kept);
      await kept.done;
    }
    expect(journal.stats.segment).toBeGreaterThan(3);
    expect(await openIn("w1-1.open")).toContain("long");
    const last = ended();
    journal.append(record("long"), last);
    await last.done;
    const closed = ended();
    journal.close(closed);
    await closed.done;
    expect(existsSync(join(folder, "w1-1.open"))).toBe(false);
  });

  it("has its calls even where its own file was torn at any byte", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) journal.begin(begun(id));
    const kept = ids.slice(0, 3).map((id) => {
      const then = ended();
      journal.append(record(id, { status: 200 }), then);
      return then.done;
    });
    await Promise.all(kept);
    const path = join(folder, segmentFile("w1-1", 1));
    const [whole, open] = [readFileSync(path), readFileSync(join(folder, "w1-1.open"))];
    const firstLine = whole.indexOf("\n") + 1;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: firstLine, max: whole.length }), async (cut) => {
        for (const file of readdirSync(folder)) rmSync(join(folder, file));
        writeFileSync(path, whole.subarray(0, cut));
        writeFileSync(join(folder, "w1-1.open"), open);
        const torn = await readJournal(path);
        expect(torn.damage).toEqual([]);
        const recorded = torn.records.map(({ id }) => id);
        await close(recorded);
        const last = await readJournal(join(folder, segmentFile("w1-1", 2)));
        expect(last.damage).toEqual([]);
        expect([...recorded, ...last.records.map(({ id }) => id)].toSorted()).toEqual(ids);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the record of a call whose process died", () => {
  it("has what ended as it ended, and what was under way with all that was held back for it", () => {
    const ended = {
      target: "a/b/c",
      provider: "a",
      model: "b/c",
      credential: "a#1",
      outcome: "failed",
      failure: "upstream_failed",
      startedMs: 0,
      endedMs: 5,
    } as const;
    const open = { target: "x/y/z", credential: "x#1", startedMs: 5, promptTokens: 10, tokens: 30, nanoUsd: 70 };
    expect(lostRecord(begun("a", { team: "web", attempts: [ended, open] }))).toMatchObject({
      decision: "broken",
      team: "web",
      costNanoUsd: 70,
      usage: { inputUncached: 10, output: 20, estimated: true },
      attempts: [
        ended,
        { target: "x/y/z", provider: "x", model: "y/z", outcome: "broken", costNanoUsd: 70, endedMs: 20 },
      ],
    });
  });

  it("has an unknown cost where one of its attempts has", () => {
    const priced = { target: "a/b", credential: "a#1", startedMs: 0, promptTokens: 1, tokens: 3, nanoUsd: 7 };
    const { nanoUsd: _unknown, ...unpriced } = priced;
    expect(lostRecord(begun("a", { attempts: [priced, unpriced] }))).not.toHaveProperty("costNanoUsd");
    expect(lostRecord(begun("a", { attempts: [priced, priced] }))).toMatchObject({ costNanoUsd: 14 });
  });
});
