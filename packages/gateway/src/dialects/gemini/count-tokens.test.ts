import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import { decodeCount, encodeCount } from "./count-tokens.ts";

const request: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [
    { role: "system", parts: [{ kind: "text", text: "s" }] },
    { role: "user", parts: [{ kind: "text", text: "hi" }] },
  ],
  tools: [{ kind: "function", name: "f", schema: {} }],
  toolChoice: { kind: "auto" },
  sampling: { temperature: 1 },
  stop: [],
  choices: 1,
  rest: {},
};

function counted(model: string, bareCount = false): unknown {
  const quirks = bareCount ? { ...plainChatQuirks, bareCount: true as const } : plainChatQuirks;
  const made = encodeCount(request, { model, issuer: "google", quirks, streamed: false });
  return made.kind === "encoded" ? JSON.parse(Buffer.from(made.body).toString()) : made.failure;
}

const inner = {
  systemInstruction: { parts: [{ text: "s" }] },
  contents: [{ role: "user", parts: [{ text: "hi" }] }],
  tools: [{ functionDeclarations: [{ name: "f" }] }],
  generationConfig: { temperature: 1 },
};

describe("a token count", () => {
  it("is asked of a whole request, which names its model, and at Vertex of its fields", () => {
    const toolConfig = { functionCallingConfig: { mode: "AUTO" } };
    expect(counted("gemini-2.5-flash")).toEqual({
      generateContentRequest: { model: "models/gemini-2.5-flash", ...inner, toolConfig },
    });
    expect(counted("tunedModels/mine")).toMatchObject({ generateContentRequest: { model: "tunedModels/mine" } });
    expect(counted("gemini-2.5-flash", true)).toEqual(inner);
  });

  it("that cannot be asked is refused as the request would be", () => {
    const target = { model: "gemini-3-pro", issuer: "google", quirks: plainChatQuirks, streamed: false };
    expect(encodeCount({ ...request, turns: [] }, target)).toMatchObject({ kind: "refused" });
  });

  it("is read from what either answers", () => {
    expect(decodeCount({ totalTokens: 11, promptTokensDetails: [{ modality: "TEXT", tokenCount: 11 }] })).toBe(11);
    expect(decodeCount({ totalTokens: 10, totalBillableCharacters: 36 })).toBe(10);
    expect(decodeCount({})).toBe(0);
    for (const wrong of [{ totalTokens: "11" }, { totalTokens: -1 }, { error: { code: 500 } }, [], undefined]) {
      expect(decodeCount(wrong)).toMatchObject({ kind: "bad_upstream_response" });
    }
  });
});
