import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { Capabilities, ModelTraits } from "#domain/model";
import { aspectNames, compatibility, criticalWhy, worstRisk, type AspectName, type Party } from "./compatibility.ts";

const able: Capabilities = {
  tools: true,
  structuredOutput: true,
  reasoning: true,
  inputs: ["text", "image"],
  outputs: ["text"],
};
const from = { source: "test", date: "2026-11-21" };

function party(id: string, traits: Partial<ModelTraits> = {}, more: Partial<Party> = {}): Party {
  const [provider = "", model = ""] = id.split("/");
  return {
    target: {
      id,
      provider,
      model,
      lastResort: false,
      traits: {
        name: `${provider}/${model}`,
        contextTokens: 200_000,
        maxOutputTokens: 64_000,
        price: { input: 3_000_000_000, output: 15_000_000_000, from },
        capabilities: able,
        from,
        ...traits,
      },
    },
    vendor: provider,
    region: "eu-central-1",
    safetyTier: 5,
    ...more,
  };
}

const claude = party("anthropic/claude-sonnet-5");
const judged = (aspect: AspectName, backup: Party, primary = claude) =>
  compatibility(primary, backup).find((each) => each.aspect === aspect);

describe("compatibility", () => {
  it("finds only low risks between a target and itself", () => {
    expect(compatibility(claude, claude).map(({ aspect, risk }) => [aspect, risk])).toEqual(
      aspectNames.map((aspect) => [aspect, "low"]),
    );
  });

  it("takes nothing unknown for a low risk, and says of whom it is unknown", () => {
    const stranger: Party = { target: { id: "local/x", provider: "local", model: "x", lastResort: false } };
    const { safetyTier: _, ...untold } = claude;
    for (const aspects of [compatibility(untold, stranger), compatibility(stranger, claude)]) {
      for (const { risk, why } of aspects) {
        expect(risk).toBe("moderate");
        expect(why).toMatch(/^unknown: /u);
      }
    }
    expect(judged("tools", stranger)?.why).toBe("unknown: whether tools can be called is not known of the backup");
    expect(criticalWhy(compatibility(untold, stranger))).toBeUndefined();
    expect(criticalWhy(compatibility(claude, stranger))).toContain("trusted as far as tier 5");
  });

  it.each<[AspectName, string, Party, string]>([
    ["tools", "critical", party("b/b", { capabilities: { ...able, tools: false } }), "cannot call tools"],
    [
      "tools",
      "moderate",
      party("b/b", {}, { quirks: { ...plainChatQuirks, ignoresToolChoice: true } }),
      "whatever `tool_choice` says",
    ],
    ["structured output", "high", party("b/b", { capabilities: { ...able, structuredOutput: false } }), "JSON schema"],
    [
      "structured output",
      "high",
      party("b/b", {}, { quirks: { ...plainChatQuirks, jsonSchema: false } }),
      "JSON schema",
    ],
    ["context", "high", party("b/b", { contextTokens: 32_000 }), "16 % of the primary's"],
    ["context", "moderate", party("b/b", { contextTokens: 128_000 }), "64 % of the primary's"],
    ["context", "moderate", party("b/b", { maxOutputTokens: 8_000 }), "8,000 tokens, the primary's at 64,000 tokens"],
    ["context", "low", party("b/b", { contextTokens: 1_000_000 }), "fits the backup"],
    ["tokenizer", "low", party("bedrock/claude", { name: "anthropic/claude-sonnet-5" }), "the same model"],
    ["tokenizer", "moderate", party("anthropic/claude-opus-5"), "another model of the same vendor"],
    ["tokenizer", "moderate", party("openai/gpt-5.4"), "another vendor's tokens"],
    ["reasoning state", "high", party("openai/gpt-5.4"), "openai cannot open what anthropic sealed"],
    ["reasoning state", "high", party("b/b", { capabilities: { ...able, reasoning: false } }), "does not reason"],
    ["reasoning state", "moderate", party("second/claude", {}, { vendor: "anthropic" }), "another may not open"],
    ["modalities", "high", party("b/b", { capabilities: { ...able, inputs: ["text"] } }), "does not take image"],
    ["jurisdiction", "critical", party("b/b", {}, { region: "us-east-1" }), "data leaves eu for us"],
    ["jurisdiction", "low", party("b/b", {}, { region: "europe-west4" }), "both are in eu"],
    ["safety tier", "critical", party("b/b", {}, { safetyTier: 3 }), "from tier 5 to 3"],
    ["safety tier", "low", party("b/b", {}, { safetyTier: 9 }), "trusted as far"],
    ["price", "low", party("b/b", { price: { input: 1, output: 1, from } }), "costs no more"],
    ["price", "moderate", party("b/b", { price: { input: 6e9, output: 30e9, from } }), "2.0 times as much"],
    ["price", "high", party("b/b", { price: { input: 30e9, output: 150e9, from } }), "10 times as much"],
  ])("judges %s %s", (...[aspect, risk, backup, words]) => {
    expect(judged(aspect, backup)?.risk).toBe(risk);
    expect(judged(aspect, backup)?.why).toContain(words);
  });

  it("calls it critical when a kind of answer is lost, and when a declared jurisdiction is left", () => {
    const painter = party("a/a", { capabilities: { ...able, outputs: ["text", "image"] } });
    expect(judged("modalities", claude, painter)?.risk).toBe("critical");
    const american = party("a/a", {}, { region: "us-east-1" });
    const canadian = party("b/b", {}, { region: "canadacentral" });
    expect(judged("jurisdiction", canadian, american)?.risk).toBe("high");
    expect(judged("jurisdiction", canadian, { ...american, jurisdiction: "US" })?.risk).toBe("critical");
  });

  it("compares declared jurisdictions by their words, and a declared one with a region's where it can", () => {
    const german = party("a/a", {}, { jurisdiction: "Germany" });
    const french = party("b/b", {}, { jurisdiction: "France" });
    expect(judged("jurisdiction", french, german)?.why).toBe("data leaves germany for france");
    expect(judged("jurisdiction", party("b/b", {}, { region: "eu-west-1" }), german)?.risk).toBe("low");
    const { region: _, ...placeless } = german;
    expect(judged("jurisdiction", party("b/b"), placeless)).toMatchObject({ primary: "germany", risk: "moderate" });
  });

  it("loses nothing where the primary has nothing to lose", () => {
    const plain = party("a/a", { capabilities: { ...able, tools: false, structuredOutput: false, reasoning: false } });
    const aspects = compatibility(plain, party("b/b", { capabilities: { ...able, inputs: ["text", "image"] } }));
    const lows = new Set(["tools", "structured output", "reasoning state", "modalities"]);
    for (const { aspect, risk } of aspects) if (lows.has(aspect)) expect(risk).toBe("low");
  });

  it("joins every critical reason, and names the worst risk", () => {
    const aspects = compatibility(
      claude,
      party("b/b", { capabilities: { ...able, tools: false } }, { region: "us-east-1" }),
    );
    expect(criticalWhy(aspects)).toBe("tools: the backup cannot call tools; jurisdiction: data leaves eu for us");
    expect(worstRisk(aspects)).toBe("critical");
    expect(worstRisk(compatibility(claude, claude))).toBe("low");
  });
});
