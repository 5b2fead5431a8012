import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { decodeTokenCount, encodeTokenCount, fitRelayed } from "./count-tokens.ts";
import { decodeCount, decodeRequest } from "./decode-request.ts";
import { encodeCountRequest, encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "claude-opus-4-6",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: false,
  operation: "count-tokens",
};

/** `MessageCountTokensParams` of the official SDK 1.12; all else is answered with 400. */
const countable = ["model", "tools", "tool_choice", "system", "messages", "thinking", "output_config", "cache_control"];

const body = {
  model: "main",
  system: "Be brief.",
  messages: [
    { role: "user", content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }] },
    { role: "assistant", content: "Hello." },
    { role: "user", content: "How many tokens is this?" },
  ],
  tools: [{ name: "f", description: "d", input_schema: { type: "object", properties: {} } }],
  tool_choice: { type: "any" },
  output_config: { format: { type: "json_schema", schema: { type: "object", properties: {} } } },
  cache_control: { type: "ephemeral" },
};

function decoded(json: object): GenerateRequest {
  const made = decodeCount(json);
  if (made.kind !== "decoded") throw new Error(made.failure.message);
  return made.request;
}

function sent(request: GenerateRequest, to: Partial<EncodeTarget> = {}): Record<string, unknown> {
  const encoded = encodeCountRequest(request, { ...target, ...to });
  if (encoded.kind !== "encoded") throw new Error(encoded.failure.message);
  return JSON.parse(Buffer.from(encoded.body).toString()) as Record<string, unknown>;
}

describe("a request for a count", () => {
  it("needs no limit of the answer, and is else read like any", () => {
    const counted = decoded(body);
    const asked = decodeRequest({ ...body, max_tokens: 9 });
    expect(asked.kind === "decoded" && asked.request).toEqual({ ...counted, maxOutputTokens: 9 });
    expect(decodeRequest(body)).toMatchObject({ kind: "refused", failure: { param: "max_tokens" } });
    expect(decoded({ ...body, max_tokens: 9 }).maxOutputTokens).toBe(9);
  });

  it("is refused by name where its shape is wrong", () => {
    expect(decodeCount({ ...body, messages: [] })).toMatchObject({ kind: "refused", failure: { param: "messages" } });
    expect(decodeCount([])).toMatchObject({ kind: "refused" });
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(["decoded", "refused"]).toContain(decodeCount(json).kind);
      }),
    );
  });

  it("is sent with what makes up the prompt, as an answer's request says it, and with nothing else", () => {
    const request: GenerateRequest = {
      ...decoded(body),
      streamed: true,
      sampling: { temperature: 0.5, topP: 0.9, topK: 3, seed: 7 },
      maxOutputTokens: 100,
      stop: ["x"],
      user: "u",
      serviceTier: "auto",
      choices: 3,
    };
    const count = sent(request);
    expect(Object.keys(count).toSorted()).toEqual(countable.filter((name) => name !== "thinking").toSorted());
    const answering = encodeRequest({ ...request, choices: 1 }, target);
    const whole = JSON.parse(Buffer.from(answering.kind === "encoded" ? answering.body : []).toString()) as object;
    expect(whole).toMatchObject(count);
    const encoded = encodeCountRequest(request, target);
    expect(encoded).toMatchObject({ headers: { "anthropic-version": "2023-06-01" }, warnings: [] });
  });

  it("has all the room for thoughts that was asked for", () => {
    const request = decoded({ ...body, tool_choice: undefined, thinking: { type: "enabled", budget_tokens: 50_000 } });
    const older = { model: "claude-sonnet-4-5" };
    expect(sent(request, older)).toMatchObject({ thinking: { type: "enabled", budget_tokens: 50_000 } });
  });

  it("goes elsewhere where a field that the prompt depends on has no word", () => {
    const encoded = encodeCountRequest({ ...decoded(body), rest: { prompt: {} }, needed: ["prompt"] }, target);
    expect(encoded).toMatchObject({ kind: "refused" });
  });
});

describe("a count", () => {
  it("is read and written as the API has it", () => {
    expect(decodeTokenCount({ input_tokens: 12, context_management: null })).toBe(12);
    expect(Buffer.from(encodeTokenCount(12)).toString()).toBe('{"input_tokens":12}');
    expect(fitRelayed("count-tokens", { input_tokens: 0 })).toBeUndefined();
  });

  it.each([undefined, {}, { input_tokens: "12" }, { input_tokens: -1 }, { input_tokens: 1.5 }, [12]])(
    "is not read from %j",
    (answered) => {
      expect(decodeTokenCount(answered)).toMatchObject({ kind: "bad_upstream_response" });
      expect(fitRelayed("count-tokens", answered)).toMatchObject({ kind: "bad_upstream_response" });
    },
  );
});
