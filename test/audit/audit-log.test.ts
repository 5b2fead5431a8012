import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLog } from "#control/audit/audit-log";
import { eraseOld } from "#control/audit/erase";
import { prove } from "#control/audit/prove";
import { isProof, readLog, verifyLog, verifyProof } from "#control/audit/verify";
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

  it("has each event once where a write failed half way and was made again", () => {
    for (const blocked of ["openings-000000000000.jsonl", "state.json.new", "checkpoint.new"]) {
      const folder = newFolder();
      const log = openLog(folder);
      if (blocked !== "openings-000000000000.jsonl") log.append(events(0, 3));
      const size = log.size;
      // A folder in its place: it can be opened for no writing, as a file on a full disk.
      mkdirSync(join(folder, blocked));
      expect(() => log.append(events(size, 6))).toThrow();
      expect(() => log.append(events(size, 6))).toThrow();
      rmdirSync(join(folder, blocked));
      // Its caller goes on from what the log says that it has.
      log.append([], {});
      log.append(events(log.size, 6));
      expect(verifyLog(folder, verifierOf(log.signer))).toMatchObject({ entries: 6, unsigned: 0, findings: [] });
      expect(openLog(folder).size).toBe(6);
    }
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

  it("shows a field under no name but its own, and takes no nonsense for a proof", () => {
    const folder = newFolder();
    const log = openLog(folder);
    log.append(events(0, 9));
    const proved = prove(folder, { entry: "4" });
    if (proved.kind === "refused") throw new Error(proved.why);
    const verifier = verifierOf(log.signer);
    expect(verifyProof(proved.proof, verifier)).toEqual([]);
    const { id, who } = proved.proof.openings;
    if (id === undefined || who === undefined) throw new Error("the entry has no such fields");
    const swapped = { ...proved.proof, openings: { id: who, who: id } };
    expect(verifyProof(swapped, verifier).join("\n")).toContain("is not what was hashed");
    for (const part of ["version", "entry", "openings", "path", "checkpoint"]) {
      expect(isProof({ ...proved.proof, [part]: null })).toBe(false);
    }
    expect([isProof(proved.proof), isProof(null), isProof("proof")]).toEqual([true, false, false]);
  });

  it("erases what was said on days long past, says so, and proves the rest", () => {
    const folder = newFolder();
    const log = openLog(folder);
    const onDay = (day: string, from: number, until: number) =>
      events(from, until).map(({ kind, fields }) => ({ kind, fields, at: `2026-11-${day}T12:00:00.000Z` }));
    log.append(onDay("01", 0, 3));
    log.append([...onDay("02", 3, 5), ...onDay("01", 5, 6), ...onDay("04", 6, 8)]);
    const dayMs = 86_400_000;
    const now = Date.parse("2026-11-05T00:00:00.000Z");
    expect(eraseOld(openLog(folder), 3 * dayMs, now - 1)).toBe(0);
    expect(eraseOld(openLog(folder), 3 * dayMs, now)).toBe(1);
    const writer = openLog(folder);
    expect(eraseOld(writer, 2 * dayMs, now)).toBe(1);
    expect(eraseOld(writer, 2 * dayMs, now)).toBe(0);
    const read = [...readLog(folder)];
    expect(read.map(({ openings }) => Object.keys(openings).length > 0)).toEqual([
      ...Array.from({ length: 6 }, () => false),
      ...Array.from({ length: 4 }, () => true),
    ]);
    expect(read.map(({ entry }) => entry?.kind).slice(8)).toEqual(["erasure", "erasure"]);
    expect(read[9]?.openings["filesFrom"]?.[2]).toEqual([3]);
    writer.append(events(10, 12));
    expect(verifyLog(folder, verifierOf(log.signer))).toMatchObject({ entries: 12, unsigned: 0, findings: [] });
    expect(openLog(folder).size).toBe(12);
  });
});
