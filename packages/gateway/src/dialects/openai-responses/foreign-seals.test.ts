import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import { scanFields } from "#wire/json-splice";
import { inputWithoutForeignSeals } from "./foreign-seals.ts";

const from = { source: "test", date: "2026-11-25" };

function target(issuer: string, known = true): EncodeTarget {
  const traits = { name: `${issuer}/m`, capabilities: {}, from };
  return { model: "m", issuer, quirks: plainChatQuirks, streamed: false, ...(known ? { traits } : {}) };
}

const thought = (sealed?: string): object => ({
  type: "reasoning",
  id: "rs_1",
  summary: [],
  ...(sealed === undefined ? {} : { encrypted_content: sealed }),
});
const said = { role: "assistant", content: "a" };

/** What is sent of these items; the very same bytes are `same`. */
function sent(items: readonly object[], to: EncodeTarget, space = 0): unknown {
  const body = Buffer.from(JSON.stringify({ input: items }, undefined, space));
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  const made = inputWithoutForeignSeals(body, scan, to);
  return made === undefined ? "same" : { items: JSON.parse(made.json) as unknown, lost: made.lost };
}

const openai = "gAAAAABsealed";
const xai = "c29tZXRoaW5nIGVsc2U";

describe("the thoughts of an input", () => {
  it.each([
    ["OpenAI's own to OpenAI", openai, target("openai")],
    ["xAI's own to xAI", xai, target("xai")],
    ["OpenAI's to a target nobody knows", openai, target("local", false)],
    ["unsealed ones to OpenAI", undefined, target("openai")],
    ["ones with an empty seal to OpenAI", "", target("openai")],
  ])("pass to the byte: %s", (_, sealed, to) => {
    expect(sent([thought(sealed), said], to)).toBe("same");
  });

  it.each([
    ["OpenAI's to xAI", openai, target("xai")],
    ["xAI's to OpenAI", xai, target("openai")],
    ["Anthropic's, as we mark them, to OpenAI", "hedgerow:anthropic:signature:c2ln", target("openai")],
    ["unreadable ones, as we mark them, to anybody", "hedgerow:deepseek:signature:", target("local", false)],
  ])("go where they are another's: %s", (_, sealed, to) => {
    for (const space of [0, 2]) {
      expect(sent([thought(sealed), said], to, space)).toEqual({ items: [said], lost: true });
    }
  });

  it("have their own seal back from their vendor's mark", () => {
    const marked = thought("hedgerow:anthropic:signature:c2ln");
    expect(sent([marked, said], target("anthropic"))).toEqual({ items: [thought("c2ln"), said], lost: false });
  });

  it("are looked for in thoughts alone", () => {
    const words = { role: "user", content: `{"encrypted_content":"${xai}"}` };
    expect(sent([words, { type: "compaction", encrypted_content: openai }], target("openai"))).toBe("same");
  });
});
