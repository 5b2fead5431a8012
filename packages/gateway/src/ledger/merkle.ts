import { hash } from "node:crypto";

/**
 * Merkle trees of RFC 9162 §2.1: a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right), and the left side of a
 * tree of n leaves holds the largest power of two below n.
 */
export type Hash = Buffer;

const [leafPrefix, nodePrefix] = [Buffer.from([0]), Buffer.from([1])];

export function leafHash(entry: Uint8Array): Hash {
  return sha256(Buffer.concat([leafPrefix, entry]));
}

function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

function sha256(bytes: Uint8Array): Hash {
  return hash("sha256", bytes, "buffer");
}

/** What has to be kept of a tree to make it longer: the roots of its whole subtrees, the largest first. */
export class Frontier {
  readonly #roots: Hash[];
  #size: number;

  constructor(size = 0, roots: readonly Hash[] = []) {
    this.#size = size;
    this.#roots = [...roots];
  }

  get size(): number {
    return this.#size;
  }

  get roots(): readonly Hash[] {
    return this.#roots;
  }

  push(leaf: Hash): void {
    let root = leaf;
    // As many whole subtrees end here as the old size has ones at its end.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) {
      root = nodeHash(this.#roots.pop() ?? root, root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  root(): Hash {
    const [...roots] = this.#roots;
    let root = roots.pop();
    if (root === undefined) return sha256(Buffer.alloc(0));
    for (let left = roots.pop(); left !== undefined; left = roots.pop()) root = nodeHash(left, root);
    return root;
  }
}

/** Root of leaves `[from, until)` of a list. */
export function rootOf(leaves: readonly Hash[], from = 0, until = leaves.length): Hash {
  const frontier = new Frontier();
  for (let at = from; at < until; at += 1) frontier.push(leaves[at] ?? Buffer.alloc(0));
  return frontier.root();
}

/** The largest power of two below `size`. */
function split(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

/** RFC 9162 §2.1.3.1: the hashes beside a leaf's way to the root, from the leaf on. */
export function inclusionPath(leaves: readonly Hash[], index: number): readonly Hash[] {
  const path: Hash[] = [];
  let [from, until] = [0, leaves.length];
  const beside: Hash[] = [];
  while (until - from > 1) {
    const middle = from + split(until - from);
    if (index < middle) {
      beside.push(rootOf(leaves, middle, until));
      until = middle;
    } else {
      beside.push(rootOf(leaves, from, middle));
      from = middle;
    }
  }
  path.push(...beside.toReversed());
  return path;
}

export interface Inclusion {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
}

/** RFC 9162 §2.1.3.2; undefined where the path cannot be one of such a tree. */
export function rootOfInclusion({ leaf, index, size, path }: Inclusion): Hash | undefined {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return undefined;
  let [at, last] = [index, size - 1];
  let root = leaf;
  for (const beside of path) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      root = nodeHash(beside, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else root = nodeHash(root, beside);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? root : undefined;
}

/** RFC 9162 §2.1.4.1: what shows that the tree of the first `first` leaves is the beginning of the whole one. */
export function consistencyPath(leaves: readonly Hash[], first: number): readonly Hash[] {
  if (first <= 0 || first >= leaves.length) return [];
  const path: Hash[] = [];
  let [from, until, isWhole] = [0, leaves.length, true];
  while (until - from !== first - from) {
    const middle = from + split(until - from);
    if (first <= middle) {
      path.push(rootOf(leaves, middle, until));
      until = middle;
    } else {
      path.push(rootOf(leaves, from, middle));
      from = middle;
      isWhole = false;
    }
  }
  if (!isWhole) path.push(rootOf(leaves, from, until));
  return path.toReversed();
}

export interface Consistency {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Hash;
  readonly secondRoot: Hash;
  readonly path: readonly Hash[];
}

/** RFC 9162 §2.1.4.2: whether the first tree is the beginning of the second. */
export function isConsistent({ first, second, firstRoot, secondRoot, path }: Consistency): boolean {
  if (first > second || first < 0) return false;
  if (first === second) return path.length === 0 && firstRoot.equals(secondRoot);
  if (first === 0) return path.length === 0;
  const isPower = Number.isInteger(Math.log2(first)) && 2 ** Math.log2(first) === first;
  const [start, ...rest] = isPower ? [firstRoot, ...path] : path;
  if (start === undefined) return false;
  let [at, last] = [first - 1, second - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [one, two] = [start, start];
  for (const beside of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [one, two] = [nodeHash(beside, one), nodeHash(beside, two)];
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else two = nodeHash(two, beside);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && one.equals(firstRoot) && two.equals(secondRoot);
}
