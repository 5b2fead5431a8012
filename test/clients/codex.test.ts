import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "#simulation/received-request";
import { openHouse, upstreamLanguages } from "../e2e/upstream-languages.ts";
import { clientProgram } from "./install-clients.ts";

const codex = clientProgram("codex");
const home = mkdtempSync(join(tmpdir(), "hedgerow-codex-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The model wants one command run, then says what came of it. */
function agent(request: ReceivedRequest) {
  const [result] = request.toolResults;
  if (result !== undefined) {
    return { answer: { text: `The command printed: ${/was-here-\d+/.exec(result)?.[0] ?? "nothing"}` } };
  }
  return { answer: { toolCalls: [{ name: "exec_command", arguments: { cmd: "echo was-here-$((40+2))" } }] } };
}

function run(url: string): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  writeFileSync(
    join(home, "config.toml"),
    [
      'model = "main"',
      'model_provider = "hedgerow"',
      'sandbox_mode = "danger-full-access"',
      'approval_policy = "never"',
      "[model_providers.hedgerow]",
      'name = "Hedgerow"',
      `base_url = "${url}/v1"`,
      'wire_api = "responses"',
      'env_key = "HEDGEROW_KEY"',
      "",
    ].join("\n"),
  );
  const args = ["exec", "--skip-git-repo-check", "--json", "Run the command and tell me what it prints."];
  const child = spawn(codex ?? "codex", args, {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, CODEX_HOME: home, HEDGEROW_KEY: "hr-any" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

describe.skipIf(codex === undefined)("OpenAI's codex", () => {
  it.each(upstreamLanguages)(
    "runs a tool and goes on with its result, over $title",
    async (language) => {
      await using house = await openHouse(language, agent);
      const { code, out, err } = await run(house.url);
      expect(code, out + err).toBe(0);
      expect(out).toContain("The command printed: was-here-42");
      expect(house.asked.length).toBeGreaterThanOrEqual(2);
    },
    60_000,
  );
});
