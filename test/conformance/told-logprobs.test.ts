import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { upstreamDialects } from "#dialects/registry";
import { decoding } from "../replay/open-lane.ts";
import { findFixtures } from "../replay/recordings.ts";

const fixtures = findFixtures("log-probabilities that LM Studio told");
const folder = "vercel__ai/packages/open-responses/src/responses/__fixtures__";

interface Told {
  readonly content: readonly { readonly token: string; readonly logprob: number }[];
}

describe("log-probabilities of recorded answers", () => {
  it.skipIf(fixtures === undefined).each([1, 2])("spell the text: LM Studio's Responses, %i", (at) => {
    const lines = readFileSync(join(fixtures ?? "", folder, `lmstudio-tool-call.${at}.chunks.txt`), "utf8").split("\n");
    const stream = lines.filter((line) => line.startsWith("{")).map((line) => `data: ${line}\n\n`);
    let text = "";
    const tokens: string[] = [];
    const decoder = upstreamDialects["openai-responses"].streamDecoder(decoding, ({ events }) => {
      for (const event of events) {
        if (event.kind !== "text-delta") continue;
        text += event.text;
        for (const { token, logprob } of (event.logprobs as Told).content) {
          tokens.push(token);
          expect(logprob).toBeLessThanOrEqual(0);
        }
      }
    });
    decoder.push(Buffer.from(stream.join("")));
    decoder.end();
    expect(tokens.join("")).toBe(text);
    expect(tokens.length).toBeGreaterThan(10);
  });
});
