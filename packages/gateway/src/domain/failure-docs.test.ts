import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failureTraits, type FailureTraits } from "./failure.ts";

const document = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");

/** The cells of every table row under a heading of the second level. */
function rowsUnder(heading: string): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
}

function written(kind: string, traits: FailureTraits): string[] {
  const health = traits.health === "none" ? "none" : `${traits.health}, ${traits.scope}`;
  return [kind, traits.code, String(traits.status), traits.next, health, traits.again ? "yes" : "no"];
}

describe("docs/errors.md", () => {
  const kinds = Object.entries<FailureTraits>(failureTraits);

  it("has one row for each kind of failure, with what the code does, and no other row", () => {
    const rows = rowsUnder("Kinds").map((cells) => cells.slice(0, 6));
    expect(rows).toEqual(kinds.map(([kind, traits]) => written(kind, traits)));
  });

  it("says of each kind what it means and what to do", () => {
    for (const [kind, , , , , , meaning = "", remedy = ""] of rowsUnder("Kinds")) {
      expect(meaning, kind).toMatch(/^\S.{10,}\.$/);
      expect(remedy, kind).toMatch(/^\S.*\.$/);
    }
  });

  it("lists each code with its statuses and its kinds, and no other code", () => {
    const codes = new Map<string, { readonly statuses: Set<number>; readonly kinds: string[] }>();
    for (const [kind, { code, status }] of kinds) {
      const entry = codes.get(code) ?? { statuses: new Set(), kinds: [] };
      entry.statuses.add(status);
      entry.kinds.push(kind);
      codes.set(code, entry);
    }
    const wanted = [...codes].map(([code, { statuses, kinds }]) => [code, [...statuses].join(", "), kinds.join(", ")]);
    expect(rowsUnder("Codes").map((cells) => cells.slice(0, 3))).toEqual(wanted);
  });
});
