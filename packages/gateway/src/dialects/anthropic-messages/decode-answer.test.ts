import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import { streamDecoder } from "./decode-answer.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_overloaded", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 64 * 1024,
};

function sse(...messages: readonly { readonly type: string }[]): string {
  return messages.map((message) => `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`).join("");
}

function decode(bytes: Uint8Array, cuts: readonly number[] = [], ended = true): readonly AnswerFrame[] {
  const frames: AnswerFrame[] = [];
  const decoder = streamDecoder(options, (frame) => frames.push({ ...frame, raw: Uint8Array.from(frame.raw) }));
  let from = 0;
  for (const cut of cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  decoder.push(bytes.subarray(from));
  if (ended) decoder.end();
  return frames;
}

function eventsOf(frames: readonly AnswerFrame[]): readonly AnswerEvent[] {
  return frames.flatMap((frame) => frame.events);
}

function decodeText(text: string): readonly AnswerEvent[] {
  return eventsOf(decode(Buffer.from(text)));
}

const usage = {
  input_tokens: 10,
  cache_read_input_tokens: 5,
  cache_creation_input_tokens: 7,
  cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
  output_tokens: 1,
};
const start = { type: "message_start", message: { id: "msg_1", model: "claude-x", content: [], usage } };
const ping = { type: "ping" };
const stop = { type: "message_stop" };

function block(index: number, content: object, ...deltas: readonly object[]): { type: string }[] {
  return [
    { type: "content_block_start", index, content_block: content } as { type: string },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index } as { type: string },
  ];
}

function ending(reason: string, more: object = {}): { type: string } {
  return {
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: null, ...more },
    usage: { output_tokens: 42, output_tokens_details: { thinking_tokens: 12 } },
  } as { type: string };
}

const whole = [
  start,
  ...block(
    0,
    { type: "thinking", thinking: "", signature: "" },
    { type: "thinking_delta", thinking: "hm ☃" },
    { type: "signature_delta", signature: "c2ln" },
  ),
  ping,
  ...block(1, { type: "redacted_thinking", data: "ZGF0YQ" }),
  ...block(2, { type: "text", text: "" }, { type: "text_delta", text: "Grüße" }, { type: "text_delta", text: " 🌍" }),
  ...block(
    3,
    { type: "tool_use", id: "toolu_1", name: "f", input: {} },
    { type: "input_json_delta", partial_json: "" },
    { type: "input_json_delta", partial_json: '{"a":' },
    { type: "input_json_delta", partial_json: "1.0}" },
  ),
  ...block(
    4,
    { type: "tool_use", id: "toolu_2", name: "g", input: {} },
    { type: "input_json_delta", partial_json: "" },
  ),
  ending("tool_use"),
  stop,
];

const wholeEvents: readonly AnswerEvent[] = [
  { kind: "start", id: "msg_1", model: "claude-x" },
  {
    kind: "usage",
    usage: {
      inputUncached: 10,
      cacheRead: 5,
      cacheWrite: 3,
      cacheWriteLong: 4,
      output: 1,
      reasoning: 0,
      estimated: false,
    },
  },
  { kind: "reasoning-start", block: 0 },
  { kind: "reasoning-delta", block: 0, text: "hm ☃" },
  { kind: "reasoning-signature", block: 0, signature: "c2ln" },
  { kind: "reasoning-end", block: 0 },
  { kind: "ping" },
  { kind: "reasoning-start", block: 1, redacted: "ZGF0YQ" },
  { kind: "reasoning-end", block: 1 },
  { kind: "text-start", block: 2 },
  { kind: "text-delta", block: 2, text: "Grüße" },
  { kind: "text-delta", block: 2, text: " 🌍" },
  { kind: "text-end", block: 2 },
  { kind: "tool-start", block: 3, id: "toolu_1", name: "f" },
  { kind: "tool-delta", block: 3, json: '{"a":' },
  { kind: "tool-delta", block: 3, json: "1.0}" },
  { kind: "tool-end", block: 3 },
  { kind: "tool-start", block: 4, id: "toolu_2", name: "g" },
  { kind: "tool-delta", block: 4, json: "{}" },
  { kind: "tool-end", block: 4 },
  { kind: "finish", finish: { reason: "tools", raw: "tool_use" } },
  {
    kind: "usage",
    usage: {
      inputUncached: 10,
      cacheRead: 5,
      cacheWrite: 3,
      cacheWriteLong: 4,
      output: 30,
      reasoning: 12,
      estimated: false,
    },
  },
  { kind: "end" },
];

