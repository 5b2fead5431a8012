import { expect } from "vitest";
import type { Json } from "./intent.ts";
import { isRewriting, rewrite, written } from "../world/written.ts";

type Entries = Readonly<Record<string, unknown>>;

/**
 * What is known to come out, an entry a line, so that a review sees which cells a change touches. In a rewriting run
 * entries are collected and written by `close`; what no test asked for is left out then, and complained about else.
 */
export class GoldenFile {
  readonly #path: string;
  readonly #known: Entries;
  readonly #found = new Map<string, string>();

  constructor(path: string) {
    this.#path = `test/matrix/golden/${path}.json`;
    this.#known = JSON.parse(written(this.#path) || "{}") as Entries;
  }

  expect(name: string, found: object): void {
    this.#found.set(name, JSON.stringify(found));
    if (isRewriting) return;
    const known = this.#known[name];
    const difference = `${this.#path} knows another “${name}”; HEDGEROW_REWRITE=1 writes it anew, for a review`;
    expect(JSON.stringify(found, null, 1), difference).toBe(JSON.stringify(known ?? null, null, 1));
  }

  /** `names`: every entry there is to be. */
  close(names: readonly string[]): void {
    if (!isRewriting) {
      // Objects have keys like "500" first, whatever the file's order.
      const known = Object.keys(this.#known).toSorted();
      expect(known, `${this.#path} holds what no test asks for`).toEqual(names.toSorted());
      return;
    }
    const lines = names.flatMap((name) => {
      const known = this.#known[name];
      const json = this.#found.get(name) ?? (known === undefined ? undefined : JSON.stringify(known));
      return json === undefined ? [] : [`${JSON.stringify(name)}: ${json}`];
    });
    rewrite(this.#path, `{\n${lines.join(",\n")}\n}\n`);
  }
}

/** Kinds of messages in a line, repeats counted. */
export function outlined(kinds: readonly string[]): string {
  const runs: { kind: string; count: number }[] = [];
  for (const kind of kinds) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.count += 1;
    else runs.push({ kind, count: 1 });
  }
  return runs.map(({ kind, count }) => (count === 1 ? kind : `${kind} ×${count}`)).join(" · ");
}

/** A whole answer without what differs from run to run: the time, and ids of the gateway's own. */
export function steady(body: Buffer): unknown {
  const text = body
    .toString()
    .replaceAll(/"(created|created_at|completed_at|latencyMs)":\d+/g, '"$1":0')
    .replaceAll(/[0-9a-f]{24}/g, "…");
  return JSON.parse(text);
}

/** Of a second object the fields that the first has not, or has otherwise; `null` for those it lacks. */
export function differing(first: unknown, second: unknown): Json {
  const [before, after] = [first, second].map((value) => value as Json);
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changed = [...names].filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
  return Object.fromEntries(changed.map((name) => [name, after?.[name] ?? null]));
}
