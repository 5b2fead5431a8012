import { describe, expect, it } from "vitest";
import { anthropicMessages } from "./index.ts";

describe("the dialect anthropic-messages", () => {
  it("keeps a silent stream alive with the ping of its own stream", () => {
    expect(Buffer.from(anthropicMessages.heartbeat).toString()).toBe('event: ping\ndata: {"type": "ping"}\n\n');
  });

  it("answers a token count in its own words", () => {
    expect(Buffer.from(anthropicMessages.encodeTokenCount?.(12) ?? []).toString()).toBe('{"input_tokens":12}');
  });

  it("lets an upstream see the caller's version and betas, and no credential", () => {
    expect(anthropicMessages.passHeaders).toEqual(["anthropic-version", "anthropic-beta"]);
    expect(anthropicMessages.defaultHeaders).toEqual({ "anthropic-version": "2023-06-01" });
  });
});
