import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { failure, failureTraits, traitsOf, type FailureKind } from "#domain/failure";
import type { FailureFacts } from "#dialects/dialect";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";

const facts: FailureFacts = {
  requestId: "req_1",
  retryable: true,
  attempts: [{ target: "a/b", failure: "rate_limited", status: 429, ms: 12 }],
};
const kinds = Object.keys(failureTraits) as FailureKind[];

/** The SDK's class by status. */
const classes: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  402: "PaymentRequiredError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  405: "APIError",
  408: "RequestTimeoutError",
  413: "ContentTooLargeError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
  499: "ClientClosedRequestError",
  500: "InternalServerError",
  502: "InternalServerError",
  503: "ServiceUnavailableError",
  504: "GatewayTimeoutError",
  529: "OverloadedError",
};

function clientAnswering(response: () => Response): Anthropic {
  return new Anthropic({ apiKey: "k", maxRetries: 0, fetch: async () => response() });
}

const request = { model: "m", max_tokens: 1, messages: [{ role: "user" as const, content: "x" }] };

describe("encodeFailure of Messages", () => {
  it.each(kinds)("writes %s so that the official SDK raises its own class", async (kind) => {
    const { status, headers, body } = encodeFailure(failure(kind, "what to do", { param: "messages[0]" }), facts);
    const client = clientAnswering(() => new Response(Buffer.from(body), { status, headers }));
    const error: unknown = await client.messages.create(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    if (!(error instanceof Anthropic.APIError)) return;
    expect(error.name).toBe(classes[status]);
    expect(error.status).toBe(traitsOf(kind).code === "overloaded" ? 529 : traitsOf(kind).status);
    expect(error.requestID).toBe("req_1");
    expect(error.error).toEqual({
      type: "error",
      error: {
        type: error.type,
        message: "what to do",
        metadata: {
          code: traitsOf(kind).code,
          param: "messages[0]",
          request_id: "req_1",
          attempts: facts.attempts,
          retryable: true,
        },
      },
      request_id: "req_1",
    });
  });

  it("shows the provider's own status and code, where there are any", () => {
    const { body } = encodeFailure(failure("rate_limited", "m", { upstream: { status: 429, code: "c" } }), facts);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      error: { metadata: { upstream: { status: 429, code: "c" } } },
    });
  });

  it("breaks the official SDK's stream with the error's type", async () => {
    const frame = Buffer.from(encodeStreamFailure(failure("upstream_overloaded", "busy"), facts)).toString();
    const start =
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"usage":{}}}\n\n';
    const client = clientAnswering(
      () => new Response(start + frame, { headers: { "content-type": "text/event-stream" } }),
    );
    const error: unknown = await client.messages
      .stream(request)
      .finalMessage()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: "overloaded_error" });
    expect(frame).toMatch(/^event: error\ndata: \{.*\}\n\n$/u);
  });
});
