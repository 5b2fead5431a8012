import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { check } from "#cli/commands/check";
import { plan } from "#cli/commands/plan";
import type { CompatibilityReport } from "#cli/compatibility-text";
import { ConfigFolder } from "../world/config-folder.ts";
import { runCommand } from "../world/run-command.ts";
import { expectGolden } from "./golden-text.ts";

const env = { A: "key-a" };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());
beforeEach(() => vi.useFakeTimers({ now: Date.parse("2026-11-21T12:00:00Z"), toFake: ["Date"] }));
afterEach(() => vi.useRealTimers());

const configuration = (second: string) => `
providers:
  first: { kind: openai-compatible, url: http://127.0.0.1:1, region: eu-central-1, safetyTier: 5, models: { big: {
    name: one/big, context: 200000, maxOutput: 64000, tools: true, structuredOutput: true, reasoning: true,
    inputs: [text, image], price: { input: 3, output: 15 } } } }
  second: { kind: openai-compatible, url: http://127.0.0.1:2, region: us-east-1, safetyTier: 4, models: { small: {
    name: two/small, context: 32000, maxOutput: 8000, tools: false, structuredOutput: true, reasoning: false,
    inputs: [text], price: { input: 10, output: 50 } } } }
  third: { kind: openai-compatible, url: http://127.0.0.1:3, safetyTier: 5 }
routes:
  default: { targets: [first/big, ${second}, third/unheard-of] }
`;

const run = (...args: readonly string[]) => runCommand(args, [check, plan], { cwd: folder.path, env });

describe("hedgerow check --compatibility", () => {
  it("prints each aspect of each backup with its risk and reason", async () => {
    folder.read(configuration("second/small"));
    const ran = await run("check", "--compatibility", "default");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("compatibility.txt", ran.out);
  });

  it("gives the same as JSON, and says what is allowed by name", async () => {
    folder.read(configuration("{ target: second/small, despite: [critical, safety] }"));
    const ran = await run("check", "--compatibility", "default", "--json");
    const report = JSON.parse(ran.out) as CompatibilityReport;
    expect(report.backups.map(({ target, worst }) => [target, worst])).toEqual([
      ["second/small", "critical"],
      ["third/unheard-of", "moderate"],
    ]);
    const [second] = report.backups;
    expect(second?.keptOutFor).toEqual([]);
    expect(second?.allowed).toEqual([
      { objection: "critical", why: "tools: the backup cannot call tools; jurisdiction: data leaves eu for us" },
      { objection: "safety", why: "safety tier: trust goes down from tier 5 to 4" },
    ]);
  });

  it("compares any chain, and refuses what there is not", async () => {
    folder.read(configuration("second/small"));
    expect((await run("check", "--compatibility", "second/small, first/big")).out).toContain(
      "second/small → first/big",
    );
    expect((await run("check", "--compatibility", "first/big")).out).toContain("has no backup");
    const refused = await run("check", "--compatibility", "defualt");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("did you mean default")]);
  });
});

describe("a critical backup", () => {
  it("is no part of a plan, and the plan says why", async () => {
    folder.read(configuration("second/small").replaceAll(/, safetyTier: \d/gu, ""));
    const ran = await run("plan", "hello");
    expect(ran.out).toMatch(/1 {2}first\/big[^]*2 {2}third\/unheard-of/u);
    expect(ran.out).toContain(
      "skipped second/small: tools: the backup cannot call tools; jurisdiction: data leaves eu for us",
    );
  });

  it("is one where the route allows it by name, and where the caller names it", async () => {
    folder.read(configuration("{ target: second/small, despite: [critical, safety] }"));
    expect((await run("plan", "hello")).out).toMatch(/2 {2}second\/small/u);
    folder.read(configuration("second/small"));
    expect((await run("plan", "hello", "-m", "second/small")).out).toMatch(/1 {2}second\/small/u);
  });
});
