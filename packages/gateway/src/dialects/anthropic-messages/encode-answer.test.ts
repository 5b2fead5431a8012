import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import type { GenerateRequest } from "#domain/request";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { attachFacts } from "#dialects/attach-facts";
import { streamEncoder } from "./encode-answer.ts";
import { encodeAnswer } from "./encode-whole-answer.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "vendor/model",
  createdAtS: 0,
  includeUsage: true,
  issuer: "anthropic",
};

function encode(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): string {
  const encoder = streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event)).join("");
}

function messages(text: string): Record<string, unknown>[] {
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const [event, data] = frame.split("\n");
      const message = JSON.parse((data ?? "").replace(/^data: /u, "")) as Record<string, unknown>;
      expect(event).toBe(`event: ${String(message["type"])}`);
      return message;
    });
}

describe("the stream encoder of Messages", () => {
  it("holds a second tool's pieces back until the first is closed, and lets text through at once", () => {
    const encoder = streamEncoder(options);
    encoder.encode({ kind: "start", id: "m", model: "m" });
    expect(encoder.encode({ kind: "tool-start", block: 0, id: "a", name: "f" })).toContain('"name":"f"');
    expect(encoder.encode({ kind: "tool-start", block: 1, id: "b", name: "g" })).toBe("");
    expect(encoder.encode({ kind: "tool-delta", block: 1, json: "{}" })).toBe("");
    expect(encoder.encode({ kind: "tool-delta", block: 0, json: "{}" })).toContain('"partial_json":"{}"');
    const released = encoder.encode({ kind: "tool-end", block: 0 });
    expect(messages(released).map((message) => message["type"])).toEqual([
      "content_block_stop",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
    ]);
  });

  it("breaks the stream off with an error where too much would be held back", () => {
    const encoder = streamEncoder(options);
    encoder.encode({ kind: "tool-start", block: 0, id: "a", name: "f" });
    encoder.encode({ kind: "tool-start", block: 1, id: "b", name: "g" });
    const json = "x".repeat(1024 * 1024);
    const said = Array.from({ length: 10 }, () => encoder.encode({ kind: "tool-delta", block: 1, json })).filter(
      (text) => text !== "",
    );
    expect(said).toHaveLength(1);
    expect(messages(said[0] ?? "")).toMatchObject([{ type: "error", error: { type: "api_error" } }]);
    expect(encoder.encode({ kind: "end" })).toBe("");
  });

  it("begins the message after usage that came first, and gives a ping as a ping", () => {
    const stream = messages(
      encode([
        { kind: "ping" },
        { kind: "start", id: "", model: "" },
        { kind: "usage", usage: { ...emptyUsage, inputUncached: 7, cacheWrite: 2, cacheWriteLong: 1 } },
        { kind: "text-delta", block: 0, text: "a" },
        { kind: "end" },
      ]),
    );
    expect(stream[0]).toEqual({ type: "ping" });
    expect(stream[1]).toMatchObject({
      type: "message_start",
      message: {
        id: "req_1",
        model: "vendor/model",
        usage: {
          input_tokens: 7,
          cache_creation_input_tokens: 3,
          cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 },
        },
      },
    });
    expect(stream.at(-2)).toMatchObject({ delta: { stop_reason: "end_turn", stop_sequence: null } });
  });

  it("tags a foreign vendor's thoughts so that they come back as that vendor's", () => {
    const events: readonly AnswerEvent[] = [
      { kind: "reasoning-delta", block: 0, text: "t" },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-delta", block: 1, text: "u" },
      { kind: "reasoning-end", block: 1 },
      { kind: "finish", finish: { reason: "stop" } },
      { kind: "end" },
    ];
    const signatures = (text: string): unknown[] =>
      messages(text).flatMap((message) => {
        const delta = message["delta"] as { signature?: unknown } | undefined;
        return delta?.signature === undefined ? [] : [delta.signature];
      });
    expect(signatures(encode(events, { issuer: "google" }))).toEqual(["hedgerow:google:c2ln", "hedgerow:google:"]);
    expect(signatures(encode(events))).toEqual(["c2ln"]);
  });

  it.each([
    ["stop", "end_turn"],
    ["stop-sequence", "stop_sequence"],
    ["length", "max_tokens"],
    ["context", "model_context_window_exceeded"],
    ["tools", "tool_use"],
    ["policy", "refusal"],
    ["paused", "pause_turn"],
    ["malformed", "end_turn"],
  ] as const)("writes the finish %s as %s", (reason, word) => {
    const finish: AnswerEvent = { kind: "finish", finish: { reason, stopSequence: "S" } };
    const delta = messages(encode([finish, { kind: "end" }])).find((message) => message["type"] === "message_delta");
    expect(delta).toMatchObject({ delta: { stop_reason: word, stop_sequence: "S" } });
  });

  it.each([
    [["four"], "four"],
    [["four", "five"], null],
  ])("names a stop sequence the provider left unnamed only where it can be no other: %j", (stop, named) => {
    const request: GenerateRequest = {
      model: "main",
      streamed: true,
      usageInStream: true,
      turns: [],
      tools: [],
      sampling: {},
      stop,
      choices: 1,
      rest: {},
    };
    const finish: AnswerEvent = { kind: "finish", finish: { reason: "stop-sequence" } };
    const delta = messages(encode([finish, { kind: "end" }], { request })).find(({ type }) => type === "message_delta");
    expect(delta).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: named } });
    const start: AnswerEvent = { kind: "start", id: "m", model: "m" };
    const whole = encodeAnswer([start, finish, { kind: "end" }], { ...options, request });
    expect(JSON.parse(Buffer.from(whole ?? []).toString())).toMatchObject({ stop_sequence: named });
  });

  it("gives refusal text as text and the stop reason refusal", () => {
    const events: readonly AnswerEvent[] = [
      { kind: "refusal-delta", text: "I " },
      { kind: "refusal-delta", text: "won't." },
      { kind: "finish", finish: { reason: "stop" } },
      { kind: "end" },
    ];
    const stream = messages(encode(events));
    expect(stream.at(-2)).toMatchObject({ delta: { stop_reason: "refusal", stop_details: { type: "refusal" } } });
    expect(JSON.parse(Buffer.from(encodeAnswer(events, options) ?? []).toString())).toMatchObject({
      content: [{ type: "text", text: "I won't." }],
      stop_reason: "refusal",
    });
  });

  it("ends a failed answer with the error event and nothing after", () => {
    const encoder = streamEncoder(options);
    const text = encoder.encode({ kind: "failed", failure: failure("upstream_overloaded", "busy") });
    expect(text).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy","metadata":{"code":"overloaded","retryable":true}}}\n\n',
    );
    expect(encoder.encode({ kind: "finish", finish: { reason: "stop" } }) + encoder.encode({ kind: "end" })).toBe("");
  });

  it("names what it leaves out", () => {
    const encoder = streamEncoder(options);
    encoder.encode({ kind: "foreign", what: "openai:annotations", payload: {} });
    encoder.encode({ kind: "finish", finish: { reason: "malformed" } });
    expect(encoder.warnings).toHaveLength(2);
    expect(encoder.warnings[0]).toContain("openai:annotations");
  });

  it("says of a whole answer too what it loses", () => {
    const told: string[] = [];
    encodeAnswer(
      [
        { kind: "foreign", what: "openai:annotations", payload: {} },
        { kind: "tool-start", block: 0, id: "a", name: "f" },
        { kind: "tool-delta", block: 0, json: '{"cut' },
        { kind: "finish", finish: { reason: "malformed" } },
        { kind: "end" },
      ],
      { ...options, onLoss: (warning) => told.push(warning.split(":")[0] ?? "") },
    );
    expect(told.toSorted()).toEqual(["answer-arguments", "answer-malformed", "foreign-event"]);
  });

  it("puts late facts into message_stop and into a whole answer", () => {
    const facts = (): object => ({ attempts: 2 });
    const events: readonly AnswerEvent[] = [{ kind: "text-delta", block: 0, text: "a" }, { kind: "end" }];
    expect(messages(encode(events, { facts })).at(-1)).toEqual({ type: "message_stop", hedgerow: { attempts: 2 } });
    expect(JSON.parse(Buffer.from(encodeAnswer(events, { ...options, facts }) ?? []).toString())).toMatchObject({
      hedgerow: { attempts: 2 },
    });
  });
});

