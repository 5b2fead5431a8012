import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noteOf, openDataFolder } from "./data-folder.ts";
import { isSameProcess, processIdentity } from "./process-identity.ts";

let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "hedgerow-data-"));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(path, { recursive: true, force: true });
});

function sleeper(): number {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  children.push(child);
  return child.pid ?? 0;
}

function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("the lock of a data folder", () => {
  it("is refused while another live process holds it, with its number and what to do", () => {
    const pid = sleeper();
    writeFileSync(join(path, "supervisor.lock"), JSON.stringify(noteOf(pid)));
    const opened = openDataFolder(path);
    expect(opened).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(`process ${pid}.*--data`) as string,
    });
    expect(readdirSync(path).toSorted()).toEqual(["journal", "supervisor.lock"]);
  });

  it.each([
    ["a process that is gone", () => JSON.stringify({ pid: deadPid(), identity: "x" })],
    ["a number that now belongs to another process", () => JSON.stringify({ pid: sleeper(), identity: "boot 1" })],
    ["a write that was cut", () => '{"pid'],
    ["an empty file", () => ""],
  ])("is taken over from %s", (_, content) => {
    writeFileSync(join(path, "supervisor.lock"), content());
    const opened = openDataFolder(path);
    expect(opened.kind).toBe("opened");
    expect(JSON.parse(readFileSync(join(path, "supervisor.lock"), "utf8"))).toEqual(noteOf(process.pid));
    if (opened.kind === "opened") opened.folder.release();
    expect(readdirSync(path)).toEqual(["journal"]);
  });

  it("keeps others of the machine out of a folder it creates, and leaves an existing one as it is", () => {
    chmodSync(path, 0o755);
    expect(openDataFolder(join(path, "new")).kind).toBe("opened");
    if (process.platform === "win32") return;
    expect(statSync(join(path, "new")).mode & 0o077).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it("says why a folder cannot be used", () => {
    writeFileSync(join(path, "file"), "");
    expect(openDataFolder(join(path, "file"))).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/cannot be used.*--data/) as string,
    });
  });
});

describe("orphans", () => {
  it("are the noted workers that are still the same processes", () => {
    const alive = { worker: "w1", journal: "w1-1", port: 4000, ...noteOf(sleeper()) };
    const dead = { worker: "w2", journal: "w2-1", port: 4000, pid: deadPid(), identity: "x" };
    const reused = { worker: "w3", journal: "w3-1", port: 4000, pid: sleeper(), identity: "earlier" };
    writeFileSync(join(path, "workers.json"), JSON.stringify([alive, dead, reused]));
    const opened = openDataFolder(path);
    expect(opened.kind === "opened" && opened.folder.orphans).toEqual([alive]);
  });

  it("are none where the note is no note", () => {
    writeFileSync(join(path, "workers.json"), "[{");
    const opened = openDataFolder(path);
    expect(opened.kind === "opened" && opened.folder.orphans).toEqual([]);
  });
});

describe("a process's identity", () => {
  it("stays the same while it lives, differs between processes and is gone with it", () => {
    const pid = sleeper();
    expect(processIdentity(pid)).toBe(processIdentity(pid));
    expect(isSameProcess(pid, processIdentity(pid))).toBe(true);
    expect(isSameProcess(pid, "another")).toBe(false);
    expect(processIdentity(deadPid())).toBeUndefined();
    expect(processIdentity(-1)).toBeUndefined();
    expect(processIdentity(0)).toBeUndefined();
  });
});
