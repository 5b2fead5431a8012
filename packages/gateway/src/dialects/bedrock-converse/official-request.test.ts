import { BedrockRuntimeClient, ConverseCommand, type ConverseCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Source, Tool, Turn } from "#domain/request";
import { encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: false,
};

function user(...parts: readonly Part[]): Turn {
  return { role: "user", parts };
}

function text(words: string): Extract<Part, { kind: "text" }> {
  return { kind: "text", text: words };
}

const png: Extract<Source, { kind: "base64" }> = { kind: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" };
const tool: Tool = { kind: "function", name: "f", description: "d", schema: { type: "object", properties: {} } };

/** What Amazon's own client writes of a body: it leaves out every member it does not know, and refuses wrong types. */
async function asOfficial(body: object): Promise<unknown> {
  let written = "";
  const client = new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: {
      handle: ({ body: bytes }: { readonly body: Uint8Array }) => {
        written = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
        return Promise.reject(new Error("enough"));
      },
    } as never,
  });
  const input = withBytes(body) as Omit<ConverseCommandInput, "modelId">;
  await client.send(new ConverseCommand({ modelId: "m", ...input })).catch(() => undefined);
  return JSON.parse(written) as unknown;
}

/** The client takes bytes where JSON has base64. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inside]: [string, unknown]) => {
      const isBlob = (name === "bytes" || name === "redactedContent") && typeof inside === "string";
      return [name, isBlob ? new Uint8Array(Buffer.from(inside, "base64")) : withBytes(inside)];
    }),
  );
}

describe("a request", () => {
  it("is written as Amazon's own client would write it, in a fixed order, as the same bytes each time", async () => {
    const everything: GenerateRequest = {
      model: "asked",
      streamed: false,
      usageInStream: true,
      choices: 1,
      rest: {},
      turns: [
        { role: "system", parts: [{ ...text("Be brief."), cache: { ttl: "1h" } }] },
        user(
          { ...text("q"), cache: {} },
          { kind: "image", source: png },
          { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBE" }, title: "a.b" },
          { kind: "document", source: { kind: "text", text: "täll" }, context: "c", citations: true },
          { kind: "video", source: { kind: "url", url: "s3://bucket/a.mp4" } },
          { kind: "audio", format: "mp3", data: "AAAA" },
        ),
        {
          role: "assistant",
          parts: [
            { kind: "reasoning", text: "hm", seal: { issuer: "anthropic", form: "signature", value: "c2ln" } },
            { kind: "reasoning", text: "", seal: { issuer: "anthropic", form: "redacted", value: "sealed" } },
            text("a"),
            { kind: "tool-call", id: "t1", name: "f", argumentsJson: '{"a":1}' },
          ],
        },
        user({
          kind: "tool-result",
          callId: "t1",
          failed: true,
          parts: [text("no"), { kind: "image", source: png }],
        }),
      ],
      tools: [{ ...tool, cache: { ttl: "1h" } }],
      toolChoice: { kind: "auto" },
      sampling: { temperature: 0.5, topK: 5 },
      maxOutputTokens: 300,
      stop: ["END"],
      user: "ada",
      serviceTier: "flex",
      output: { kind: "json-schema", name: "person", schema: { type: "object", properties: {} } },
    };
    const made = encodeRequest(everything, target);
    if (made.kind !== "encoded") throw new Error(made.failure.message);
    const body = JSON.parse(Buffer.from(made.body).toString()) as object;
    expect(made.warnings).toEqual([]);
    expect(await asOfficial(body)).toEqual(body);
    expect(encodeRequest(everything, target)).toEqual(made);
    expect(body).toEqual({
      messages: [
        {
          role: "user",
          content: [
            { text: "q" },
            { cachePoint: { type: "default" } },
            { image: { format: "png", source: { bytes: png.data } } },
            { document: { format: "pdf", name: "a-b", source: { bytes: "JVBE" } } },
            {
              document: {
                format: "txt",
                name: "document",
                source: { bytes: "dMOkbGw=" },
                context: "c",
                citations: { enabled: true },
              },
            },
            { video: { format: "mp4", source: { s3Location: { uri: "s3://bucket/a.mp4" } } } },
            { audio: { format: "mp3", source: { bytes: "AAAA" } } },
          ],
        },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: "c2VhbGVk" } },
            { text: "a" },
            { toolUse: { toolUseId: "t1", name: "f", input: { a: 1 } } },
          ],
        },
        {
          role: "user",
          content: [
            {
              toolResult: {
                toolUseId: "t1",
                content: [{ text: "no" }, { image: { format: "png", source: { bytes: png.data } } }],
                status: "error",
              },
            },
          ],
        },
      ],
      system: [{ text: "Be brief." }, { cachePoint: { type: "default", ttl: "1h" } }],
      inferenceConfig: { maxTokens: 300, temperature: 0.5, stopSequences: ["END"] },
      toolConfig: {
        tools: [
          { toolSpec: { name: "f", description: "d", inputSchema: { json: { type: "object", properties: {} } } } },
          { cachePoint: { type: "default", ttl: "1h" } },
        ],
        toolChoice: { auto: {} },
      },
      additionalModelRequestFields: { top_k: 5 },
      additionalModelResponseFieldPaths: ["/stop_sequence"],
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: {
            jsonSchema: {
              name: "person",
              schema: '{"type":"object","properties":{},"additionalProperties":false}',
            },
          },
        },
      },
      serviceTier: { type: "flex" },
      requestMetadata: { user_id: "ada" },
    });
  });
});
