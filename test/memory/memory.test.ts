import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { openMemoryFile, type MemoryFile } from "#control/store/memory-file";
import type { Memory, MemoryPlace } from "#domain/ports";
import { processMemory } from "#pipeline/process-memory";

const folders: string[] = [];
const open: MemoryFile[] = [];
let nowMs = 1_000_000;

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-memory-"));
  folders.push(folder);
  return join(folder, "memory.sqlite");
}

function file(path = newFile(), more: { maxValueBytes?: number; maxTotalBytes?: number } = {}): MemoryFile {
  const made = openMemoryFile({
    path,
    wallMs: () => nowMs,
    onTrouble: (why) => {
      throw new Error(why);
    },
    ...more,
  });
  open.push(made);
  return made;
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const kinds: Readonly<Record<string, (more?: { value?: number; total?: number }) => Memory>> = {
  "of the process": ({ value = 1000, total = 10_000 } = {}) =>
    processMemory(() => nowMs, { maxValueLength: value, maxTotalLength: total }),
  "in a file": ({ value = 1000, total = 10_000 } = {}) =>
    file(newFile(), { maxValueBytes: value, maxTotalBytes: total }),
};

const at = (id: string, owner = "alice"): MemoryPlace => ({ space: "response", owner, id });

describe.each(Object.entries(kinds))("a memory %s", (_title, make) => {
  it("gives back what was put, to its owner and from its space only", () => {
    const memory = make();
    expect(memory.put(at("r1"), "one", 1000)).toBe(true);
    expect(memory.get(at("r1"))).toBe("one");
    expect(memory.get(at("r1", "bob"))).toBeUndefined();
    expect(memory.get({ ...at("r1"), space: "thought" })).toBeUndefined();
    expect(memory.delete(at("r1", "bob"))).toBe(false);
    expect(memory.delete(at("r1"))).toBe(true);
    expect(memory.get(at("r1"))).toBeUndefined();
  });

  it("forgets what has expired, and keeps what is in use", () => {
    const memory = make();
    memory.put(at("used"), "u", 1000);
    memory.put(at("left"), "l", 1000);
    nowMs += 600;
    expect(memory.get(at("used"))).toBe("u");
    nowMs += 600;
    expect(memory.get(at("used"))).toBe("u");
    expect(memory.get(at("left"))).toBeUndefined();
    expect(memory.change(at("left"), () => "back")).toBe(false);
  });

  it("changes in one step, and nothing where there is nothing", () => {
    const memory = make();
    memory.put(at("c"), "a", 1000);
    expect(memory.change(at("c"), (value) => `${value}b`)).toBe(true);
    expect(memory.get(at("c"))).toBe("ab");
    expect(memory.change(at("none"), (value) => value)).toBe(false);
  });

  it("refuses a value beyond its bound and says so", () => {
    const memory = make({ value: 10 });
    expect(memory.put(at("long"), "x".repeat(11), 1000)).toBe(false);
    expect(memory.get(at("long"))).toBeUndefined();
    expect(memory.put(at("fits"), "x".repeat(10), 1000)).toBe(true);
  });

  it("stays within its bound by forgetting the longest unused", () => {
    const memory = make({ value: 100, total: 1000 });
    for (let at_ = 0; at_ < 600; at_ += 1) {
      memory.put(at(`v${at_}`), "x".repeat(100), 100_000);
      nowMs += 1;
    }
    // A file is trimmed every 256 writes.
    const kept = Array.from({ length: 600 }, (_, index) => memory.get(at(`v${index}`))).filter(Boolean).length;
    expect(kept).toBeLessThanOrEqual(10 + 256);
    expect(memory.get(at("v599"))).toBeDefined();
    expect(memory.get(at("v0"))).toBeUndefined();
  });
});

describe("a memory in a file", () => {
  it("is one for all who open it, and survives them", () => {
    const path = newFile();
    const [a, b] = [file(path), file(path)];
    a.put(at("x"), "from a", 10_000);
    expect(b.get(at("x"))).toBe("from a");
    b.change(at("x"), (value) => `${value} and b`);
    expect(a.get(at("x"))).toBe("from a and b");
    expect(file(path).get(at("x"))).toBe("from a and b");
  });

  it("can be read by its owner alone", () => {
    const path = newFile();
    file(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("costs the memory and not the call when another process blocks it, and tells it once a minute", () => {
    const path = newFile();
    const told: string[] = [];
    const memory = openMemoryFile({ path, wallMs: () => nowMs, onTrouble: (why) => told.push(why) });
    open.push(memory);
    const blocker = new DatabaseSync(path);
    blocker.exec("BEGIN EXCLUSIVE");
    const startedAtMs = performance.now();
    expect(memory.put(at("x"), "v", 1000)).toBe(false);
    expect(memory.put(at("y"), "v", 1000)).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    expect(told).toHaveLength(1);
    blocker.exec("ROLLBACK");
    blocker.close();
    expect(memory.put(at("x"), "v", 1000)).toBe(true);
  });

  it("gives what it has read although it cannot be kept for longer at the moment", () => {
    const path = newFile();
    const memory = openMemoryFile({ path, wallMs: () => nowMs, onTrouble: () => {} });
    open.push(memory);
    memory.put(at("x"), "v", 1000);
    nowMs += 600;
    const writer = new DatabaseSync(path);
    writer.exec("BEGIN IMMEDIATE");
    expect(memory.get(at("x"))).toBe("v");
    writer.exec("ROLLBACK");
    writer.close();
  });

  it("is looked through after many bytes as well as after many writes", () => {
    const memory = file(newFile(), { maxTotalBytes: 1000 });
    const large = "x".repeat(7 * 1024 * 1024);
    for (let number = 0; number < 10; number += 1) memory.put(at(`v${number}`), large, 1000 + number);
    expect(memory.get(at("v0"))).toBeUndefined();
  });
});
