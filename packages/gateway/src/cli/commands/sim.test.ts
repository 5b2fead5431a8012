import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandIo } from "#cli/command";
import { sim } from "./sim.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "hedgerow-sim-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

interface Run {
  readonly code: Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
}

function run(...args: readonly string[]): Run {
  let out = "";
  let err = "";
  const io: CommandIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    env: {},
    isTty: false,
    stderrIsTty: false,
    cwd,
  };
  return { code: sim.run(args, io), out: () => out, err: () => err };
}

async function readyUrl(running: Run): Promise<string> {
  await expect.poll(() => running.out()).toMatch(/^hedgerow sim ready on http:\/\/\S+\n/);
  return /http:\/\/\S+/.exec(running.out())?.[0] ?? "";
}

describe("hedgerow sim", () => {
  it("says where it is ready and what its models do, and stops on a signal", async () => {
    const running = run("--port", "0");
    const url = await readyUrl(running);
    expect(running.out()).toMatch(/^ {2}flaky +is overloaded every time/m);
    expect(running.err()).toBe("");
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    process.emit("SIGTERM");
    expect(await running.code).toBe(0);
    await expect(fetch(`${url}/v1/models`)).rejects.toThrow();
  });

  it("plays a script", async () => {
    writeFileSync(join(cwd, "faults.yaml"), "rules:\n  - match: { times: 1 }\n    behaviour: { status: 503 }\n");
    const running = run("--port", "0", "--script", "faults.yaml");
    const url = await readyUrl(running);
    const body = JSON.stringify({ model: "fast", messages: [{ role: "user", content: "hi" }] });
    const ask = async () => (await fetch(`${url}/v1/chat/completions`, { method: "POST", body })).status;
    expect([await ask(), await ask()]).toEqual([503, 200]);
    process.emit("SIGINT");
    expect(await running.code).toBe(0);
  });

  it("names what is wrong with a script, or that there is none", async () => {
    writeFileSync(join(cwd, "bad.yaml"), "rules:\n  - behaviour: { statu: 503 }\n");
    const bad = run("--script", "bad.yaml");
    expect(await bad.code).toBe(1);
    expect(bad.err()).toMatch(/^error: bad\.yaml:2:\d+: rules\[0\]\.behaviour\.statu: /);
    const none = run("--script", "none.yaml");
    expect(await none.code).toBe(1);
    expect(none.err()).toContain("cannot read the script none.yaml");
  });

  it("warns of an address that others can reach", async () => {
    const running = run("--port", "0", "--host", "0.0.0.0");
    await readyUrl(running);
    expect(running.err()).toMatch(/^warning: 0\.0\.0\.0 can be reached from other machines/);
    process.emit("SIGTERM");
    expect(await running.code).toBe(0);
  });

  it("says when the port is taken, and refuses a wrong one", async () => {
    const first = run("--port", "0");
    const { port } = new URL(await readyUrl(first));
    const second = run("--port", port);
    expect(await second.code).toBe(1);
    expect(second.err()).toMatch(new RegExp(`port ${port} .* in use .*--port`));
    process.emit("SIGTERM");
    await first.code;
    await expect(run("--port", "http").code).rejects.toThrow("--port takes a whole number");
  });
});
