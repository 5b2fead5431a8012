import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";

function options(quirks: Partial<ChatQuirks> = {}, maxEventBytes = 1 << 20): DecodeOptions {
  return {
    classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
    quirks: { ...plainChatQuirks, ...quirks },
    maxEventBytes,
  };
}

interface Decoded {
  readonly frames: AnswerFrame[];
  readonly events: AnswerEvent[];
  readonly raw: string;
}

function decode(pieces: readonly (string | Uint8Array)[], given = options()): Decoded {
  const frames: AnswerFrame[] = [];
  let raw = "";
  const decoder = openaiChat.streamDecoder(given, (frame) => {
    raw += Buffer.from(frame.raw).toString("latin1");
    frames.push(frame);
  });
  for (const piece of pieces) decoder.push(Buffer.from(piece));
  decoder.end();
  return { frames, events: frames.flatMap((frame) => frame.events), raw };
}

const data = (json: unknown): string => `data: ${JSON.stringify(json)}\n\n`;
const done = "data: [DONE]\n\n";
const head = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
const chunk = (delta: object, finish: string | null = null, more: object = {}): string =>
  data({ ...head, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const calls = (...entries: object[]): string => chunk({ tool_calls: entries });
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

/** The calls of a stream: id, name and joined arguments by block. */
function callsOf(events: readonly AnswerEvent[]): string[] {
  const found = new Map<number, string>();
  for (const event of events) {
    if (event.kind === "tool-start") found.set(event.block, `${event.id} ${event.name} `);
    if (event.kind === "tool-delta") found.set(event.block, (found.get(event.block) ?? "") + event.json);
  }
  return [...found.values()];
}

function lastOf(events: readonly AnswerEvent[]): AnswerEvent {
  return events.at(-1)!;
}

describe("streamDecoder", () => {
  it("turns a plain stream into the answer's grammar and marks usage-only and terminal frames", () => {
    const stream = [
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      chunk({}, "stop"),
      data({ ...head, choices: [], usage }),
      done,
    ];
    const { events, frames, raw } = decode([stream.join("")]);
    expect(events).toEqual([
      { kind: "start", id: "c1", model: "m", createdAtS: 1 },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "Hel" },
      { kind: "text-delta", block: 0, text: "lo" },
      { kind: "text-end", block: 0 },
      { kind: "finish", finish: { reason: "stop", raw: "stop" } },
      {
        kind: "usage",
        usage: {
          inputUncached: 10,
          cacheRead: 0,
          cacheWrite: 0,
          cacheWriteLong: 0,
          output: 5,
          reasoning: 0,
          estimated: false,
        },
      },
      { kind: "end" },
    ]);
    expect(frames.map((frame) => frame.usageOnly)).toEqual([false, false, false, false, true, false]);
    expect(frames.map((frame) => frame.terminal)).toEqual([false, false, false, false, false, true]);
    expect(raw).toBe(stream.join(""));
  });

  it("gives the same events for any split of the bytes", () => {
    const stream = Buffer.from(
      `: hi\r\n\r\n${chunk({ content: "é😀" })}${calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } })}${chunk({}, "stop")}${done}`,
    );
    const whole = decode([stream]).events;
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((place, index) => stream.subarray(places[index], place));
        expect(decode(pieces).events).toEqual(whole);
      }),
    );
  });

  it("ends an answer whose finish was seen but not its terminator, with a terminator of its own", () => {
    const { frames, events } = decode([chunk({ content: "a" }), chunk({}, "stop")]);
    expect(lastOf(events)).toEqual({ kind: "end" });
    expect(Buffer.from(frames.at(-1)!.raw).toString()).toBe(done);
    expect(frames.at(-1)!.terminal).toBe(true);
  });

  it("completes a last event that lacks only its blank line, and drops a torn one", () => {
    const stream = chunk({ content: "a" }) + chunk({}, "stop");
    expect(decode([`${stream}data: [DONE]`]).raw).toBe(stream + done);
    expect(decode([`${stream}data: [DONE]\n`]).raw).toBe(stream + done);
    expect(decode([`${stream}data: [DONE]\r`]).raw).toBe(`${stream}data: [DONE]\r\n\n`);
    const torn = decode([`${stream}data: {"usage":{"pro`]);
    expect(torn.raw).toBe(stream + done);
    expect(lastOf(torn.events)).toEqual({ kind: "end" });
  });

  it.each(["d", "data", "data:", "data: ", "data: \n", "event: x\ndata:", ": co"])(
    "lets no torn %j through, which would swallow what is written next",
    (torn) => {
      const stream = chunk({ content: "a" }) + chunk({}, "stop");
      expect(decode([stream + torn]).raw).toBe(stream + done);
    },
  );

  it.each([
    ["a stream cut after content", [chunk({ content: "a" })], "truncated_response"],
    ["a [DONE] without a finish", [chunk({ content: "a" }), done], "truncated_response"],
    ["no bytes at all", [], "truncated_response"],
    ["nothing but [DONE]", [done], "empty_completion"],
    ["broken JSON", [chunk({ content: "a" }), "data: {broken}\n\n", chunk({}, "stop"), done], "bad_upstream_response"],
    ["JSON that is no object", ["data: 3\n\n"], "bad_upstream_response"],
    ["JSON without choices", [data({ hello: 1 })], "bad_upstream_response"],
    ["an HTML page", ["<html>\n<body>Bad gateway</body></html>"], "bad_upstream_response"],
    ["a whole completion in place of a stream", [JSON.stringify({ choices: [] })], "bad_upstream_response"],
    ["a plain JSON error in place of a stream", ['{"error":{"message":"no"}}'], "upstream_failed"],
    ["an in-band error", [chunk({ content: "a" }), data({ error: { message: "no" } }), done], "upstream_failed"],
    ["an error beside choices", [chunk({}, "error", { error: { code: 502 } }), done], "upstream_failed"],
    ["finish_reason error", [chunk({ content: "a" }, "error"), done], "upstream_failed"],
    ["a top-level error object", [data({ object: "error", message: "no" })], "upstream_failed"],
    ["Groq's error event", [`event: error\n${data({ message: "no" })}`], "upstream_failed"],
    ["an error event that is no JSON", ["event: error\ndata: no\n\n"], "upstream_failed"],
    [
      "a second choice that never finishes",
      [data({ ...head, choices: [{ index: 1, delta: { content: "b" } }] }), chunk({}, "stop"), done],
      "truncated_response",
    ],
    [
      "a tool call that never gets a name",
      [calls({ index: 0, id: "a", function: { arguments: "{}" } }), chunk({}, "stop"), done],
      "bad_upstream_response",
    ],
  ] as const)("fails on %s", (_, stream, kind) => {
    const { events, frames } = decode(stream);
    expect(lastOf(events)).toMatchObject({ kind: "failed", failure: { kind } });
    expect(events.filter((event) => event.kind === "failed" || event.kind === "end")).toHaveLength(1);
    expect(frames.some((frame) => frame.terminal)).toBe(false);
  });

  it("takes usage and [DONE] together for an end that no finish_reason announced", () => {
    const { events } = decode([chunk({ content: "a" }), data({ ...head, choices: [], usage }), done]);
    expect(breachOf(events)).toBeUndefined();
    expect(events).toContainEqual({ kind: "finish", finish: { reason: "stop" } });
    expect(lastOf(decode([chunk({ content: "a" }), data({ ...head, choices: [], usage })]).events).kind).toBe("failed");
  });

  it("fails on an event over the limit", () => {
    const { events } = decode([chunk({ content: "x".repeat(500) })], options({}, 200));
    expect(lastOf(events)).toMatchObject({ kind: "failed", failure: { kind: "event_too_large" } });
  });

  it("says nothing after [DONE]", () => {
    const { raw, frames } = decode([chunk({ content: "a" }, "stop"), done, chunk({ content: "late" }), "junk"]);
    expect(frames).toHaveLength(2);
    expect(raw.endsWith(done)).toBe(true);
  });

  it("watches further choices for their finish only", () => {
    const second = (delta: object, finish: string | null): string =>
      data({ ...head, choices: [{ index: 1, delta, finish_reason: finish }] });
    const { events } = decode([
      chunk({ content: "a" }),
      second({ content: "b" }, null),
      chunk({}, "stop"),
      second({}, "stop"),
      done,
    ]);
    expect(events.flatMap((event) => (event.kind === "text-delta" ? [event.text] : []))).toEqual(["a"]);
    expect(lastOf(events)).toEqual({ kind: "end" });
  });

  it("reports content behind the finish as foreign", () => {
    const { events } = decode([
      chunk({ content: "a" }, "stop"),
      chunk({ content: "" }, "stop"),
      chunk({ content: "b" }),
      done,
    ]);
    expect(events.filter((event) => event.kind === "foreign")).toHaveLength(1);
    expect(lastOf(events)).toEqual({ kind: "end" });
  });

  it("skips Azure's first chunk without choices, and sees comments as signs of life", () => {
    const { events } = decode([
      ": PROCESSING\n\n",
      data({ choices: [], id: "", model: "" }),
      chunk({ content: "a" }, "stop"),
      done,
    ]);
    expect(events.map((event) => event.kind).slice(0, 2)).toEqual(["ping", "start"]);
  });

  it.each([
    [
      "index and arguments only after the first chunk",
      [
        calls({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }),
        calls({ index: 0, function: { arguments: '{"x"' } }),
        calls({ index: 0, function: { arguments: ":1}" } }),
      ],
      ['a f {"x":1}'],
    ],
    [
      "no index, the whole call in one chunk",
      [
        calls(
          { id: "a", function: { name: "f", arguments: "{}" } },
          { id: "b", function: { name: "g", arguments: "[]" } },
        ),
      ],
      ["a f {}", "b g []"],
    ],
    ["indexes from 1", [calls({ index: 1, id: "a", function: { name: "f", arguments: "{}" } })], ["a f {}"]],
    [
      "id and name repeated in every chunk",
      [
        calls({ index: 0, id: "a", function: { name: "f", arguments: "{" } }),
        calls({ index: 0, id: "a", function: { name: "f", arguments: "}" } }),
      ],
      ["a f {}"],
    ],
    [
      "the name later than the id, arguments in between",
      [
        calls({ index: 0, id: "a" }),
        calls({ index: 0, function: { arguments: "{" } }),
        calls({ index: 0, function: { name: "f", arguments: "}" } }),
      ],
      ["a f {}"],
    ],
    [
      "an empty trailing chunk",
      [
        calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        calls({ index: 1, function: { name: "", arguments: "" } }),
      ],
      ["a f {}"],
    ],
    [
      "index 0 for every parallel call",
      [
        calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        calls({ index: 0, id: "b", function: { name: "f", arguments: "[]" } }),
      ],
      ["a f {}", "b f []"],
    ],
    [
      "interleaved calls",
      [
        calls({ index: 0, id: "a", function: { name: "f", arguments: "1" } }),
        calls({ index: 1, id: "b", function: { name: "g", arguments: "2" } }),
        calls({ index: 0, function: { arguments: "3" } }),
      ],
      ["a f 13", "b g 2"],
    ],
    [
      "one id for every parallel call",
      [
        calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        calls({ index: 1, id: "a", function: { name: "f", arguments: "[]" } }),
      ],
      ["a f {}", "a_1 f []"],
    ],
    [
      "one id for every call of one list without indexes",
      [
        calls(
          { id: "a", function: { name: "f", arguments: "{}" } },
          { id: "a", function: { name: "g", arguments: "[]" } },
        ),
      ],
      ["a f {}", "a_1 g []"],
    ],
    ["no id at all", [calls({ index: 0, function: { name: "f", arguments: "{}" } })], ["call_c1_0 f {}"]],
    [
      "arguments as an object",
      [calls({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } })],
      ['a f {"x":1}'],
    ],
    ["a legacy function_call", [chunk({ function_call: { name: "f", arguments: "{}" } })], ["call_c1_0 f {}"]],
  ] as const)("puts tool calls together from %s", (_, stream, expected) => {
    const { events } = decode([...stream, chunk({}, "stop"), done]);
    expect(callsOf(events)).toEqual(expected);
    expect(events).toContainEqual({ kind: "finish", finish: { reason: "tools", raw: "stop" } });
    expect(breachOf(events)).toBeUndefined();
  });

  it("fails on more tool calls than any answer can hold", () => {
    const many = Array.from({ length: 600 }, (_, index) => ({ index, id: `i${index}`, function: { name: "f" } }));
    expect(lastOf(decode([calls(...many), chunk({}, "stop"), done]).events)).toMatchObject({ kind: "failed" });
  });

  it.each([
    ["reasoning_content", { reasoning_content: "hm" }],
    ["reasoning", { reasoning: "hm" }],
    [
      "reasoning and the same in details",
      { reasoning: "hm", reasoning_details: [{ type: "reasoning.text", text: "hm", index: 0 }] },
    ],
    ["a summary", { reasoning_details: [{ type: "reasoning.summary", summary: "hm", index: 0 }] }],
    ["Mistral's content parts", { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }],
  ])("reads thoughts from %s", (_, delta) => {
    const { events } = decode([chunk(delta), chunk({ content: "a" }), chunk({}, "stop"), done]);
    expect(events.slice(1, 7)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-end", block: 0 },
      { kind: "text-start", block: 1 },
      { kind: "text-delta", block: 1, text: "a" },
      { kind: "text-end", block: 1 },
    ]);
  });

  it("keeps seals: signatures and encrypted thoughts", () => {
    const detail = (of: object): string => chunk({ reasoning_details: [{ format: "anthropic-claude-v1", ...of }] });
    const { events } = decode([
      detail({ type: "reasoning.text", text: "hm", index: 0 }),
      detail({ type: "reasoning.text", signature: "sig", index: 0 }),
      detail({ type: "reasoning.encrypted", data: "blob", index: 1 }),
      chunk({}, "stop"),
      done,
    ]);
    expect(events.slice(1, 7)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-signature", block: 0, signature: "sig" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1, redacted: "blob" },
      { kind: "reasoning-end", block: 1 },
    ]);
  });

  it("reads refusals, log probabilities and stop sequences", () => {
    const logprobs = { content: [{ token: "a", logprob: -1 }] };
    const choice = { index: 0, delta: { content: "a" }, logprobs, finish_reason: "stop", stop_reason: "END" };
    const { events } = decode([chunk({ refusal: "no" }), data({ ...head, choices: [choice] }), done]);
    expect(events).toContainEqual({ kind: "refusal-delta", text: "no" });
    expect(events).toContainEqual({ kind: "text-delta", block: 0, text: "a", logprobs });
    expect(events).toContainEqual({
      kind: "finish",
      finish: { reason: "stop-sequence", raw: "stop", stopSequence: "END" },
    });
  });

  it.each([
    ["length", "length"],
    ["model_length", "context"],
    ["content_filter", "policy"],
    ["function_call", "tools"],
    ["eos", "stop"],
  ])("reads finish_reason %s as %s", (raw, reason) => {
    const { events } = decode([chunk({ content: "a" }, raw), done]);
    expect(events).toContainEqual({ kind: "finish", finish: { reason, raw } });
  });
});
