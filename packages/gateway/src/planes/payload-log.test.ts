import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Payload, PayloadRule } from "#domain/payload";
import { PayloadLog, type PayloadLogOptions } from "./payload-log.ts";

let place: string;
let folder: string;
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const nowMs = Date.parse("2026-11-26T10:00:00Z");
const rule: PayloadRule = { share: 1, maxBytes: 1000, keepMs: 86_400_000, maxTotalBytes: 10_000 };
const logs: PayloadLog[] = [];

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "hedgerow-payloads-"));
  folder = join(place, "payloads");
  vi.clearAllMocks();
});

afterEach(async () => {
  await Promise.all(logs.splice(0).map((each) => each.close()));
  rmSync(place, { recursive: true });
});

function opened(more: Partial<PayloadLogOptions> = {}): PayloadLog {
  const made = new PayloadLog({
    folder,
    name: "w1-1",
    rule: () => rule,
    log,
    wallMs: () => nowMs,
    everyMs: 1,
    ...more,
  });
  logs.push(made);
  return made;
}

/** One that was closed since is none. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

const part = (text: string | Uint8Array, bytes?: number) => {
  const kept = Buffer.from(text);
  return { bytes: bytes ?? kept.length, kept };
};

function payload(id: string, more: Partial<Payload> = {}): Payload {
  return {
    id,
    atMs: nowMs,
    caller: "app",
    dialect: "openai-chat",
    operation: "generate",
    model: "main",
    route: "main",
    streamed: false,
    status: 200,
    request: part('{"model":"main"}'),
    answer: part("{}"),
    ...more,
  };
}

const lines = () =>
  readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
const counts = (made: PayloadLog) => made.families().map(({ series }) => series[0]?.values[0]);
/** Puts one payload and waits until it is on the disk. */
async function one(made: PayloadLog, id: string): Promise<void> {
  const written = Number(counts(made)[0]);
  made.put(payload(id));
  await vi.waitFor(() => expect(counts(made)[0]).toBe(written + 1), { timeout: 10_000 });
}

