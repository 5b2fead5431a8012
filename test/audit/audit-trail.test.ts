import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readLog } from "#control/audit/verify";
import { cycloneDx, SupplyUse } from "#control/audit/supply-use";
import { openJournal } from "#ledger/journal";
import { AuditTrail } from "#planes/audit-trail";
import { callRecord } from "../world/sample-record.ts";
import { events, newFolder, openLog } from "./log-world.ts";

describe("the trail of a gateway", () => {
  it("erases what is older than its configuration keeps, and what is not it keeps", async () => {
    for (const [retentionMs, kept] of [
      [86_400_000, 0],
      [undefined, 4],
    ] as const) {
      const path = newFolder();
      const old = events(0, 4).map(({ kind, fields }) => ({ kind, fields, at: "2020-01-01T00:00:00.000Z" }));
      openLog(join(path, "audit")).append(old);
      const settings = { name: "hedgerow.example/audit", ...(retentionMs === undefined ? {} : { retentionMs }) };
      const log = { info: () => {}, error: () => {}, warn: () => {}, debug: () => {} };
      const opened = AuditTrail.open({ folder: { path, journal: join(path, "journal") }, settings, cwd: path, log });
      if (opened.kind === "refused") throw new Error(opened.message);
      await opened.trail.finish();
      const read = [...readLog(join(path, "audit"))];
      expect(read.slice(0, 4).filter(({ openings }) => Object.keys(openings).length > 0)).toHaveLength(kept);
      expect(read.slice(4).map(({ entry }) => entry?.kind)).toEqual(
        retentionMs === undefined ? ["stop"] : ["erasure", "stop"],
      );
    }
  });
});

describe("calls in the trail of a gateway", () => {
  it("are there behind a journal file that cannot be read, of which it is not said to have anything", async () => {
    const path = newFolder();
    const folder = { path, journal: join(path, "journal") };
    mkdirSync(join(folder.journal, "w0-1-000001.jsonl"), { recursive: true });
    const journal = await openJournal({ folder: folder.journal, name: "w1-1" });
    await new Promise((resolve) => journal.append(callRecord("c1"), resolve));
    await new Promise((resolve) => journal.close(resolve));
    const log = { info: () => {}, error: vi.fn(), warn: () => {}, debug: () => {} };
    const opened = AuditTrail.open({ folder, settings: { name: "hedgerow.example/audit" }, cwd: path, log });
    if (opened.kind === "refused") throw new Error(opened.message);
    await opened.trail.finish();
    expect([...readLog(join(path, "audit"))].map(({ entry }) => entry?.kind)).toEqual(["call", "stop"]);
    expect([opened.trail.has("w1-1-000001.jsonl", 1), opened.trail.has("w0-1-000001.jsonl", 1)]).toEqual([true, false]);
    expect(log.error).not.toHaveBeenCalled();
  });
});

describe("a bill of materials", () => {
  it("names each thing once, and depends on nothing that is not in it", () => {
    const use = new SupplyUse();
    const folder = newFolder();
    openLog(folder).append(events(0, 9));
    for (const { openings } of readLog(folder)) use.add("2026-11-26T10:00:00.000Z", openings);
    const bom = cycloneDx(use.targets, { at: "2026-11-26T10:00:00.000Z", version: "1.0.0" }) as {
      readonly components: readonly { readonly "bom-ref": string }[];
      readonly services: readonly { readonly "bom-ref": string }[];
      readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
    };
    const refs = ["hedgerow", ...[...bom.components, ...bom.services].map((each) => each["bom-ref"])];
    expect(bom.services.length).toBeGreaterThan(0);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { ref, dependsOn } of bom.dependencies) {
      expect(refs).toContain(ref);
      for (const each of dependsOn) expect(refs).toContain(each);
    }
  });
});
