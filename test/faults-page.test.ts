import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const rows = readFileSync(join(root, "docs/faults.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| [FISPZL]\d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** How many cases of each kind there are, F01 to F110 and so on. */
const kinds = { F: 110, S: 62, I: 16, P: 10, Z: 10, L: 14 } as const;

/** `F18–F20, F30` is four of them. */
function casesOf(cell: string): readonly string[] {
  return cell.split(", ").flatMap((range) => {
    const [kind = ""] = range;
    const [from = Number.NaN, to = from] = range.split("–").map((id) => Number(id.slice(1)));
    return Array.from({ length: to - from + 1 }, (_, at) => `${kind}${from + at}`);
  });
}

describe("docs/faults.md", () => {
  it("has every case once", () => {
    const all = Object.entries(kinds).flatMap(([kind, count]) => casesOf(`${kind}1–${kind}${count}`));
    expect(rows.flatMap(([, ids = ""]) => casesOf(ids)).toSorted()).toEqual(all.toSorted());
  });

  it("names files that are there, or says why there is none", () => {
    for (const [, ids = "", , where = ""] of rows) {
      const files = [...where.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, path = ""]) => path);
      const isPlayed = files.length > 0 || where.includes("`worlds`");
      expect(isPlayed || /^not (covered|a test)/.test(where), `${ids}: ${where}`).toBe(true);
      for (const path of files) {
        const places = ["", "test", "packages/gateway/src"].map((folder) => join(root, folder, path));
        expect(places.some(existsSync), `${ids}: ${path}`).toBe(true);
      }
    }
  });
});
