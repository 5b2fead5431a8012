import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { assemble, fileOf } from "../../scripts/build-string-run.ts";

const file = (name: string): string =>
  readFileSync(new URL(`../../packages/gateway/src/wire/${name}`, import.meta.url), "utf8");

it("runs what its source says", async () => {
  expect(file("string-run-code.ts")).toBe(fileOf(await assemble(file("string-run.wat"))));
});
