import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "gemini-2.5-flash",
  issuer: "google",
  quirks: plainChatQuirks,
  streamed: false,
};
const third: EncodeTarget = { ...target, model: "gemini-3-pro-preview" };

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

interface Made {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

function made(more: Partial<GenerateRequest>, at = target): Made {
  const encoded = encodeRequest({ ...plain, ...more }, at);
  if (encoded.kind === "refused") throw new Error(encoded.failure.message);
  const text = Buffer.from(encoded.body).toString();
  const warnings = encoded.warnings.map((warning) => warning.split(":")[0] ?? "");
  return { text, json: JSON.parse(text) as Made["json"], warnings };
}

const user = (...parts: readonly Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: "assistant", parts });
const system = (words: string): Turn => ({ role: "system", parts: [text(words)] });

function text(words: string): Part & { readonly kind: "text" } {
  return { kind: "text", text: words };
}

describe("encodeRequest", () => {
  it("writes all there is, in a fixed order", () => {
    const { text: body, warnings } = made({
      turns: [system("Be brief."), { role: "system", parts: [text("And kind.")] }, user(text("hi"), text("there"))],
      tools: [
        { kind: "function", name: "f", description: "does f", schema: { type: "object", properties: { a: {} } } },
      ],
      toolChoice: { kind: "named", name: "f" },
      sampling: { temperature: 0.5, topP: 0.9, topK: 40, frequencyPenalty: 1, presencePenalty: -1, seed: 7 },
      maxOutputTokens: 100,
      stop: ["END"],
      logprobs: { top: 3 },
      serviceTier: "priority",
      reasoning: { mode: "on", budgetTokens: 2048 },
    });
    expect(body).toBe(
      '{"systemInstruction":{"parts":[{"text":"Be brief."},{"text":"And kind."}]},' +
        '"contents":[{"role":"user","parts":[{"text":"hi"},{"text":"there"}]}],' +
        '"tools":[{"functionDeclarations":[{"name":"f","description":"does f",' +
        '"parametersJsonSchema":{"type":"object","properties":{"a":{}}}}]}],' +
        '"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},' +
        '"generationConfig":{"maxOutputTokens":100,"temperature":0.5,"topP":0.9,"topK":40,"presencePenalty":-1,' +
        '"frequencyPenalty":1,"seed":7,"stopSequences":["END"],"responseLogprobs":true,"logprobs":3,' +
        '"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2048}},' +
        '"serviceTier":"priority"}',
    );
    expect(warnings).toEqual([]);
  });

  it("writes no more than was asked", () => {
    expect(made({ sampling: { frequencyPenalty: 0 }, output: { kind: "text" }, serviceTier: "auto" }).text).toBe(
      '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
    );
  });

  it.each([
    [{ kind: "auto" }, { mode: "AUTO" }],
    [{ kind: "none" }, { mode: "NONE" }],
    [{ kind: "required" }, { mode: "ANY" }],
  ] as const)("writes the choice of tools %o as %o", (toolChoice, functionCallingConfig) => {
    const { json } = made({ tools: [{ kind: "function", name: "f", schema: {} }], toolChoice });
    expect(json["toolConfig"]).toEqual({ functionCallingConfig });
    expect(json["tools"]).toEqual([{ functionDeclarations: [{ name: "f" }] }]);
  });

  it("holds the answer to JSON, or to a schema without what Gemini does not know", () => {
    expect(made({ output: { kind: "json" } }).json["generationConfig"]).toEqual({
      responseMimeType: "application/json",
    });
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { pet: { $ref: "#/$defs/Pet" }, kind: { const: "cat" } },
      required: ["pet"],
      additionalProperties: false,
      $defs: { Pet: { type: ["string", "null"] } },
    };
    const output = { kind: "json-schema", schema, name: "pets", description: "All pets", strict: true } as const;
    const { json, warnings } = made({ output });
    expect(json["generationConfig"]).toEqual({
      responseMimeType: "application/json",
      responseJsonSchema: {
        type: "object",
        properties: { pet: { type: ["string", "null"] }, kind: { enum: ["cat"] } },
        required: ["pet"],
        additionalProperties: false,
        description: "All pets",
      },
    });
    expect(warnings).toEqual([]);
    const tools = [{ kind: "function", name: "f", schema: {} }] as const;
    expect(made({ output, tools }, third).json).toHaveProperty("generationConfig.responseJsonSchema");
  });

  it("gives back what is Gemini's own, as it was", () => {
    const search = { kind: "foreign", what: "gemini:googleSearch", payload: { googleSearch: {} } } as const;
    const payload = { executableCode: { language: "PYTHON", code: "1" }, thoughtSignature: "c2ln" };
    const code = { kind: "foreign", what: "gemini:executableCode", payload } as const;
    const { json } = made({ tools: [search], turns: [user(text("q")), assistant(code), user(text("go on"))] });
    expect(json["tools"]).toEqual([{ googleSearch: {} }]);
    expect(json["contents"]).toContainEqual({ role: "model", parts: [payload] });
  });
});

