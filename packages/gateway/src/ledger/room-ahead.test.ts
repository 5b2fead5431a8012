import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "#domain/record";
import { realJournalFiles, type FilePiece, type JournalFiles } from "./journal-files.ts";
import { segmentFile } from "./journal-line.ts";
import { openJournal, type JournalOptions, type JournalWriter } from "./journal.ts";
import { readJournal, writtenBytes } from "./read-journal.ts";

const mebibyte = 1024 * 1024;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-room-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (segment = 1): string => join(folder, segmentFile("w1-1", segment));

function open(more: Partial<JournalOptions> = {}): Promise<JournalWriter> {
  return openJournal({ folder, name: "w1-1", reopenMs: 5, ...more });
}

function append(journal: JournalWriter, id: string, bytes = 20_000): Promise<void> {
  const record = { version: 1, id, filling: "x".repeat(bytes) } as unknown as CallRecord;
  return new Promise((resolve, reject) => {
    journal.append(record, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

async function appendAll(journal: JournalWriter, ids: readonly string[], bytes?: number): Promise<void> {
  for (const id of ids) await append(journal, id, bytes);
}

const names = (count: number, from = 0): readonly string[] => Array.from({ length: count }, (_, at) => `r${from + at}`);

async function idsIn(segment = 1): Promise<readonly string[]> {
  const read = await readJournal(path(segment), undefined, 64 * mebibyte);
  expect(read).toMatchObject({ damage: [], tornBytes: 0 });
  return read.records.map(({ id }) => id);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const isRoom = ({ bytes }: FilePiece): boolean => bytes.length === mebibyte && bytes[0] === 0;

/** The real files; room is made when the test says so, or not at all. */
function slowRoom(): { readonly files: JournalFiles; readonly asked: FilePiece[]; finish: (error?: Error) => void } {
  const held: ((error?: Error) => void)[] = [];
  const asked: FilePiece[] = [];
  const files: JournalFiles = {
    ...realJournalFiles,
    write(descriptor, piece, then) {
      if (!isRoom(piece)) return realJournalFiles.write(descriptor, piece, then);
      asked.push(piece);
      held.push((error) => {
        if (error === undefined) realJournalFiles.write(descriptor, piece, then);
        else then(error);
      });
    },
  };
  return { files, asked, finish: (error) => held.shift()?.(error) };
}

describe("room in a segment", () => {
  it("is not made for few records: the file holds its lines and nothing else", async () => {
    const journal = await open();
    await appendAll(journal, names(5), 2_000);
    expect(readFileSync(path()).includes(0)).toBe(false);
    await new Promise((resolve) => journal.close(resolve));
  });

  it("stands behind the records of many, is written over by those that follow, and is gone at the end", async () => {
    const journal = await open();
    await appendAll(journal, names(10));
    await until(() => statSync(path()).size > mebibyte);
    const written = await writtenBytes(path());
    expect(written).toBeLessThan(250_000);
    expect(await idsIn()).toEqual(names(10));
    await appendAll(journal, names(60, 10));
    expect(await idsIn()).toEqual(names(70));
    await new Promise((resolve) => journal.close(resolve));
    expect(readFileSync(path()).includes(0)).toBe(false);
    expect((await readJournal(path(), undefined, 64 * mebibyte)).ended).toBe(true);
  });

  it("is not begun behind the largest size of a segment, and a new segment has none of it", async () => {
    const journal = await open({ maxSegmentBytes: 300_000 });
    await appendAll(journal, names(30));
    await new Promise((resolve) => journal.close(resolve));
    for (const segment of [1, 2]) {
      expect(statSync(path(segment)).size).toBeLessThan(400_000);
      expect(readFileSync(path(segment)).includes(0)).toBe(false);
    }
    expect([...(await idsIn(1)), ...(await idsIn(2))]).toEqual(names(30));
  });

  it("is waited for only by what would reach into it, and never overwrites what was written", async () => {
    const { files, asked, finish } = slowRoom();
    const journal = await open({ files });
    await appendAll(journal, names(4));
    await until(() => asked.length === 1);
    // As far as the room's beginning all goes on without it.
    await appendAll(journal, names(5, 4));
    let isThere = false;
    const late = append(journal, "late", 100_000).then(() => (isThere = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isThere).toBe(false);
    finish();
    await late;
    expect(await idsIn()).toEqual([...names(9), "late"]);
    const closed = new Promise((resolve) => journal.close(resolve));
    for (let times = 0; times < 3; times += 1) finish();
    await closed;
    expect(await idsIn()).toEqual([...names(9), "late"]);
  });

  it("keeps the file open until it is made, also where the journal is closed meanwhile", async () => {
    const { files, asked, finish } = slowRoom();
    const journal = await open({ files });
    await appendAll(journal, names(4));
    await until(() => asked.length === 1);
    let isClosed = false;
    const closed = new Promise<void>((resolve) => journal.close(() => resolve())).then(() => (isClosed = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isClosed).toBe(false);
    finish();
    await closed;
    expect(readFileSync(path()).includes(0)).toBe(false);
    expect(await idsIn()).toEqual(names(4));
  });

  it("is not missed where the disk has none: records go on, and it is not asked for again in this segment", async () => {
    const { files, asked, finish } = slowRoom();
    const journal = await open({ files });
    await appendAll(journal, names(4));
    await until(() => asked.length === 1);
    finish(new Error("ENOSPC"));
    await appendAll(journal, names(60, 4));
    expect(asked).toHaveLength(1);
    expect(journal.stats).toMatchObject({ failures: 0, records: 64 });
    await new Promise((resolve) => journal.close(resolve));
    expect(await idsIn()).toEqual(names(64));
  });
});

describe("reading a segment with room", () => {
  it("gives what it gives without, wherever the writer was stopped", async () => {
    const journal = await open();
    await appendAll(journal, names(6), 300);
    await new Promise((resolve) => journal.close(resolve));
    const bytes = readFileSync(path());
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: bytes.length }),
        fc.integer({ min: 0, max: 200_000 }),
        async (cut, zeros) => {
          writeFileSync(path(), bytes.subarray(0, cut));
          const without = await readJournal(path());
          appendFileSync(path(), new Uint8Array(zeros));
          expect(await readJournal(path())).toEqual(without);
          expect(await readJournal(path(), undefined, 1)).toMatchObject({ damage: [] });
          expect(await writtenBytes(path())).toBe(cut);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("calls a line damaged that has zeros in it and lines behind it, and reads on", async () => {
    const journal = await open();
    await appendAll(journal, names(6), 300);
    await new Promise((resolve) => journal.close(resolve));
    const bytes = readFileSync(path());
    bytes.fill(0, bytes.indexOf('"r2"'), bytes.indexOf('"r2"') + 4);
    writeFileSync(path(), bytes);
    const read = await readJournal(path());
    expect(read.records.map(({ id }) => id)).toEqual(["r0", "r1", "r3", "r4", "r5"]);
    expect(read).toMatchObject({ damagedLines: 1, ended: true, more: false });
  });
});