describe("the log of payloads", () => {
  it("is no folder until a payload comes, and then its owner's alone, a line for each in order", async () => {
    const made = opened();
    expect(readdirSync(place)).toEqual([]);
    for (const id of ["a", "b", "c"]) made.put(payload(id));
    await made.close();
    expect(lines().map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(lines()[0]).toEqual({
      id: "a",
      at: "2026-11-26T10:00:00.000Z",
      caller: "app",
      dialect: "openai-chat",
      operation: "generate",
      model: "main",
      route: "main",
      streamed: false,
      status: 200,
      request: { bytes: 16, text: '{"model":"main"}' },
      answer: { bytes: 2, text: "{}" },
    });
    const [file = ""] = readdirSync(folder);
    expect([statSync(folder).mode & 0o777, statSync(join(folder, file)).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(counts(made)).toEqual([3, 0]);
  });

  it("says what is cut, inside a character too, and writes what is no text as base64", async () => {
    const made = opened();
    made.put(payload("cut", { answer: part(Buffer.from("grün").subarray(0, 3), 900) }));
    made.put(payload("binary", { answer: part(new Uint8Array([0, 255, 254])) }));
    await made.close();
    expect(lines().map(({ answer }) => answer)).toEqual([
      { bytes: 900, truncated: true, text: "gr\ufffd" },
      { bytes: 3, base64: "AP/+" },
    ]);
  });

  it("begins a file anew each day and when one is full", async () => {
    let atMs = nowMs;
    const forever = { ...rule, keepMs: Number.MAX_SAFE_INTEGER };
    const made = opened({ wallMs: () => atMs, maxFileBytes: 100, rule: () => forever });
    await one(made, "a");
    await one(made, "b");
    atMs += 86_400_000;
    await one(made, "c");
    expect(readdirSync(folder).toSorted()).toEqual([
      "2026-11-26-w1-1-0001.jsonl",
      "2026-11-26-w1-1-0002.jsonl",
      "2026-11-27-w1-1-0003.jsonl",
    ]);
  });

  it("drops what it has no room for, and what the disk refuses, says so once, and goes on when it can", async () => {
    const made = opened({ maxQueuedBytes: 300 });
    for (const id of ["a", "b", "c"]) made.put(payload(id));
    expect(counts(made)).toEqual([0, 2]);
    await vi.waitFor(() => expect(counts(made)).toEqual([1, 2]), { timeout: 10_000 });
    expect(log.warn).not.toHaveBeenCalled();

    // A file where the folder should be.
    const blocked = opened({ folder: join(place, "blocked") });
    writeFileSync(join(place, "blocked"), "");
    blocked.put(payload("d"));
    await vi.waitFor(() => expect(counts(blocked)).toEqual([0, 1]), { timeout: 10_000 });
    blocked.put(payload("e"));
    await vi.waitFor(() => expect(counts(blocked)).toEqual([0, 2]), { timeout: 10_000 });
    expect(log.warn).toHaveBeenCalledOnce();
    rmSync(join(place, "blocked"));
    blocked.put(payload("f"));
    await vi.waitFor(() => expect(counts(blocked)).toEqual([1, 2]), { timeout: 10_000 });
  });

  it("lets files go that are too old, and the oldest where all are too large; others' files stay", async () => {
    const made = opened();
    made.put(payload("a"));
    await vi.waitFor(() => expect(counts(made)[0]).toBe(1), { timeout: 10_000 });
    const age = (name: string, days: number, bytes = 10): void => {
      writeFileSync(join(folder, name), "x".repeat(bytes));
      const atS = nowMs / 1000 - days * 86_400;
      utimesSync(join(folder, name), atS, atS);
    };
    utimesSync(join(folder, readdirSync(folder)[0] ?? ""), nowMs / 1000, nowMs / 1000);
    age("2026-11-24-w2-1-0001.jsonl", 1.5);
    age("2026-11-26-w2-1-0002.jsonl", 0.1, 9_000);
    age("2026-11-26-w2-1-0003.jsonl", 0.2, 9_000);
    age("notes.txt", 100);
    await made.tidy();
    expect(readdirSync(folder).toSorted()).toEqual([
      "2026-11-26-w1-1-0001.jsonl",
      "2026-11-26-w2-1-0002.jsonl",
      "notes.txt",
    ]);
  });

  it("begins files so small that the whole stays within its bound, and never takes away the one it writes to", async () => {
    let atS = Date.now() / 1000;
    const made = opened({ rule: () => ({ ...rule, keepMs: Number.MAX_SAFE_INTEGER, maxTotalBytes: 2_000 }) });
    for (let at = 0; at < 20; at += 1) {
      await one(made, `call-${at}`);
      // In order, however coarse the disk's clock is.
      for (const name of readdirSync(folder).toSorted().slice(-1)) utimesSync(join(folder, name), (atS += 1), atS);
    }
    await made.tidy();
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(sizes.length).toBeGreaterThan(3);
    expect([total > 1_000, total <= 2_000]).toEqual([true, true]);
    expect(lines().some(({ id }) => id === "call-19")).toBe(true);
  });

  it("keeps the newest of more at once than the whole may be", async () => {
    const made = opened({ rule: () => ({ ...rule, keepMs: Number.MAX_SAFE_INTEGER, maxTotalBytes: 4_000 }) });
    for (let at = 0; at < 100; at += 1) made.put(payload(`call-${at}`));
    await vi.waitFor(() => expect(counts(made)).toEqual([100, 0]), { timeout: 10_000 });
    // In the order they were begun, however coarse the disk's clock is.
    for (const [at, name] of readdirSync(folder).toSorted().entries()) {
      utimesSync(join(folder, name), nowMs / 1000 + at, nowMs / 1000 + at);
    }
    await made.tidy();
    const kept = lines().map(({ id }) => id);
    expect([kept.includes("call-99"), kept.length > 5, kept.length < 25]).toEqual([true, true, true]);
  });

  it("writes nothing while the disk has room for records alone, counts what it drops and says so once", async () => {
    let hasRoom = true;
    const made = opened({ hasRoom: () => hasRoom, everyMs: 20 });
    await one(made, "a");
    made.put(payload("waits"));
    hasRoom = false;
    made.put(payload("comes"));
    await vi.waitFor(() => expect(counts(made)).toEqual([1, 2]), { timeout: 10_000 });
    expect(log.warn.mock.calls).toEqual([[expect.stringContaining("while the journal"), { folder }]]);
    hasRoom = true;
    await one(made, "b");
    expect(lines().map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("begins a new file where somebody has removed the one it writes to", async () => {
    const made = opened();
    await one(made, "a");
    rmSync(folder, { recursive: true });
    await one(made, "b");
    expect(lines().map(({ id }) => id)).toEqual(["b"]);
  });

  it.skipIf(!existsSync("/proc/self/fd"))(
    "lets go of a file that is gone, also where nothing more is written",
    async () => {
      const made = opened({ tidyEveryMs: 5 });
      await one(made, "a");
      const held = () => readdirSync("/proc/self/fd").filter((each) => linkOf(each).startsWith(folder));
      expect(held()).toHaveLength(1);
      rmSync(folder, { recursive: true });
      await vi.waitFor(() => expect(held()).toEqual([]));
    },
  );

  it("leaves no half line and no second file behind where a disk takes only a part", async () => {
    const made = opened();
    await one(made, "a");
    const [file = ""] = readdirSync(folder);
    const probe = await open(join(folder, file));
    const handles = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const full = vi.spyOn(handles, "appendFile").mockImplementation(async function (this: FileHandle, data) {
      await this.write(Buffer.from(data as Uint8Array).subarray(0, 20));
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    try {
      for (const dropped of [1, 2, 3]) {
        made.put(payload(`lost-${dropped}`));
        await vi.waitFor(() => expect(counts(made)).toEqual([1, dropped]), { timeout: 10_000 });
      }
    } finally {
      full.mockRestore();
    }
    await one(made, "b");
    expect(readdirSync(folder)).toEqual([file]);
    expect(lines().map(({ id }) => id)).toEqual(["a", "b"]);
    expect(log.warn).toHaveBeenCalledOnce();
  });

  it("forgets within a week what it keeps once nothing is to be kept any more", async () => {
    const made = opened({ rule: () => undefined });
    made.put(payload("a"));
    await vi.waitFor(() => expect(counts(made)[0]).toBe(1), { timeout: 10_000 });
    const path = join(folder, readdirSync(folder)[0] ?? "");
    utimesSync(path, nowMs / 1000 - 6 * 86_400, nowMs / 1000 - 6 * 86_400);
    await made.tidy();
    expect(readdirSync(folder)).toHaveLength(1);
    utimesSync(path, nowMs / 1000 - 8 * 86_400, nowMs / 1000 - 8 * 86_400);
    await made.tidy();
    expect(readdirSync(folder)).toEqual([]);
  });
});
