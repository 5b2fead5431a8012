import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLog } from "#control/audit/audit-log";
import { readLog, verifyLog } from "#control/audit/verify";
import { verifierOf } from "#ledger/checkpoint";
import { events, newFolder, openLog } from "./log-world.ts";

describe("an audit log", () => {
  it("goes on where it was, over restarts, with one key", () => {
    const folder = newFolder();
    const first = openLog(folder);
    first.append(events(0, 7), { positions: { "w1-000001.jsonl": { offset: 10, hash: "h" } } });
    const second = openLog(folder);
    expect(second.size).toBe(7);
    expect(second.positions).toEqual({ "w1-000001.jsonl": { offset: 10, hash: "h" } });
    second.append(events(7, 12));
    const verified = verifyLog(folder, verifierOf(first.signer));
    expect(verified).toMatchObject({ entries: 12, unsigned: 0, findings: [] });
    expect(verified.checkpoint?.root).toBeDefined();
  });

  it("takes away what came behind its last word, whole or torn, and is right again", () => {
    const folder = newFolder();
    openLog(folder).append(events(0, 3));
    const [entries, openings] = ["entries-000000000000.jsonl", "openings-000000000000.jsonl"];
    const right = readFileSync(join(folder, entries), "utf8");
    for (const tail of ['{"index":3,"kind":"ca', '{"index":3,"kind":"call","at":"x","fields":{}}\n{"ind']) {
      appendFileSync(join(folder, entries), tail);
      appendFileSync(join(folder, openings), tail);
      const log = openLog(folder);
      expect(readFileSync(join(folder, entries), "utf8")).toBe(right);
      expect(verifyLog(folder, verifierOf(log.signer)).findings).toEqual([]);
    }
  });

  it("signs what its state has where it died between the two", () => {
    const folder = newFolder();
    const log = openLog(folder);
    log.append(events(0, 3));
    const old = readFileSync(join(folder, "checkpoint"), "utf8");
    log.append(events(3, 6));
    writeFileSync(join(folder, "checkpoint"), old);
    expect(openLog(folder).size).toBe(6);
    expect(verifyLog(folder, verifierOf(log.signer))).toMatchObject({ entries: 6, unsigned: 0, findings: [] });
  });

  it("does not go on from what is not its own", () => {
    const folder = newFolder();
    openLog(folder).append(events(0, 3));
    const note = readFileSync(join(folder, "checkpoint"), "utf8");
    writeFileSync(join(folder, "checkpoint"), note.replace("\n3\n", "\n4\n"));
    expect(AuditLog.open(folder, "hedgerow.example/audit")).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("is not what was signed"),
    });
  });

  it("has every opening, each with a salt of its own, and can do without", () => {
    const folder = newFolder();
    const log = openLog(folder);
    log.append(events(0, 30));
    const read = [...readLog(folder)];
    const salts = read.flatMap(({ openings }) => Object.values(openings).map(([salt]) => salt));
    expect(new Set(salts).size).toBe(salts.length);
    expect(
      read.every(({ entry, openings }) => Object.keys(entry?.fields ?? {}).length === Object.keys(openings).length),
    ).toBe(true);
    expect(readFileSync(join(folder, "entries-000000000000.jsonl"), "utf8")).not.toMatch(/alice|bob|user-|blue|req_/u);
    // Erased: the proofs stay.
    writeFileSync(join(folder, "openings-000000000000.jsonl"), "");
    expect(verifyLog(folder, verifierOf(log.signer)).findings).toEqual([]);
    expect(existsSync(join(folder, "signing-key.pem"))).toBe(true);
  });
});