describe("the stream decoder of Messages", () => {
  it("reads every kind of block, overwrites usage, and ends at message_stop", () => {
    const frames = decode(Buffer.from(sse(...whole)));
    expect(eventsOf(frames)).toEqual(wholeEvents);
    expect(frames.map((frame) => frame.terminal)).toEqual(frames.map((_, index) => index === frames.length - 1));
    expect(Buffer.concat(frames.map((frame) => frame.raw)).toString()).toBe(sse(...whole));
  });

  it("gives the same events and bytes however the bytes are cut", () => {
    const bytes = Buffer.from(sse(...whole));
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const frames = decode(bytes, cuts);
        expect(eventsOf(frames)).toEqual(wholeEvents);
        expect(Buffer.concat(frames.map((frame) => frame.raw)).equals(bytes)).toBe(true);
      }),
    );
  });

  it("says truncated wherever the bytes end before a reason to stop, and never ends", () => {
    const bytes = Buffer.from(sse(...whole));
    const finishAt = bytes.indexOf("event: message_stop");
    fc.assert(
      fc.property(fc.nat(bytes.length), (length) => {
        const events = eventsOf(decode(bytes.subarray(0, length)));
        const last = events.at(-1);
        if (length >= finishAt) expect(last).toEqual({ kind: "end" });
        else if (last?.kind === "failed") expect(last.failure.kind).toBe("truncated_response");
        else expect(last).toEqual({ kind: "end" });
        expect(events.filter((event) => event.kind === "end" || event.kind === "failed")).toHaveLength(1);
        if (length < bytes.indexOf("event: message_delta")) expect(last?.kind).toBe("failed");
      }),
      { numRuns: 300 },
    );
  });

  it("writes the terminator itself where the stop reason came and the stream ended cleanly", () => {
    const frames = decode(Buffer.from(sse(start, ...block(0, { type: "text", text: "" }), ending("end_turn"))));
    const last = frames.at(-1);
    expect(last).toMatchObject({ terminal: true, events: [{ kind: "end" }] });
    expect(Buffer.from(last?.raw ?? []).toString()).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n');
  });

  it("completes a terminator whose blank line is missing", () => {
    const frames = decode(Buffer.from(sse(start, ending("end_turn"), stop).slice(0, -1)));
    expect(frames.at(-1)).toMatchObject({ terminal: true });
    expect(Buffer.from(frames.at(-1)?.raw ?? []).toString()).toBe(
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    );
  });

  it("turns an error event into the classified failure, before and after content, and hands on no bytes of it", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "x" } };
    for (const before of [
      [],
      [start],
      [start, ...block(0, { type: "text", text: "" }, { type: "text_delta", text: "a" })],
    ]) {
      const frames = decode(Buffer.from(sse(...before, error, stop)));
      expect(frames.at(-1)).toMatchObject({
        terminal: false,
        raw: new Uint8Array(0),
        events: [{ kind: "failed", failure: { kind: "upstream_overloaded" } }],
      });
    }
  });

  it("understands another language's complaint inside the stream", () => {
    expect(decodeText('data: {"error":{"message":"no","code":429}}\n\n')).toMatchObject([
      { kind: "failed", failure: { kind: "upstream_overloaded" } },
    ]);
  });

  it("understands frames without an event line and gives them one, because SDKs ignore them otherwise", () => {
    const bare = whole.map((message) => `data: ${JSON.stringify(message)}\r\n\r\n`).join("");
    const frames = decode(Buffer.from(`\u{FEFF}${bare}`));
    expect(eventsOf(frames)).toEqual(wholeEvents);
    const relayed = Buffer.concat(frames.map((frame) => frame.raw));
    expect(relayed.toString()).toMatch(/^event: message_start\ndata: /u);
    expect(eventsOf(decode(relayed))).toEqual(wholeEvents);
  });

  it("passes unknown events, blocks and deltas on as foreign and goes on", () => {
    const events = decodeText(
      sse(
        start,
        { type: "message_weather" },
        ...block(
          0,
          { type: "server_tool_use", id: "s", name: "web_search", input: {} },
          { type: "input_json_delta", partial_json: "{}" },
        ),
        ...block(1, { type: "text", text: "" }, { type: "citations_delta", citation: {} }, { type: "glitter_delta" }),
        ending("pause_turn"),
        stop,
      ),
    );
    expect(events.filter((event) => event.kind === "foreign").map((event) => event.what)).toEqual([
      "anthropic:message_weather",
      "anthropic:server_tool_use",
      "anthropic:citations_delta",
      "anthropic:glitter_delta",
    ]);
    expect(events.at(-1)).toEqual({ kind: "end" });
    expect(events).toContainEqual({ kind: "finish", finish: { reason: "paused", raw: "pause_turn" } });
  });

  it("drops a message_start or content_block_stop that says again what was said", () => {
    const text = block(0, { type: "text", text: "" }, { type: "text_delta", text: "a" });
    const frames = decode(
      Buffer.from(
        sse(
          start,
          start,
          ...text,
          { type: "content_block_stop", index: 0 } as { type: string },
          ending("end_turn"),
          stop,
        ),
      ),
    );
    expect(Buffer.concat(frames.map((frame) => frame.raw)).toString()).toBe(
      sse(start, ...text, ending("end_turn"), stop),
    );
    expect(eventsOf(frames).at(-1)).toEqual({ kind: "end" });
  });

  it.each([
    ["broken JSON", `${sse(start)}event: content_block_start\ndata: {"type":\n\n`],
    [
      "a second message in one stream",
      sse(start, ...block(0, { type: "text", text: "" }), { ...start, message: { ...start.message, id: "msg_2" } } as {
        type: string;
      }),
    ],
    [
      "a delta outside a block",
      sse(start, { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } } as {
        type: string;
      }),
    ],
    [
      "a thought inside text",
      sse(start, ...block(0, { type: "text", text: "" }, { type: "thinking_delta", thinking: "a" })),
    ],
    [
      "a block that begins twice",
      sse(start, block(0, { type: "text", text: "" })[0]!, block(0, { type: "text", text: "" })[0]!),
    ],
    ["content before the message", sse(...block(0, { type: "text", text: "" }))],
    ["an end before the message", sse(stop)],
    ["a tool without a name", sse(start, ...block(0, { type: "tool_use", id: "x" }))],
  ])("fails on %s and says nothing after it", (_name, text) => {
    const events = decodeText(`${text}${sse(ending("end_turn"), stop)}`);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind: "bad_upstream_response" } });
    expect(events.filter((event) => event.kind === "failed" || event.kind === "end")).toHaveLength(1);
  });

  it("fails on an event larger than allowed", () => {
    const events = decodeText(`${sse(start)}data: ${"x".repeat(70_000)}`);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind: "event_too_large" } });
  });

  it("reads a message that comes whole in its start, content and reason to stop", () => {
    const content = [
      { type: "text", text: "Rolling." },
      { type: "tool_use", id: "toolu_1", name: "roll", input: { player: 1 }, caller: { type: "direct" } },
    ];
    const message = { ...start.message, content, stop_reason: "tool_use", stop_sequence: null };
    expect(decodeText(sse({ type: "message_start", message } as { type: string }, stop))).toMatchObject([
      { kind: "start" },
      { kind: "usage" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", text: "Rolling." },
      { kind: "text-end" },
      { kind: "tool-start", block: 1, id: "toolu_1", name: "roll" },
      { kind: "tool-delta", json: '{"player":1}' },
      { kind: "tool-end" },
      { kind: "finish", finish: { reason: "tools", raw: "tool_use" } },
      { kind: "end" },
    ]);
  });

  it("ignores what follows the terminator", () => {
    const frames = decode(Buffer.from(sse(...whole, ping, start)));
    expect(eventsOf(frames)).toEqual(wholeEvents);
  });

  it("counts compaction, which the totals leave out, and not an advisor's tokens", () => {
    const iterations = [
      { type: "compaction", input_tokens: 60_385, output_tokens: 592 },
      { type: "advisor_message", model: "claude-x", input_tokens: 9, output_tokens: 9 },
      { type: "message", input_tokens: 682, output_tokens: 1320 },
    ];
    const report = { ...ending("end_turn"), usage: { input_tokens: 682, output_tokens: 1320, iterations } } as {
      type: string;
    };
    const usages = decodeText(sse(start, report, report, stop)).flatMap((event) =>
      event.kind === "usage" ? [event.usage] : [],
    );
    expect(usages.at(-1)).toMatchObject({ inputUncached: 61_067, output: 1912 });
  });

  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop-sequence"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "context"],
    ["refusal", "policy"],
    ["novelty", "stop"],
  ])("reads the stop reason %s as %s", (raw, reason) => {
    expect(decodeText(sse(start, ending(raw), stop))).toContainEqual({ kind: "finish", finish: { reason, raw } });
  });

  it("gives a refusal's explanation as refusal text and a stop sequence with the finish", () => {
    const refused = decodeText(
      sse(start, ending("refusal", { stop_details: { type: "refusal", category: "bio", explanation: "no" } }), stop),
    );
    expect(refused).toContainEqual({ kind: "refusal-delta", text: "no" });
    const stopped = decodeText(sse(start, ending("stop_sequence", { stop_sequence: "END" }), stop));
    expect(stopped).toContainEqual({
      kind: "finish",
      finish: { reason: "stop-sequence", raw: "stop_sequence", stopSequence: "END" },
    });
  });

  it("costs at most a few microseconds per delta beside a relay", () => {
    const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "some words " } };
    const body = Buffer.from(
      sse(start, block(0, { type: "text", text: "" })[0]!, ...Array.from({ length: 20_000 }, () => delta)),
    );
    let events = 0;
    const run = (): number => {
      const before = performance.now();
      const decoder = streamDecoder(options, (frame) => {
        events += frame.events.length;
      });
      for (let at = 0; at < body.length; at += 1400) decoder.push(body.subarray(at, at + 1400));
      return ((performance.now() - before) * 1000) / 20_000;
    };
    const best = Math.min(...Array.from({ length: 5 }, run));
    expect(events).toBeGreaterThan(100_000);
    expect(best).toBeLessThan(20);
  });
});
