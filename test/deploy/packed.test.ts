import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startSimulator } from "#simulation/server";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "hedgerow-packed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the container file does, as plain processes: the package is packed, unpacked elsewhere, and started from there. */
describe("the package", { timeout: 180_000 }, () => {
  it("serves from where it was unpacked, and ends in order when it is told to", async () => {
    const packed = spawnSync(
      "npm",
      ["pack", "--workspace", "packages/gateway", "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"],
      { cwd: root, encoding: "utf8" },
    );
    expect([packed.status, packed.stderr]).toEqual([0, ""]);
    const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    expect(spawnSync("tar", ["-xzf", archive], { cwd: folder }).status).toBe(0);
    // Its dependencies, which an install would bring.
    symlinkSync(join(root, "node_modules"), join(folder, "package/node_modules"));
    const simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "packed" } } }] });
    writeFileSync(
      join(folder, "hedgerow.yaml"),
      `server: { workers: 1 }
providers: { sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-0123456789abcdef } }
routes: { default: { targets: [sim/steady] } }
`,
    );
    const args = [
      "-c",
      join(folder, "hedgerow.yaml"),
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--data",
      join(folder, "data"),
    ];
    const gateway = spawn(process.execPath, [join(folder, "package/bin/hedgerow.mjs"), "serve", ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    gateway.stderr.on("data", (text) => (err += String(text)));
    const url = await new Promise<string>((resolve, reject) => {
      gateway.stdout.on("data", (text) => {
        out += String(text);
        const found = /hedgerow ready on (http:\S+)\n/u.exec(out)?.[1];
        if (found !== undefined) resolve(found);
      });
      gateway.once("exit", () => reject(new Error(err)));
    });
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Hello" }] }),
    });
    expect(await answer.text()).toContain("packed");
    const ended = new Promise((resolve) => gateway.once("exit", resolve));
    gateway.kill("SIGTERM");
    expect(await ended).toBe(0);
    await simulator.close();
  });
});
