import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "#domain/record";
import { realJournalFiles, type JournalFiles } from "./journal-files.ts";
import { chainHash, genesisOf, recordLine, segmentFile } from "./journal-line.ts";
import { openJournal, type JournalOptions, type JournalWriter } from "./journal.ts";
import { readJournal } from "./read-journal.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-journal-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function record(id: string, warnings: readonly string[] = []): CallRecord {
  return {
    version: 1,
    id,
    at: "2026-11-21T12:00:00.000Z",
    snapshot: "0123456789ab",
    caller: "anonymous",
    dialect: "openai-chat",
    operation: "generate",
    route: "default",
    requestedModel: "sim/steady",
    streamed: true,
    decision: "answered",
    committed: true,
    status: 200,
    requestBytes: 100,
    answerBytes: 200,
    durationMs: 12.5,
    warnings,
    attempts: [],
  };
}

function open(more: Partial<JournalOptions> = {}): Promise<JournalWriter> {
  return openJournal({ folder, name: "w1-1", reopenMs: 5, ...more });
}

function append(journal: JournalWriter, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(record(id), (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function close(journal: JournalWriter): Promise<Error | undefined> {
  return new Promise((resolve) => journal.close(resolve));
}

function ids(records: readonly CallRecord[]): readonly string[] {
  return records.map(({ id }) => id);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const first = (): string => join(folder, segmentFile("w1-1", 1));

interface Script {
  write?: string;
  sync?: string;
  create?: string;
  /** Bytes of a failing write that reach the file all the same. */
  partly?: number;
}

/** The real file system, except for what the script says fails at the moment, by error code. */
function scripted(script: Script): JournalFiles {
  const broken = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`scripted ${code}`), { code });
  return {
    ...realJournalFiles,
    create(path, then) {
      if (script.create === undefined) realJournalFiles.create(path, then);
      else setImmediate(then, broken(script.create), -1);
    },
    write(descriptor, piece, then) {
      const code = script.write;
      if (code === undefined) return realJournalFiles.write(descriptor, piece, then);
      const part = { ...piece, bytes: piece.bytes.subarray(0, script.partly ?? 0) };
      realJournalFiles.write(descriptor, part, () => then(broken(code)));
    },
    sync(descriptor, then) {
      if (script.sync === undefined) realJournalFiles.sync(descriptor, then);
      else setImmediate(then, broken(script.sync));
    },
  };
}

describe("the journal", () => {
  it("gives back what was appended, in order, with a chain that holds, and says that it was closed", async () => {
    const journal = await open();
    await Promise.all(["a", "b", "c"].map((id) => append(journal, id)));
    expect(await close(journal)).toBeUndefined();
    const read = await readJournal(first());
    expect(ids(read.records)).toEqual(["a", "b", "c"]);
    expect(read).toMatchObject({ damage: [], tornBytes: 0, ended: true, more: false });
  });

  it("calls back only after the sync that covers the record, and in the order of the appends", async () => {
    let syncs = 0;
    const files: JournalFiles = {
      ...realJournalFiles,
      sync(descriptor, then) {
        realJournalFiles.sync(descriptor, (error) => {
          syncs += 1;
          then(error);
        });
      },
    };
    const journal = await open({ files });
    const opened = syncs;
    const seen: string[] = [];
    const done = ["a", "b", "c"].map(async (id) => {
      await append(journal, id);
      seen.push(`${id} after ${syncs - opened}`);
    });
    expect(seen).toEqual([]);
    await Promise.all(done);
    expect(seen).toEqual(["a after 1", "b after 2", "c after 2"]);
  });

  it("writes what arrives during a sync together: a thousand appends need few syncs", async () => {
    const journal = await open();
    await Promise.all(Array.from({ length: 1000 }, (_, index) => append(journal, `r${index}`)));
    expect(journal.stats).toMatchObject({ records: 1000, queuedBytes: 0, dropped: 0 });
    expect(journal.stats.syncs).toBeLessThanOrEqual(3);
  });

  it("begins a new segment at the size limit, and the new one continues the chain of the old", async () => {
    const journal = await open({ maxSegmentBytes: 2000 });
    for (let index = 0; index < 20; index += 1) await append(journal, `r${index}`);
    await close(journal);
    const files = readdirSync(folder).toSorted();
    expect(files.length).toBeGreaterThan(3);
    const seen: string[] = [];
    let previous = genesisOf("w1-1");
    for (const file of files) {
      const begin = JSON.parse(readFileSync(join(folder, file), "utf8").split("\n")[0] ?? "") as { j: unknown };
      expect(begin.j).toMatchObject({ kind: "begin", previous });
      const read = await readJournal(join(folder, file));
      expect(read).toMatchObject({ damage: [], ended: true });
      seen.push(...ids(read.records));
      previous = read.position?.hash ?? "";
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `r${index}`));
  });

  it("refuses to open where the folder cannot be written, with the system's reason", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(openJournal({ folder: join(folder, "file", "journal"), name: "w1-1" })).rejects.toThrow(/ENOTDIR/);
  });

  it("never writes into a file that is already there", async () => {
    writeFileSync(first(), "someone else's");
    await expect(open()).rejects.toThrow(/EEXIST/);
    expect(readFileSync(first(), "utf8")).toBe("someone else's");
  });

  it("fails an append at once when the queue is full, and counts it", async () => {
    const journal = await open({ maxQueuedBytes: 1000 });
    const results = await Promise.allSettled(["a", "b", "c", "d"].map((id) => append(journal, id)));
    const failed = results.filter(({ status }) => status === "rejected");
    expect(failed.length).toBeGreaterThan(0);
    expect(journal.stats.dropped).toBe(failed.length);
  });

  it("closes after everything queued is on disk, and fails what is appended later", async () => {
    const journal = await open();
    const pending = [append(journal, "a"), append(journal, "b")];
    expect(await close(journal)).toBeUndefined();
    await Promise.all(pending);
    await expect(append(journal, "late")).rejects.toThrow(/closed/);
    expect(await close(journal)).toBeUndefined();
    expect(ids((await readJournal(first())).records)).toEqual(["a", "b"]);
  });
});

