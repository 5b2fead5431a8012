import { describe, expect, it } from "vitest";
import type { EmbedRequest } from "#domain/embedding";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { embedClient } from "./embed-client.ts";

const options: EncodeOptions = { fallbackId: "r", model: "m", createdAtS: 0, includeUsage: true, issuer: "openai" };
const content = (...texts: readonly string[]): object => ({ parts: texts.map((text) => ({ text })) });

function decoded(body: unknown, variant?: "batch"): ReturnType<typeof embedClient.decodeRequest> {
  return embedClient.decodeRequest(body, { model: "main", ...(variant === undefined ? {} : { variant }) });
}

function read(body: unknown, variant?: "batch"): EmbedRequest {
  const request = decoded(body, variant);
  if ("kind" in request) throw new Error(request.message);
  return request;
}

describe("embeddings in Gemini's language", () => {
  it("are asked for one text, with what its vector is for", () => {
    const request = {
      model: "main",
      inputs: ["a\nb"],
      single: true,
      encoding: "float",
      dimensions: 256,
      purpose: "document",
      title: "T",
      rest: {},
    };
    const wish = { taskType: "RETRIEVAL_DOCUMENT", title: "T", outputDimensionality: 256 };
    expect(read({ model: "models/x", content: content("a", "b"), ...wish })).toEqual(request);
    expect(read({ content: content("a", "b"), embedContentConfig: wish })).toEqual(request);
    expect(
      read({ content: content("a", "b"), task_type: "retrieval_document", title: "T", output_dimensionality: "256" }),
    ).toEqual(request);
  });

  it("are asked for many texts", () => {
    const requests = ["a", "b"].map((text) => ({ model: "models/x", content: content(text), taskType: "CLUSTERING" }));
    expect(read({ requests, hedgerow: { metadata: true } }, "batch")).toEqual({
      model: "main",
      inputs: ["a", "b"],
      single: false,
      encoding: "float",
      purpose: "clustering",
      rest: {},
    });
    expect(read({ content: "a" })).toMatchObject({ inputs: ["a"], single: true });
    expect(read({ content: content("a"), embedContentConfig: { autoTruncate: true } }).rest).toEqual({
      "embedContentConfig.autoTruncate": true,
    });
  });

  it.each<[string, unknown, "batch" | undefined]>([
    ["must be a JSON object", [], undefined],
    ["requests must hold at least one", { requests: [] }, "batch"],
    ["requests[0].content must", { requests: [{ content: content() }] }, "batch"],
    ["content.parts[0].text must be a string", { content: { parts: [{ inlineData: {} }] } }, undefined],
    ["taskType must be one of", { content: "a", taskType: "SINGING" }, undefined],
    ["outputDimensionality must be a whole number", { content: "a", outputDimensionality: 0 }, undefined],
  ])("are refused by the name of what is wrong: %s", (words, body, variant) => {
    expect(decoded(body, variant)).toMatchObject({
      kind: "invalid_request",
      message: expect.stringContaining(words) as string,
    });
  });

  it("of different kinds in one batch are Google's alone", () => {
    const requests = [{ content: content("a") }, { content: content("b"), outputDimensionality: 2 }];
    expect(decoded({ requests }, "batch")).toMatchObject({ kind: "not_translatable", param: "requests[1]" });
  });

  it("are answered as they were asked for", () => {
    const usage = { ...emptyUsage, inputUncached: 3 };
    const vectors = [[0.5, 1], Float32Array.from([0.25, 2])];
    const answer = (single: boolean, counted: object): unknown => {
      const request = { ...read({ content: "a" }), single };
      return JSON.parse(Buffer.from(embedClient.encodeAnswer({ vectors, ...counted }, request, options)).toString());
    };
    expect(answer(false, { usage })).toEqual({
      embeddings: [{ values: [0.5, 1] }, { values: [0.25, 2] }],
      usageMetadata: { promptTokenCount: 3 },
    });
    expect(answer(true, {})).toEqual({ embedding: { values: [0.5, 1] } });
  });
});