describe("media", () => {
  const part = (given: Part, at = target): unknown => {
    const { json } = made({ turns: [user(given)] }, at);
    return (json["contents"] as readonly { parts: readonly unknown[] }[])[0]?.parts[0];
  };
  const base64 = (mediaType: string, data: string) => ({ kind: "base64", mediaType, data }) as const;
  const url = (address: string) => ({ kind: "url", url: address }) as const;

  it.each([
    ["image/png", "AAAA", "image/png"],
    ["image/jpeg; charset=binary", "AAAA", "image/jpeg"],
    ["image/*", "/9j/4AAQ", "image/jpeg"],
    ["", "UklGRh4A", "image/webp"],
    ["image/jpg", "AAAA", "image/jpeg"],
    ["image/heic", "AAAA", "image/heic"],
  ])("of type %s with bytes %s is %s", (mediaType, data, mimeType) => {
    expect(part({ kind: "image", source: base64(mediaType, data) })).toEqual({ inlineData: { mimeType, data } });
  });

  it.each<readonly [Part, unknown]>([
    [
      { kind: "document", source: base64("application/pdf", "JVBE") },
      { inlineData: { mimeType: "application/pdf", data: "JVBE" } },
    ],
    [{ kind: "document", source: base64("text/csv; charset=utf-8", "w6ksYg==") }, { text: "é,b" }],
    [{ kind: "document", source: { kind: "text", text: "plain" } }, { text: "plain" }],
    [{ kind: "audio", format: "mp3", data: "AA==" }, { inlineData: { mimeType: "audio/mp3", data: "AA==" } }],
    [{ kind: "audio", format: "audio/x-wav", data: "AA==" }, { inlineData: { mimeType: "audio/wav", data: "AA==" } }],
    [{ kind: "video", source: base64("video/mp4", "AA==") }, { inlineData: { mimeType: "video/mp4", data: "AA==" } }],
    [
      { kind: "video", source: url("https://youtu.be/x") },
      { fileData: { mimeType: "video/mp4", fileUri: "https://youtu.be/x" } },
    ],
    [
      { kind: "video", source: url("gs://bucket/a.mov") },
      { fileData: { mimeType: "video/mov", fileUri: "gs://bucket/a.mov" } },
    ],
    [
      { kind: "image", source: url("https://a.test/b/c.PNG?x=1") },
      { fileData: { mimeType: "image/png", fileUri: "https://a.test/b/c.PNG?x=1" } },
    ],
    [
      { kind: "image", source: url("https://a.test/b") },
      { fileData: { mimeType: "image/jpeg", fileUri: "https://a.test/b" } },
    ],
    [
      { kind: "document", source: url("https://generativelanguage.googleapis.com/v1beta/files/abc") },
      {
        fileData: {
          mimeType: "application/pdf",
          fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc",
        },
      },
    ],
  ])("%o is %o", (given, expected) => {
    expect(part(given)).toEqual(expected);
  });
});
