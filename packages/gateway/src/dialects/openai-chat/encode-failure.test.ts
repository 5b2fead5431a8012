import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import { failure, failureTraits, type FailureKind } from "#domain/failure";

const facts = {
  requestId: "req_0123",
  retryable: false,
  attempts: [{ target: "xai/grok", failure: "upstream_failed", status: 500, ms: 12 }],
};

const kinds = Object.keys(failureTraits) as FailureKind[];

/** The SDK's class for a status, after its documentation. */
const classes: Readonly<Record<number, new (...args: never[]) => Error>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
};

describe("encodeFailure", () => {
  it.each(kinds)("raises the official SDK's own class for %s, with our facts in metadata", async (kind) => {
    const encoded = openaiChat.encodeFailure(failure(kind, "What to do.", { param: "messages[0]" }), facts);
    expect(encoded.status).toBe(failureTraits[kind].status);
    const respond = (): Promise<Response> =>
      Promise.resolve(new Response(Buffer.from(encoded.body), { status: encoded.status, headers: encoded.headers }));
    const client = new OpenAI({ apiKey: "k", maxRetries: 0, fetch: respond });
    const raised = await client.chat.completions.create({ model: "m", messages: [] }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const expected = encoded.status >= 500 ? OpenAI.InternalServerError : (classes[encoded.status] ?? OpenAI.APIError);
    expect(raised).toBeInstanceOf(expected);
    const { code } = failureTraits[kind];
    expect(raised).toMatchObject({ message: `${encoded.status} What to do.`, code, param: "messages[0]" });
    expect((raised as { error: unknown }).error).toMatchObject({
      type: expect.any(String) as string,
      metadata: { code, request_id: "req_0123", retryable: false, attempts: facts.attempts },
    });
  });

  it("shows the provider's own complaint and null where no field is at fault", () => {
    const upstream = { status: 429, type: "rate_limit", code: "slow_down" };
    const { body } = openaiChat.encodeFailure(failure("slow_down", "Wait.", { upstream }), facts);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ error: { param: null, metadata: { upstream } } });
  });

  it("writes every kind into a stream without a completion marker", () => {
    for (const kind of kinds) {
      const text = Buffer.from(openaiChat.encodeStreamFailure(failure(kind, "a\nb"), facts)).toString();
      expect(text).toMatch(/^data: \{"error":\{"message":"a\\nb".*\}\n\n$/u);
      expect(text).not.toContain("[DONE]");
    }
  });
});
