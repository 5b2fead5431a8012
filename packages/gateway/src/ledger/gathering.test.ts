import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CallRecord } from "#domain/record";
import { realJournalFiles, type JournalFiles } from "./journal-files.ts";
import { openJournal, type JournalWriter } from "./journal.ts";

let folder: string;
/** One entry for each write: the records in it. */
let writes: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-gathering-"));
  writes = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const counting: JournalFiles = {
  ...realJournalFiles,
  write(descriptor, piece, then) {
    writes.push(Buffer.from(piece.bytes).toString("utf8").split('"r":').length - 1);
    realJournalFiles.write(descriptor, piece, then);
  },
};

function append(journal: JournalWriter, count: number): Promise<void>[] {
  return Array.from({ length: count }, (_, at) => {
    const record = { version: 1, id: `req_${at}` } as unknown as CallRecord;
    return new Promise<void>((resolve, reject) => {
      journal.append(record, (error) => (error === undefined ? resolve() : reject(error)));
    });
  });
}

it("writes a lone record at once, and gathers the stragglers of a crowd into one write", { retry: 2 }, async () => {
  const journal = await openJournal({ folder, name: "w1-1", gatherMs: 3, files: counting });
  writes = [];
  await Promise.all(append(journal, 1));
  expect(writes).toEqual([1]);
  // The first of a crowd goes alone, the rest together; whoever comes right behind them waits for company.
  const crowd = append(journal, 8);
  await crowd.at(-1);
  const stragglers = append(journal, 1);
  await Promise.resolve();
  stragglers.push(...append(journal, 2));
  await Promise.all([...crowd, ...stragglers]);
  expect(writes).toEqual([1, 1, 7, 3]);
  await new Promise((resolve) => journal.close(resolve));
});

it("loses nothing that was being gathered when it is closed", async () => {
  const journal = await openJournal({ folder, name: "w1-2", gatherMs: 60_000, files: counting });
  await Promise.all(append(journal, 1));
  const crowd = append(journal, 8);
  await crowd[0];
  // The other seven wait for company for a minute, if nobody closes.
  const closed = new Promise((resolve) => journal.close(resolve));
  await Promise.all([...crowd, closed]);
  expect(journal.stats.records).toBe(9);
});
