import { ApiError, GoogleGenAI } from "@google/genai";
import { describe, expect, it } from "vitest";
import { failure, failureTraits, traitsOf, type FailureKind } from "#domain/failure";
import type { FailureFacts } from "#dialects/dialect";
import { encodeFailure } from "./encode-failure.ts";
import { gemini } from "./index.ts";

const facts: FailureFacts = {
  requestId: "req_1",
  retryable: true,
  attempts: [{ target: "a/b", failure: "rate_limited", status: 429, ms: 12 }],
};
const kinds = Object.keys(failureTraits) as FailureKind[];

/** `google.rpc.Code` that Google's gateways give with a status, where ours has one of those. */
const usual: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** What the official SDK raises where Google answers so. */
async function raised(respond: () => Response, streamed: boolean): Promise<unknown> {
  const genai = new GoogleGenAI({ apiKey: "k", httpOptions: { fetch: () => Promise.resolve(respond()) } });
  const asked = { model: "m", contents: "x" };
  try {
    if (!streamed) return await genai.models.generateContent(asked);
    for await (const chunk of await genai.models.generateContentStream(asked)) void chunk;
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a failure in Gemini's language", () => {
  it.each(kinds)("is Google's status with our code beside it: %s", async (kind) => {
    const { status, headers, body } = encodeFailure(failure(kind, "what happened", { param: "contents" }), facts);
    const { error } = JSON.parse(Buffer.from(body).toString()) as { error: Record<string, unknown> };
    expect(status).toBe(traitsOf(kind).status);
    expect(error).toMatchObject({
      code: status,
      message: "what happened",
      metadata: { code: traitsOf(kind).code, param: "contents", request_id: "req_1", retryable: true },
    });
    expect(error["status"]).toMatch(/^[A-Z_]+$/);
    if (usual[status] !== undefined) expect(error["status"]).toBe(usual[status]);
    const caught = await raised(() => new Response(Buffer.from(body), { status, headers }), false);
    expect(caught).toBeInstanceOf(ApiError);
    expect(caught).toMatchObject({ status });
  });

  it("says how long to wait where somebody said so", () => {
    const { body } = encodeFailure(failure("rate_limited", "slowly", { retryAfterMs: 1500 }), facts);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      error: {
        details: [
          { reason: "RATE_LIMITED", domain: "hedgerow" },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" },
        ],
      },
    });
  });

  it("inside a stream is what the official SDK raises", async () => {
    const frame = gemini.encodeStreamFailure(failure("truncated_response", "cut"), facts);
    const chunk = JSON.stringify({ candidates: [{ content: { parts: [{ text: "a" }], role: "model" }, index: 0 }] });
    const body = `data: ${chunk}\r\n\r\n${Buffer.from(frame).toString()}`;
    const respond = (): Response => new Response(body, { headers: { "content-type": "text/event-stream" } });
    const caught = await raised(respond, true);
    expect(caught).toBeInstanceOf(ApiError);
    expect(caught).toMatchObject({ status: 502, message: expect.stringContaining("cut") as string });
  });
});
