import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "#simulation/received-request";
import { everyUpstream, openHouse } from "../e2e/upstream-languages.ts";
import { clientProgram } from "./install-clients.ts";
import { runProgram } from "./run-program.ts";

// Both in one file: files run beside each other, and one installation fetches both programs.
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

const gemini = clientProgram("gemini");
const geminiHome = mkdtempSync(join(tmpdir(), "hedgerow-gemini-"));
afterAll(() => rmSync(geminiHome, { recursive: true, force: true }));
const note = join(geminiHome, "note.txt");
writeFileSync(note, "The hedge is 42 feet long.\n");
mkdirSync(join(geminiHome, ".gemini"));
writeFileSync(
  join(geminiHome, ".gemini/settings.json"),
  JSON.stringify({
    security: { auth: { selectedType: "gemini-api-key" } },
    privacy: { usageStatisticsEnabled: false },
  }),
);

/** The model wants one file read, then says what stands in it. */
function reader(request: ReceivedRequest) {
  const [result] = request.toolResults;
  if (result !== undefined) {
    return { answer: { text: `The note says: ${/\d+ feet/.exec(result)?.[0] ?? "nothing"}` } };
  }
  return { answer: { toolCalls: [{ name: "read_file", arguments: { file_path: note } }] } };
}

describe.skipIf(gemini === undefined)("Google's gemini-cli", () => {
  it.each(everyUpstream)(
    "runs a tool and goes on with its result, over $title",
    async (language) => {
      await using house = await openHouse(language, reader);
      const { code, out, err } = await runProgram(gemini ?? "gemini", {
        args: ["--model", "main", "--output-format", "json", "--prompt", "What does note.txt say?"],
        home: geminiHome,
        environment: {
          GEMINI_API_KEY: "hr-any",
          GOOGLE_GEMINI_BASE_URL: house.url,
          GEMINI_CLI_TRUST_WORKSPACE: "true",
          NO_COLOR: "1",
        },
      });
      expect(code, out + err).toBe(0);
      expect(out, err).toContain("The note says: 42 feet");
      expect(house.asked.length).toBeGreaterThanOrEqual(2);
    },
    90_000,
  );
});
