import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { workerFlags } from "./worker-flags.ts";

it("starts workers as this process was, with flags of which nobody said anything", () => {
  const own = ["--conditions=x"];
  const flags = workerFlags(own);
  expect(flags.slice(0, 1)).toEqual(own);
  expect(flags).toHaveLength(3);
  const [, semiSpace = "", pretenuring = ""] = flags;
  expect(workerFlags(["--max-semi-space-size=64"])).toEqual(["--max-semi-space-size=64", pretenuring]);
  expect(workerFlags(own, "--inspect --max-semi-space-size=64")).toEqual([...own, pretenuring]);
  expect(workerFlags(["--allocation-site-pretenuring"])).toEqual(["--allocation-site-pretenuring", semiSpace]);
});

it("gives flags that this Node knows", () => {
  expect(execFileSync(process.execPath, [...workerFlags([]), "-p", "1"], { encoding: "utf8" })).toBe("1\n");
});
