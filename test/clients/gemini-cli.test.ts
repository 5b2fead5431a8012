import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isSpoken } from "#dialects/registry";
import type { ReceivedRequest } from "#simulation/received-request";
import { everyUpstream, openHouse } from "../e2e/upstream-languages.ts";
import { clientProgram } from "./install-clients.ts";
import { runProgram } from "./run-program.ts";

const gemini = clientProgram("gemini");
const home = mkdtempSync(join(tmpdir(), "hedgerow-gemini-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const note = join(home, "note.txt");
writeFileSync(note, "The hedge is 42 feet long.\n");
mkdirSync(join(home, ".gemini"));
writeFileSync(
  join(home, ".gemini/settings.json"),
  JSON.stringify({
    security: { auth: { selectedType: "gemini-api-key" } },
    privacy: { usageStatisticsEnabled: false },
  }),
);

/** The model wants one file read, then says what stands in it. */
function agent(request: ReceivedRequest) {
  const [result] = request.toolResults;
  if (result !== undefined) {
    return { answer: { text: `The note says: ${/\d+ feet/.exec(result)?.[0] ?? "nothing"}` } };
  }
  return { answer: { toolCalls: [{ name: "read_file", arguments: { file_path: note } }] } };
}

describe.skipIf(gemini === undefined || !isSpoken("gemini"))("Google's gemini-cli", () => {
  it.each(everyUpstream)(
    "runs a tool and goes on with its result, over $title",
    async (language) => {
      await using house = await openHouse(language, agent);
      const { code, out, err } = await runProgram(gemini ?? "gemini", {
        args: ["--model", "main", "--output-format", "json", "--prompt", "What does note.txt say?"],
        home,
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
