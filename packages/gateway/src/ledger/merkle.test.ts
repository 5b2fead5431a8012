import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  consistencyPath,
  Frontier,
  inclusionPath,
  isConsistent,
  leafHash,
  rootOf,
  rootOfInclusion,
  type Hash,
} from "./merkle.ts";

/** The eight entries of the tests of Certificate Transparency (google/certificate-transparency, merkle_tree_test.cc). */
const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const leavesOf = (count: number): readonly Hash[] =>
  Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`entry ${at}`)));

/** RFC 9162's definition as it is written there. */
function byDefinition(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return hash("sha256", "", "buffer");
  if (leaves.length === 1) return leaves[0] as Hash;
  let middle = 1;
  while (middle * 2 < leaves.length) middle *= 2;
  const sides = [byDefinition(leaves.slice(0, middle)), byDefinition(leaves.slice(middle))];
  return hash("sha256", Buffer.concat([Buffer.from([1]), ...sides]), "buffer");
}

describe("a Merkle tree", () => {
  it("has the roots that everybody's has", () => {
    const frontier = new Frontier();
    expect(frontier.root().toString("hex")).toBe(hash("sha256", ""));
    for (const [at, entry] of entries.entries()) {
      frontier.push(leafHash(Buffer.from(entry, "hex")));
      expect(frontier.root().toString("hex")).toBe(roots[at]);
    }
  });

  it("is of its definition for every size, kept as a frontier or made anew", () => {
    const frontier = new Frontier();
    for (let size = 0; size <= 130; size += 1) {
      const leaves = leavesOf(size);
      expect(frontier.root()).toEqual(byDefinition(leaves));
      expect(rootOf(leaves)).toEqual(byDefinition(leaves));
      expect(new Frontier(frontier.size, frontier.roots).root()).toEqual(byDefinition(leaves));
      frontier.push(leafHash(Buffer.from(`entry ${size}`)));
    }
  });

  it("shows that an entry is in it, and no other", () => {
    for (let size = 1; size <= 70; size += 1) {
      const leaves = leavesOf(size);
      const root = rootOf(leaves);
      for (let index = 0; index < size; index += 1) {
        const path = inclusionPath(leaves, index);
        const asked = { leaf: leaves[index] as Hash, index, size, path };
        expect(rootOfInclusion(asked)).toEqual(root);
        expect(rootOfInclusion({ ...asked, leaf: leafHash(Buffer.from("another")) })).not.toEqual(root);
        if (size > 1) expect(rootOfInclusion({ ...asked, index: (index + 1) % size })).not.toEqual(root);
        expect(rootOfInclusion({ ...asked, path: [...path, root] })).toBeUndefined();
        if (path.length > 0) expect(rootOfInclusion({ ...asked, path: path.slice(1) })).not.toEqual(root);
      }
    }
  });

  it("shows that another is its beginning, and no tree that is not", () => {
    for (let second = 1; second <= 40; second += 1) {
      const leaves = leavesOf(second);
      const secondRoot = rootOf(leaves);
      for (let first = 0; first <= second; first += 1) {
        const asked = {
          first,
          second,
          firstRoot: rootOf(leaves, 0, first),
          secondRoot,
          path: consistencyPath(leaves, first),
        };
        expect([first, second, isConsistent(asked)]).toEqual([first, second, true]);
        if (first === 0) continue;
        const forged = rootOf([...leaves.slice(0, first - 1), leafHash(Buffer.from("forged"))]);
        expect(isConsistent({ ...asked, firstRoot: forged })).toBe(false);
        expect(isConsistent({ ...asked, secondRoot: forged })).toBe(first === second && forged.equals(secondRoot));
        expect(isConsistent({ ...asked, path: [...asked.path, forged] })).toBe(false);
      }
    }
  });

  it("is shaken by any changed bit of a proof", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.tuple(fc.nat(), fc.nat(), fc.nat(255)),
        (size, [at, which, bit]) => {
          const leaves = leavesOf(size);
          const index = at % size;
          const path = inclusionPath(leaves, index).map((each) => Buffer.from(each));
          const changed = path[which % path.length] as Buffer;
          changed[bit % 32] = (changed[bit % 32] ?? 0) ^ (1 << (bit % 8));
          expect(rootOfInclusion({ leaf: leaves[index] as Hash, index, size, path })).not.toEqual(rootOf(leaves));
        },
      ),
      { numRuns: 60 },
    );
  });
});