describe("a failing disk", () => {
  it.each([
    ["a full disk", { write: "ENOSPC", partly: 50 }],
    ["a failed sync", { sync: "EIO" }],
  ])("%s: appends are told, the journal is unhealthy, and all is written when the disk is back", async (_, fault) => {
    const script: Script = {};
    const health: boolean[] = [];
    const journal = await open({ files: scripted(script), onHealth: (healthy) => health.push(healthy) });
    await append(journal, "before");
    Object.assign(script, fault);
    await expect(append(journal, "during")).rejects.toThrow(/scripted/);
    expect(journal.healthy).toBe(false);
    await expect(append(journal, "during, later")).rejects.toThrow(/scripted/);
    delete script.write;
    delete script.sync;
    await until(() => journal.healthy);
    await append(journal, "after");
    expect(health).toEqual([false, true]);
    expect(await close(journal)).toBeUndefined();
    const old = await readJournal(first());
    expect(old).toMatchObject({ damage: [], tornBytes: 0 });
    const next = await readJournal(join(folder, segmentFile("w1-1", 2)));
    expect(next.damage).toEqual([]);
    expect([...ids(old.records), ...ids(next.records)]).toEqual(["before", "during", "during, later", "after"]);
  });

  it("keeps trying while no new file can be made, and leaves no litter", async () => {
    const script: Script = {};
    const journal = await open({ files: scripted(script) });
    script.sync = "EIO";
    script.create = "ENOSPC";
    await expect(append(journal, "a")).rejects.toThrow(/EIO/);
    await until(() => journal.stats.failures >= 3);
    delete script.create;
    await until(() => journal.stats.failures >= 5);
    delete script.sync;
    await until(() => journal.healthy);
    await close(journal);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it("goes on behind a file that it could neither finish nor remove", async () => {
    const script: Script = {};
    const files = { ...scripted(script), remove: ((_path, then) => then(null)) satisfies JournalFiles["remove"] };
    const journal = await open({ files });
    await append(journal, "before");
    script.sync = "EIO";
    await expect(append(journal, "during")).rejects.toThrow(/EIO/);
    await until(() => journal.stats.failures >= 2);
    delete script.sync;
    await until(() => journal.healthy);
    await append(journal, "after");
    await close(journal);
    const read = await Promise.all(
      readdirSync(folder)
        .toSorted()
        .map((file) => readJournal(join(folder, file))),
    );
    expect(read.flatMap(({ records }) => [...ids(records)])).toEqual(["before", "during", "after"]);
    expect(read.flatMap(({ damage }) => damage)).toEqual([]);
  });

  it("is unhealthy while a sync takes too long, and healthy again after it", async () => {
    let release = (): void => {};
    let slow = false;
    const files: JournalFiles = {
      ...realJournalFiles,
      sync(descriptor, then) {
        if (slow) release = () => realJournalFiles.sync(descriptor, then);
        else realJournalFiles.sync(descriptor, then);
      },
    };
    const journal = await open({ files, slowSyncMs: 20 });
    slow = true;
    const pending = append(journal, "a");
    expect(journal.healthy).toBe(true);
    await until(() => !journal.healthy);
    slow = false;
    release();
    await pending;
    expect(journal.healthy).toBe(true);
  });

  it("says at close what could not be written", async () => {
    const script: Script = {};
    const journal = await open({ files: scripted(script), reopenMs: 60_000 });
    script.write = "EIO";
    await expect(append(journal, "a")).rejects.toThrow(/EIO/);
    expect((await close(journal))?.message).toMatch(/EIO/);
  });

  it("gives queued records one last try at close", async () => {
    const script: Script = {};
    const journal = await open({ files: scripted(script), reopenMs: 60_000 });
    script.write = "EIO";
    await expect(append(journal, "a")).rejects.toThrow(/EIO/);
    delete script.write;
    expect(await close(journal)).toBeUndefined();
    expect(ids((await readJournal(join(folder, segmentFile("w1-1", 2)))).records)).toEqual(["a"]);
  });
});

async function written(count: number): Promise<readonly string[]> {
  const journal = await open();
  for (let index = 0; index < count; index += 1) await append(journal, `r${index} ü`);
  await close(journal);
  return readFileSync(first(), "utf8").split("\n").slice(0, -1);
}

function rewrite(lines: readonly string[]): void {
  writeFileSync(first(), lines.map((line) => `${line}\n`).join(""));
}

describe("reading a journal", () => {
  it("loses no record before a cut, at any byte, and reports the torn tail", async () => {
    const lines = await written(6);
    const bytes = readFileSync(first());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length }), async (cut) => {
        writeFileSync(first(), bytes.subarray(0, cut));
        const read = await readJournal(first());
        const whole = bytes.subarray(0, cut).lastIndexOf(10) + 1;
        const lineCount = bytes.subarray(0, whole).toString().split("\n").length - 1;
        const recordCount = Math.max(0, Math.min(lineCount - 1, lines.length - 2));
        expect(ids(read.records)).toEqual(Array.from({ length: recordCount }, (_, index) => `r${index} ü`));
        expect(read.tornBytes).toBe(cut - whole);
        expect(read.damage).toEqual([]);
        expect(read.ended).toBe(cut === bytes.length);
      }),
      { numRuns: 200 },
    );
  });

  it("gives every record exactly once when read piece by piece while the file grows", async () => {
    await written(8);
    const bytes = readFileSync(first());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 2000 }),
        async (cuts, maxBytes) => {
          const seen: string[] = [];
          let position: Awaited<ReturnType<typeof readJournal>>["position"];
          for (const cut of [...cuts, bytes.length].toSorted((a, b) => a - b)) {
            writeFileSync(first(), bytes.subarray(0, cut));
            for (let more = true; more;) {
              const read = await readJournal(first(), position, maxBytes);
              expect(read.damage).toEqual([]);
              seen.push(...ids(read.records));
              ({ position, more } = read);
            }
          }
          expect(seen).toEqual(Array.from({ length: 8 }, (_, index) => `r${index} ü`));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("finds an edit, a removal, an addition and a swap, wherever they are", async () => {
    const lines = await written(6);
    const forged = recordLine(chainHash("0".repeat(64), "{}"), "{}").trimEnd();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("edit", "remove", "add", "swap"),
        async (at, change) => {
          const changed = [...lines];
          const line = lines[at] ?? "";
          if (change === "edit") changed[at] = line.replace('"status":200', '"status":201');
          if (change === "remove") changed.splice(at, 1);
          if (change === "add") changed.splice(at, 0, forged);
          if (change === "swap") changed.splice(at, 2, lines[at + 1] ?? "", line);
          rewrite(changed);
          expect((await readJournal(first())).damagedLines).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("blames one edited line alone and gives the others", async () => {
    const lines = await written(5);
    rewrite(lines.with(3, (lines[3] ?? "").replace('"status":200', '"status":201')));
    const read = await readJournal(first());
    expect(ids(read.records)).toEqual(["r0 ü", "r1 ü", "r3 ü", "r4 ü"]);
    expect(read.damage).toHaveLength(1);
  });

  it("survives a line that is no line, says where it is, and cannot vouch for the one behind it", async () => {
    const lines = await written(5);
    rewrite(lines.with(2, "\0\0\0 not a line"));
    const read = await readJournal(first());
    expect(read.damage[0]?.offset).toBe(Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`));
    expect(ids(read.records)).toEqual(["r0 ü", "r3 ü", "r4 ü"]);
  });

  it("finds a segment that was put under another name", async () => {
    await written(1);
    const other = join(folder, segmentFile("w2-1", 1));
    writeFileSync(other, readFileSync(first()));
    expect((await readJournal(other)).damage[0]?.why).toMatch(/was written as segment 1 of w1-1/);
  });
});
