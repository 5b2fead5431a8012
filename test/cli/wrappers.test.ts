import { spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** In place of the gateway: writes down its pid and the signals it hears; SIGTERM ends it with 7. */
const gateway = `
import { appendFileSync } from "node:fs";
const note = (text) => appendFileSync(process.env.HEARD, text + "\\n");
for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => note(signal));
process.on("SIGTERM", () => { note("SIGTERM"); process.exit(7); });
setInterval(() => {}, 1000);
note("up " + process.pid + " " + process.argv.slice(2).join(" "));
`;

/** A checkout that holds only what the wrappers need. */
let checkout: string;
let heard: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "hedgerow-wrappers-"));
  heard = join(checkout, "heard");
  put("packages/gateway/dist/cli/main.js", gateway);
  put("package.json", '{ "type": "module" }');
  mkdirSync(join(checkout, "node_modules/.bin"), { recursive: true });
  symlinkSync(process.execPath, join(checkout, "node_modules/.bin/node"));
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  const pid = Number(/up (\d+)/.exec(read())?.[1] ?? 0);
  try {
    if (pid > 0) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  rmSync(checkout, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

function copy(path: string): string {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  copyFileSync(join(root, path), join(checkout, path));
  return join(checkout, path);
}

function read(): string {
  try {
    return readFileSync(heard, "utf8");
  } catch {
    return "";
  }
}

function start(program: string, args: readonly string[]): { child: ChildProcess; exited: Promise<number | string> } {
  const child = spawn(program, args, { env: { ...process.env, HEARD: heard }, stdio: "ignore" });
  started.push(child);
  const exited = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => resolve(signal ?? code ?? -1));
  });
  return { child, exited };
}

const patience = { timeout: 10_000 };

describe.skipIf(process.platform === "win32")("what stands between a person and the gateway", () => {
  it("bin/hedgerow.mjs on an old Node passes words, signals and the exit code on", async () => {
    const bin = copy("packages/gateway/bin/hedgerow.mjs");
    const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})`;
    const { child, exited } = start(process.execPath, ["--import", old, bin, "serve", "--port", "0"]);
    await expect.poll(read, patience).toMatch(/^up \d+ serve --port 0\n$/);
    child.kill("SIGHUP");
    await expect.poll(read, patience).toContain("SIGHUP\n");
    child.kill("SIGINT");
    await expect.poll(read, patience).toContain("SIGINT\n");
    child.kill("SIGTERM");
    expect(await exited).toBe(7);
    expect(read()).toMatch(/SIGTERM\n$/);
  });

  it("scripts/run.mjs stops the gateway when the shell that npm put between is gone", async () => {
    const run = copy("scripts/run.mjs");
    put(
      "scripts/setup.mjs",
      `export const root = ${JSON.stringify(`${checkout}/`)};
       export const pinnedNode = () => process.execPath;
       export const setup = () => {};`,
    );
    // The second command keeps the shell from becoming the first.
    const { child, exited } = start("sh", ["-c", `"$0" "$1" start; exit 0`, process.execPath, run]);
    await expect.poll(read, patience).toContain("up ");
    child.kill("SIGTERM");
    expect(await exited).toBe("SIGTERM");
    await expect.poll(read, patience).toContain("SIGTERM\n");
  });
});
