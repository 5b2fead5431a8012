import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { probe } from "#cli/commands/probe";
import { features } from "#cli/probe/features";
import { capabilityFile, type CapabilityFile } from "#control/config/capability-file";
import { readConfiguration } from "#control/config/configuration";
import { startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { runCommand } from "../world/run-command.ts";

let cwd = "";
let upstream: Upstream | undefined;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "hedgerow-probe-"));
});
afterEach(async () => {
  await upstream?.close();
  upstream = undefined;
  rmSync(cwd, { recursive: true });
});

const run = (...args: string[]) => runCommand(["probe", ...args], [probe], { cwd });

function configure(url: string, models = "gpt-4.1"): void {
  const targets = models.split(",").map((model) => `up/${model}`);
  const text = [
    "providers:",
    `  up: { kind: openai, key: sk-test, url: ${url}/v1 }`,
    "routes:",
    `  default: { targets: [${targets.join(", ")}] }`,
    "",
  ];
  writeFileSync(join(cwd, "hedgerow.yaml"), text.join("\n"));
}

const written = (): CapabilityFile =>
  JSON.parse(readFileSync(join(cwd, ".hedgerow", capabilityFile), "utf8")) as CapabilityFile;

const resultsOf = (target: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(written().targets[target]?.features ?? {}).map(([name, { result }]) => [name, result]),
  );

describe("hedgerow probe", () => {
  it("tries every feature of a route's targets and writes down what it found, when, and on what evidence", async () => {
    upstream = await startUpstream(() => ({}));
    configure(upstream.url);
    const ran = await run();
    expect(ran.code, ran.err + ran.out).toBe(0);
    const results = resultsOf("up/gpt-4.1");
    expect(Object.keys(results)).toEqual(features.map(({ name }) => name));
    for (const name of ["text", "stream", "usage", "tool", "tool-result", "json-schema", "limit"]) {
      expect(results[name], name).toBe("pass");
    }
    // The simulated chat never thinks and gives no probabilities; tokens are counted in OpenAI's other language.
    expect(results).toMatchObject({ reasoning: "lossy", logprobs: "pass", "count-tokens": "pass" });
    const { at, features: found } = written().targets["up/gpt-4.1"] as CapabilityFile["targets"][string];
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
    expect(found["tool"]?.evidence).toContain("city");
    expect(ran.out).toMatch(/^up\/gpt-4\.1 \(openai-chat/);
    expect(ran.out).not.toContain("sk-test");
  });

  it("tells the planner what a target cannot do", async () => {
    upstream = await startUpstream((request) => {
      if (request.outputSchema === undefined) return {};
      return { errorKind: "invalid-request", errorMessage: "response_format is not supported" };
    });
    configure(upstream.url);
    await run("--features", "json-schema,tool");
    expect(resultsOf("up/gpt-4.1")).toEqual({ tool: "pass", "json-schema": "fail" });
    const read = readConfiguration({ cwd, env: {}, today: "2026-11-25" });
    if (read.kind !== "configured") throw new Error("no configuration");
    expect(read.snapshot.providers.get("up")?.models.get("gpt-4.1")?.capabilities).toMatchObject({
      tools: true,
      structuredOutput: false,
    });
  });

  it("keeps what is known of other targets and features", async () => {
    upstream = await startUpstream(() => ({}));
    configure(upstream.url, "gpt-4.1,gpt-4o");
    await run("up/gpt-4.1", "--features", "text");
    await run("up/gpt-4o", "--features", "text");
    await run("up/gpt-4.1", "--features", "usage");
    expect(resultsOf("up/gpt-4.1")).toEqual({ text: "pass", usage: "pass" });
    expect(resultsOf("up/gpt-4o")).toEqual({ text: "pass" });
  });

  it("does not call a target unable that it could not reach", async () => {
    configure("http://127.0.0.1:9");
    const ran = await run("--features", "text,tool-result", "--timeout", "5");
    expect(ran.code).toBe(1);
    expect(resultsOf("up/gpt-4.1")).toEqual({ text: "untried", tool: "untried", "tool-result": "untried" });
  });

  it("overwrites no file of another kind, and a gateway starts beside a broken one", async () => {
    upstream = await startUpstream(() => ({}));
    configure(upstream.url);
    writeFileSync(join(cwd, "mine.json"), '{"precious":true}');
    const ran = await run("--features", "text", "--out", "mine.json");
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("--out") as string });
    expect(readFileSync(join(cwd, "mine.json"), "utf8")).toBe('{"precious":true}');
    await run("--features", "text");
    writeFileSync(join(cwd, ".hedgerow", capabilityFile), "{");
    const read = readConfiguration({ cwd, env: {}, today: "2026-11-25" });
    expect(read).toMatchObject({
      kind: "configured",
      snapshot: { notices: [expect.stringContaining(capabilityFile) as string] },
    });
  });

  it("prints JSON, and says what is wrong with its command line", async () => {
    upstream = await startUpstream(() => ({}));
    configure(upstream.url);
    const ran = await run("--json", "--features", "text");
    expect(JSON.parse(ran.out)).toMatchObject({
      targets: { "up/gpt-4.1": { features: { text: { result: "pass" } } } },
    });
    expect(await run("--features", "txt")).toMatchObject({ code: 2 });
    expect(await run("elsewhere/model")).toMatchObject({ code: 1, err: expect.stringContaining("up") as string });
  });

  it("probes the simulated providers where nothing is configured", async () => {
    const ran = await run("sim/fast", "--features", "text,stream");
    expect(ran.code, ran.err).toBe(0);
    expect(resultsOf("sim/fast")).toEqual({ text: "pass", stream: "pass" });
  });
});
