import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  ConverseCommand,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { FailureFacts } from "#dialects/dialect";
import { failure, failureTraits, traitsOf, type FailureCode, type FailureKind } from "#domain/failure";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";

const facts: FailureFacts = {
  requestId: "req_1",
  retryable: true,
  attempts: [{ target: "a/b", failure: "rate_limited", status: 429, ms: 12 }],
};
const kinds = Object.keys(failureTraits) as FailureKind[];

/** The SDK's class by our code, where it has one. */
const classes: Readonly<Partial<Record<FailureCode, string>>> = {
  invalid_request: "ValidationException",
  forbidden: "AccessDeniedException",
  model_not_found: "ResourceNotFoundException",
  context_length_exceeded: "ValidationException",
  rate_limited: "ThrottlingException",
  upstream_error: "ModelErrorException",
  no_capacity: "ServiceUnavailableException",
  overloaded: "ServiceUnavailableException",
  upstream_timeout: "ModelTimeoutException",
  internal_error: "InternalServerException",
};
const streamClasses = new Set([
  "InternalServerException",
  "ModelStreamErrorException",
  "ServiceUnavailableException",
  "ThrottlingException",
  "ValidationException",
]);

function client(statusCode: number, headers: Readonly<Record<string, string>>, body: Uint8Array): BedrockRuntimeClient {
  const response = { statusCode, reason: "", headers, body: Readable.from([body]) };
  return new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: { handle: () => Promise.resolve({ response }) } as never,
  });
}

const question = { modelId: "m", messages: [{ role: "user" as const, content: [{ text: "x" }] }] };

describe("encodeFailure of Converse", () => {
  it.each(kinds)("writes %s so that the official SDK raises its own class", async (kind) => {
    const { status, headers, body } = encodeFailure(failure(kind, "what to do", { param: "messages[0]" }), facts);
    const answering = client(status, headers, body).send(new ConverseCommand(question));
    const error: unknown = await answering.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BedrockRuntimeServiceException);
    const { code } = traitsOf(kind);
    expect(error).toMatchObject({
      name: classes[code] ?? (expect.stringMatching(/Exception$/) as string),
      message: "what to do",
      $metadata: { httpStatusCode: traitsOf(kind).status, requestId: "req_1" },
    });
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({
      message: "what to do",
      error: {
        metadata: { code, param: "messages[0]", request_id: "req_1", attempts: facts.attempts, retryable: true },
      },
    });
  });

  it("shows the provider's own status and code, where there are any", () => {
    const { body } = encodeFailure(failure("rate_limited", "m", { upstream: { status: 429, code: "c" } }), facts);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      error: { metadata: { upstream: { status: 429, code: "c" } } },
    });
  });

  it.each(kinds)("breaks the official SDK's stream with one of its own classes: %s", async (kind) => {
    const frame = encodeStreamFailure(failure(kind, "what to do"), facts);
    const headers = { "content-type": "application/vnd.amazon.eventstream" };
    const reading = async (): Promise<void> => {
      // The client reads the first frame before it hands the stream over.
      const answer = await client(200, headers, frame).send(new ConverseStreamCommand(question));
      for await (const event of answer.stream ?? []) void event;
    };
    const error: unknown = await reading().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BedrockRuntimeServiceException);
    expect(streamClasses.has((error as Error).name)).toBe(true);
    expect(error).toMatchObject({ message: "what to do" });
  });
});
