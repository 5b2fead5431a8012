import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import type { ClientDialectId, Needs } from "#domain/call";
import { scanFields } from "#wire/json-splice";

function needsOf(dialect: ClientDialectId, body: object, space?: number): Needs {
  const bytes = Buffer.from(JSON.stringify(body, null, space));
  const scan = scanFields(bytes, { maxDepth: 100 });
  if ("problem" in scan) throw new Error(scan.problem);
  return dialects[dialect].findNeeds(bytes, scan);
}

const media = (kind: string, data = "AAAA") => ({ inlineData: { mimeType: kind, data } });
const schema = { type: "object" };

/** What callers of each language send, and what it needs. */
const cases: readonly (readonly [ClientDialectId, string, object, Needs])[] = [
  ["openai-chat", "tools", { tools: [{ type: "function" }] }, { tools: true }],
  ["openai-chat", "older functions", { functions: [{ name: "f" }] }, { tools: true }],
  [
    "openai-chat",
    "a schema",
    { response_format: { type: "json_schema", json_schema: { schema } } },
    { structuredOutput: true },
  ],
  ["openai-chat", "JSON without a schema", { response_format: { type: "json_object" } }, {}],
  [
    "openai-chat",
    "an image",
    { messages: [{ content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    { inputs: ["image"] },
  ],
  ["openai-chat", "a video", { messages: [{ content: [{ type: "video_url" }] }] }, { inputs: ["video"] }],
  ["openai-chat", "audio", { messages: [{ content: [{ type: "input_audio" }] }] }, { inputs: ["audio"] }],
  [
    "openai-chat",
    "a PDF",
    { messages: [{ content: [{ type: "file", file: { file_data: "data:application/pdf;base64,AA" } }] }] },
    { inputs: ["pdf"] },
  ],
  ["openai-responses", "tools", { tools: [{ type: "web_search" }] }, { tools: true }],
  ["openai-responses", "a schema", { text: { format: { type: "json_schema", schema } } }, { structuredOutput: true }],
  ["openai-responses", "an image", { input: [{ content: [{ type: "input_image" }] }] }, { inputs: ["image"] }],
  ["anthropic-messages", "tools", { tools: [{ name: "f" }] }, { tools: true }],
  [
    "anthropic-messages",
    "an MCP server's tools",
    { mcp_servers: [{ type: "url", url: "https://m" }] },
    { tools: true },
  ],
  [
    "anthropic-messages",
    "a schema",
    { output_config: { format: { type: "json_schema", schema } } },
    { structuredOutput: true },
  ],
  [
    "anthropic-messages",
    "an image",
    { messages: [{ content: [{ type: "image", source: {} }] }] },
    { inputs: ["image"] },
  ],
  [
    "anthropic-messages",
    "a PDF",
    { messages: [{ content: [{ type: "document", source: { media_type: "application/pdf" } }] }] },
    { inputs: ["pdf"] },
  ],
  [
    "anthropic-messages",
    "a text as a document",
    { messages: [{ content: [{ type: "document", source: { media_type: "text/plain" } }] }] },
    {},
  ],
  ["gemini", "tools", { tools: [{ functionDeclarations: [] }] }, { tools: true }],
  ["gemini", "a schema", { generationConfig: { responseSchema: schema } }, { structuredOutput: true }],
  ["gemini", "an image", { contents: [{ parts: [media("image/png")] }] }, { inputs: ["image"] }],
  [
    "gemini",
    "audio, in the other spelling",
    { contents: [{ parts: [{ inline_data: { mime_type: "audio/wav" } }] }] },
    { inputs: ["audio"] },
  ],
  [
    "gemini",
    "a PDF and a video",
    { contents: [{ parts: [media("video/mp4"), media("application/pdf")] }] },
    { inputs: ["video", "pdf"] },
  ],
  ["bedrock-converse", "tools", { toolConfig: { tools: [{ toolSpec: {} }] } }, { tools: true }],
  [
    "bedrock-converse",
    "a schema",
    { outputConfig: { textFormat: { type: "json_schema" } } },
    { structuredOutput: true },
  ],
  [
    "bedrock-converse",
    "an image",
    { messages: [{ content: [{ image: { format: "png", source: {} } }] }] },
    { inputs: ["image"] },
  ],
  [
    "bedrock-converse",
    "a PDF",
    { messages: [{ content: [{ document: { format: "pdf", name: "a" } }] }] },
    { inputs: ["pdf"] },
  ],
];

describe("what a request needs", () => {
  it.each(cases)("%s: %s", (...[dialect, , body, expected]) => {
    for (const space of [undefined, 2]) {
      const { promptTokens: _tokens, ...needs } = needsOf(dialect, body, space);
      expect(needs).toEqual(expected);
    }
  });

  it.each(cases)("%s: is not what somebody writes about it in a prompt (%s)", (dialect, _what, body) => {
    const quoted = JSON.stringify(body);
    const asText = {
      messages: [{ role: "user", content: [{ type: "text", text: quoted }] }],
      input: quoted,
      contents: [{ parts: [{ text: quoted }] }],
    };
    const { promptTokens, ...needs } = needsOf(dialect, asText);
    expect(needs).toEqual({});
    expect(promptTokens?.[0]).toBeGreaterThan(0);
  });

  it("is not what a tool of the caller's calls its own arguments", () => {
    const input = { image: { name: "a" }, kind: "image", mime: "image/png" };
    const call = { type: "tool_use", name: "draw", input };
    expect(needsOf("anthropic-messages", { messages: [{ content: [call] }] })).not.toHaveProperty("inputs");
    const args = { functionCall: { name: "draw", args: input } };
    expect(needsOf("gemini", { contents: [{ parts: [args] }] })).not.toHaveProperty("inputs");
    const use = { toolUse: { name: "draw", input } };
    expect(needsOf("bedrock-converse", { messages: [{ content: [use] }] })).not.toHaveProperty("inputs");
  });

  it("asks for no tools where the list of them is empty", () => {
    expect(needsOf("openai-chat", { tools: [], functions: null })).not.toHaveProperty("tools");
    expect(needsOf("bedrock-converse", { toolConfig: {} })).not.toHaveProperty("tools");
  });

  it("estimates tokens between a sixth and half of the prompt's bytes, and not at all where media are in it", () => {
    const messages = [{ role: "user", content: "word ".repeat(1000) }];
    const bytes = JSON.stringify(messages).length;
    const { promptTokens } = needsOf("openai-chat", { model: "m", messages });
    expect(promptTokens).toEqual([Math.floor(bytes / 6), Math.ceil(bytes / 2)]);
    const pictured = [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }];
    expect(needsOf("openai-chat", { messages: pictured })).not.toHaveProperty("promptTokens");
  });

  it("never fails, whatever JSON the prompt is", () => {
    const ids = Object.keys(dialects) as ClientDialectId[];
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.jsonValue(), fc.jsonValue(), (dialect, prompt, tools) => {
        const body = { messages: prompt, input: prompt, contents: prompt, tools, system: tools };
        expect(() => needsOf(dialect, body)).not.toThrow();
      }),
    );
  });
});
