import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { workerFlags } from "./worker-flags.ts";

it("starts workers as this process was, with a smaller young generation where nobody said how large it is", () => {
  const own = ["--conditions=x"];
  const flags = workerFlags(own);
  expect(flags.slice(0, 1)).toEqual(own);
  expect(flags).toHaveLength(2);
  expect(workerFlags(["--max-semi-space-size=64"])).toEqual(["--max-semi-space-size=64"]);
  expect(workerFlags(own, "--inspect --max-semi-space-size=64")).toEqual(own);
});

it("gives flags that this Node knows", () => {
  expect(execFileSync(process.execPath, [...workerFlags([]), "-p", "1"], { encoding: "utf8" })).toBe("1\n");
});