describe("encodeAnswer of Messages", () => {
  it("gives nothing for an answer that did not end", () => {
    expect(
      encodeAnswer(
        [
          { kind: "text-delta", block: 0, text: "a" },
          { kind: "finish", finish: { reason: "stop" } },
        ],
        options,
      ),
    ).toBeUndefined();
    expect(encodeAnswer([{ kind: "failed", failure: failure("upstream_failed", "x") }], options)).toBeUndefined();
  });

  it("keeps the digits of tool arguments and wraps those that are no object", () => {
    const tool = (block: number, json: string): readonly AnswerEvent[] => [
      { kind: "tool-start", block, id: block === 1 ? "" : `t${block}`, name: "f" },
      { kind: "tool-delta", block, json },
    ];
    const body = encodeAnswer(
      [...tool(0, '{"n":1.0,"m":12345678901234567890}'), ...tool(1, '{"cut":'), ...tool(2, ""), { kind: "end" }],
      options,
    );
    const text = Buffer.from(body ?? []).toString();
    expect(text).toContain('"input":{"n":1.0,"m":12345678901234567890}');
    expect(JSON.parse(text)).toMatchObject({
      content: [{}, { id: "toolu_req_1_1", input: { INVALID_JSON: '{"cut":' } }, { input: {} }],
      stop_reason: "tool_use",
    });
  });
});

describe("attachFacts", () => {
  it.each([
    ['event: message_stop\ndata: {"type":"message_stop"     }\n\n', { type: "message_stop", hedgerow: { a: "}" } }],
    ["event: message_stop\r\ndata: { }\r\n\r\n", { hedgerow: { a: "}" } }],
  ])("adds to the object of %j and changes no other byte", (frame, expected) => {
    const text = Buffer.from(attachFacts(Buffer.from(frame), { hedgerow: { a: "}" } })).toString();
    expect(JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1))).toEqual(expected);
    expect(text.replace(/,?"hedgerow":\{"a":"\}"\}/u, "")).toBe(frame);
  });

  it("adds to the last of several frames", () => {
    const text = encode([{ kind: "text-delta", block: 0, text: "a" }, { kind: "end" }]);
    const stream = messages(Buffer.from(attachFacts(Buffer.from(text), { hedgerow: { a: 1 } })).toString());
    expect(stream.at(-1)).toEqual({ type: "message_stop", hedgerow: { a: 1 } });
    expect(stream.filter((message) => "hedgerow" in message)).toHaveLength(1);
  });
});
