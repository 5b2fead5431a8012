import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { DecodeOptions } from "#dialects/dialect";
import { decodeAnswer } from "./decode-answer.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_overloaded", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 64 * 1024,
};

const usage = {
  input_tokens: 10,
  cache_read_input_tokens: 5,
  cache_creation_input_tokens: 7,
  cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
  output_tokens: 1,
};

describe("decodeAnswer of Messages", () => {
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-x",
    content: [
      { type: "thinking", thinking: "hm", signature: "c2ln" },
      { type: "text", text: "a", citations: [{}] },
      { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } },
      { type: "tool_use", id: "toolu_2", name: "f", input: {} },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage,
  };

  function whole(text: string): readonly AnswerEvent[] {
    return decodeAnswer(Buffer.from(text), options);
  }

  it("reads a whole message as the stream it could have been", () => {
    const events = whole(JSON.stringify(message));
    expect(events.map((event) => event.kind)).toEqual([
      "start",
      "usage",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-signature",
      "reasoning-end",
      "text-start",
      "text-delta",
      "foreign",
      "text-end",
      "tool-start",
      "tool-delta",
      "tool-end",
      "tool-start",
      "tool-delta",
      "tool-end",
      "finish",
      "end",
    ]);
    expect(events).toContainEqual({ kind: "tool-delta", block: 3, json: "{}" });
  });

  it("keeps the digits of numbers in tool input", () => {
    const text = JSON.stringify(message).replace('{"a":1}', '{"a":12345678901234567890,"b":[1.0,1e5,2],"c":"12"}');
    expect(whole(text)).toContainEqual({
      kind: "tool-delta",
      block: 2,
      json: '{"a":12345678901234567890,"b":[1.0,1e5,2],"c":"12"}',
    });
  });

  it.each([
    ["<html>", "bad_upstream_response"],
    ["[]", "bad_upstream_response"],
    ['{"id":"msg_1"}', "bad_upstream_response"],
    ['{"id":"msg_1","content":[5]}', "bad_upstream_response"],
    ['{"type":"error","error":{"type":"overloaded_error"}}', "upstream_overloaded"],
    ['{"error":{"message":"no"}}', "upstream_overloaded"],
  ])("fails on %s", (text, kind) => {
    expect(whole(text).at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
  });
});
