import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { verifyLog } from "#control/audit/verify";
import { verifierOf, type Verifier } from "#ledger/checkpoint";
import { copyOf, events, newFolder, openLog } from "./log-world.ts";

const entriesFile = "entries-000000000000.jsonl";

describe("a log that somebody has tampered with", () => {
  let whole: string;
  let verifier: Verifier;
  let early: string;

  beforeAll(() => {
    whole = newFolder();
    const log = openLog(whole);
    log.append(events(0, 20));
    early = readFileSync(join(whole, "checkpoint"), "utf8");
    log.append(events(20, 40));
    log.append(events(40, 41));
    verifier = verifierOf(log.signer);
  });

  const linesOf = (folder: string): string[] => readFileSync(join(folder, entriesFile), "utf8").trimEnd().split("\n");
  const write = (folder: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, entriesFile), `${lines.join("\n")}\n`);
  const findings = (folder: string, kept: readonly string[] = []): readonly string[] =>
    verifyLog(folder, verifier, { kept }).findings;

  it("is found right before", () => {
    expect(verifyLog(whole, verifier, { kept: [early] })).toMatchObject({ entries: 41, unsigned: 0, findings: [] });
  });

  it("shows any changed bit of entries and checkpoint", () => {
    const files = readdirSync(whole).filter((name) => /^entries|^checkpoint$/u.test(name));
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.nat(7),
        (file, where, bit) => {
          const folder = copyOf(whole);
          const bytes = readFileSync(join(folder, file));
          const at = Math.floor(where * bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
          writeFileSync(join(folder, file), bytes);
          const isSame =
            file === "checkpoint" && isSpareBit(readFileSync(join(whole, file), "utf8"), bytes.toString("utf8"));
          if (!isSame) expect(findings(folder)).not.toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("shows an opening that says anything else than what was hashed", () => {
    const path = (folder: string): string => join(folder, "openings-000000000000.jsonl");
    for (const [from, to] of [
      ["alice", "mallory"],
      ['"decision":"answered"', '"decision":"refused"'],
      ["user-7", "user-8"],
      ['"costNanoUsd":9', '"costNanoUsd":8'],
    ] as const) {
      const folder = copyOf(whole);
      const text = readFileSync(path(folder), "utf8");
      expect(text).toContain(from);
      writeFileSync(path(folder), text.replace(from, to));
      expect(findings(folder).join("\n")).toContain("is not what was hashed");
    }
  });

  it("shows an entry that was taken out, put in twice, moved, or put in from elsewhere", () => {
    const size = 41;
    fc.assert(
      fc.property(
        fc.constantFrom("delete", "repeat", "swap", "foreign"),
        fc.nat(size - 1),
        fc.nat(size - 1),
        (how, one, other) => {
          const folder = copyOf(whole);
          const lines = linesOf(folder);
          const line = lines[one] ?? "";
          if (how === "delete") lines.splice(one, 1);
          if (how === "repeat") lines.splice(other, 0, line);
          if (how === "swap") {
            if (one === other) return;
            [lines[one], lines[other]] = [lines[other] ?? "", line];
          }
          if (how === "foreign") lines.splice(other, 0, line.replace(/"index":\d+/u, `"index":${other}`));
          write(folder, lines);
          expect(findings(folder)).not.toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("shows a renumbered log as one that nobody signed", () => {
    const folder = copyOf(whole);
    const lines = linesOf(folder);
    lines.splice(7, 1);
    write(
      folder,
      lines.map((line, at) => line.replace(/"index":\d+/u, `"index":${at}`)),
    );
    // Without the openings as well, which would say where.
    writeFileSync(join(folder, "openings-000000000000.jsonl"), "");
    expect(findings(folder)).toEqual([expect.stringContaining("its end was cut off")]);
  });

  it("shows an end that was cut off, anywhere", () => {
    const size = readFileSync(join(whole, entriesFile)).length;
    fc.assert(
      fc.property(fc.nat(size - 1), (at) => {
        const folder = copyOf(whole);
        truncateSync(join(folder, entriesFile), at);
        expect(findings(folder).join("\n")).toContain("its end was cut off");
      }),
      { numRuns: 60 },
    );
  });

  it("shows an old checkpoint that was put back, and an end cut off with it where a newer one was kept", () => {
    const folder = copyOf(whole);
    const newest = readFileSync(join(folder, "checkpoint"), "utf8");
    writeFileSync(join(folder, "checkpoint"), early);
    expect(findings(folder).join("\n")).toContain("21 entries stand behind the checkpoint");
    write(folder, linesOf(folder).slice(0, 20));
    expect(findings(folder)).toEqual([]);
    expect(findings(folder, [newest]).join("\n")).toContain("its end was cut off");
  });

  it("shows another history by whoever has the key, where an earlier checkpoint was kept", () => {
    const fork = newFolder();
    copyFileSync(join(whole, "signing-key.pem"), join(fork, "signing-key.pem"));
    openLog(fork).append(events(1, 42));
    expect(verifyLog(fork, verifier).findings).toEqual([]);
    expect(findings(fork, [early]).join("\n")).toContain("another history was signed");
  });

  it("is of another log where another key signed it", () => {
    const other = newFolder();
    openLog(other).append(events(0, 3));
    expect(findings(other).join("\n")).toContain("is not signed with the key");
  });
});

/** Base64 of 68 bytes ends with spare bits, which say nothing. */
function isSpareBit(before: string, after: string): boolean {
  return before.slice(0, -4) === after.slice(0, -4) && before.endsWith("\n") === after.endsWith("\n");
}
