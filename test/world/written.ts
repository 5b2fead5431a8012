import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** `HEDGEROW_REWRITE=1 npm test -- PATH` writes what is checked otherwise. The difference is then for a review. */
export const isRewriting = process.env["HEDGEROW_REWRITE"] === "1";

/** The text of a file of the project, `\n` whatever git made of it; empty where there is none. */
export function written(path: string): string {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\r\n", "\n") : "";
}

export function rewrite(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Holds a generated page of the project to what the code makes of it now; `tests`: the path of those that write it. */
export function expectWritten(path: string, text: string, tests: string): void {
  if (isRewriting) rewrite(path, text);
  expect(written(path), `${path} is out of date: HEDGEROW_REWRITE=1 npm test -- ${tests} writes it`).toBe(text);
}
