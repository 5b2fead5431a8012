import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { workerFlags } from "./worker-flags.ts";

it("starts workers as this process was, with flags of which nobody said anything", () => {
  const own = ["--conditions=x"];
  const flags = workerFlags(own);
  expect(flags.slice(0, 1)).toEqual(own);
  expect(flags).toHaveLength(4);
  const [, semiSpace = "", ...others] = flags;
  expect(workerFlags(["--max-semi-space-size=64"])).toEqual(["--max-semi-space-size=64", ...others]);
  expect(workerFlags(own, "--inspect --max-semi-space-size=64")).toEqual([...own, ...others]);
  expect(workerFlags(["--allocation-site-pretenuring"])).toEqual([
    "--allocation-site-pretenuring",
    semiSpace,
    ...others.slice(1),
  ]);
});

it("gives flags that this Node knows", () => {
  const flags = workerFlags([]);
  expect(flags).not.toEqual([]);
  expect(execFileSync(process.execPath, [...flags, "-p", "1"], { encoding: "utf8" })).toBe("1\n");
});

it("starts workers of a Node that nobody has tried as this process was", () => {
  expect(workerFlags(["--conditions=x"], "", "15.1.2-node.1")).toEqual(["--conditions=x"]);
});
