import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "#simulation/received-request";
import { everyUpstream, openHouse } from "../e2e/upstream-languages.ts";
import { clientProgram } from "./install-clients.ts";
import { runProgram } from "./run-program.ts";

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

function configuration(url: string): string {
  return [
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
  ].join("\n");
}

describe.skipIf(codex === undefined)("OpenAI's codex", () => {
  it.each(everyUpstream)(
    "runs a tool and goes on with its result, over $title",
    async (language) => {
      await using house = await openHouse(language, agent);
      writeFileSync(join(home, "config.toml"), configuration(house.url));
      const { code, out, err } = await runProgram(codex ?? "codex", {
        args: ["exec", "--skip-git-repo-check", "--json", "Run the command and tell me what it prints."],
        home,
        environment: { CODEX_HOME: home, HEDGEROW_KEY: "hr-any" },
      });
      expect(code, out + err).toBe(0);
      expect(out).toContain("The command printed: was-here-42");
      expect(house.asked.length).toBeGreaterThanOrEqual(2);
    },
    60_000,
  );
});
