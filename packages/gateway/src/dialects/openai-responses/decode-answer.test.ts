import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { openaiResponses } from "./index.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};

interface Decoded {
  readonly frames: readonly AnswerFrame[];
  readonly events: readonly AnswerEvent[];
  readonly raw: string;
}

function decode(pieces: readonly (string | Uint8Array)[]): Decoded {
  const frames: AnswerFrame[] = [];
  const decoder = openaiResponses.streamDecoder(options, (frame) => frames.push(frame));
  for (const piece of pieces) decoder.push(Buffer.from(piece));
  decoder.end();
  const events = frames.flatMap((frame) => frame.events);
  expect(breachOf(events)).toBeUndefined();
  return { frames, events, raw: Buffer.concat(frames.map((frame) => frame.raw)).toString("latin1") };
}

let sequence = 0;

/** One event in OpenAI's framing. */
function sse(type: string, fields: object): string {
  sequence += 1;
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...fields })}\n\n`;
}

const head = { id: "resp_1", object: "response", created_at: 7, model: "gpt-5", status: "in_progress", output: [] };
const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 6,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 16,
};
const created = sse("response.created", { response: head });
const completed = sse("response.completed", { response: { ...head, status: "completed", usage } });
const at = { output_index: 0, content_index: 0, item_id: "msg_1" };
const delta = (text: string): string => sse("response.output_text.delta", { ...at, delta: text, logprobs: [] });
const message = { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] };
const added = sse("response.output_item.added", { output_index: 0, item: message });
const call = { id: "fc_1", type: "function_call", call_id: "c1", name: "f", arguments: "", status: "in_progress" };

const turn = [
  created,
  sse("response.output_item.added", { output_index: 0, item: { id: "rs_1", type: "reasoning", summary: [] } }),
  sse("response.reasoning_summary_text.delta", { output_index: 0, item_id: "rs_1", summary_index: 0, delta: "hm é" }),
  sse("response.output_item.done", {
    output_index: 0,
    item: {
      id: "rs_1",
      type: "reasoning",
      summary: [{ type: "summary_text", text: "hm é" }],
      encrypted_content: "gAAAAA",
    },
  }),
  sse("response.output_item.added", { output_index: 1, item: call }),
  sse("response.function_call_arguments.delta", { output_index: 1, item_id: "fc_1", delta: '{"n":' }),
  sse("response.function_call_arguments.delta", { output_index: 1, item_id: "fc_1", delta: "1.0}" }),
  sse("response.function_call_arguments.done", { output_index: 1, item_id: "fc_1", arguments: '{"n":1.0}' }),
  sse("response.output_item.done", { output_index: 1, item: { ...call, arguments: '{"n":1.0}', status: "completed" } }),
  completed,
].join("");

const turnEvents: readonly AnswerEvent[] = [
  { kind: "start", id: "resp_1", model: "gpt-5", createdAtS: 7 },
  { kind: "reasoning-start", block: 0, id: "rs_1" },
  { kind: "reasoning-delta", block: 0, text: "hm é" },
  { kind: "reasoning-signature", block: 0, signature: "gAAAAA" },
  { kind: "reasoning-end", block: 0 },
  { kind: "tool-start", block: 1, id: "c1", name: "f" },
  { kind: "tool-delta", block: 1, json: '{"n":' },
  { kind: "tool-delta", block: 1, json: "1.0}" },
  { kind: "tool-end", block: 1 },
  {
    kind: "usage",
    usage: {
      inputUncached: 6,
      cacheRead: 4,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 4,
      reasoning: 2,
      estimated: false,
    },
  },
  { kind: "finish", finish: { reason: "tools", raw: "completed" } },
  { kind: "end" },
];

describe("a streamed Responses answer", () => {
  it("is read as the thought, the call and the usage it was, its bytes unchanged", () => {
    const { events, raw, frames } = decode([turn]);
    expect(events).toEqual(turnEvents);
    expect(raw).toBe(Buffer.from(turn).toString("latin1"));
    expect(frames.map(({ terminal }) => terminal)).toEqual(frames.map((_, index) => index === frames.length - 1));
  });

  it("is read the same for any split of its bytes", () => {
    const bytes = Buffer.from(turn);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        expect(decode(pieces).events).toEqual(turnEvents);
      }),
    );
  });

  it.each([
    ["in the middle of its text", created + added + delta("a")],
    ["before any text", created],
    ["in the middle of its last event", created + added + delta("a") + completed.slice(0, -20)],
    ["before anything", ""],
  ])("that is cut %s is no answer", (_, stream) => {
    const { events } = decode([stream]);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind: "truncated_response" } });
  });

  it("is whole without a terminator of the stream, and takes the one that some send", () => {
    const whole = created + added + delta("a") + completed;
    expect(decode([whole]).events.at(-1)).toEqual({ kind: "end" });
    expect(decode([`${whole}data: [DONE]\n\n`]).events.filter(({ kind }) => kind === "end")).toHaveLength(1);
  });

  it.each([
    ["an error event", sse("error", { code: "server_error", message: "No.", param: null })],
    [
      "a failed response",
      sse("response.failed", { response: { ...head, status: "failed", error: { message: "No." } } }),
    ],
    [
      "a completed response that says it failed",
      sse("response.completed", { response: { ...head, status: "failed" } }),
    ],
    ["a cancelled response", sse("response.completed", { response: { ...head, status: "cancelled" } })],
    ["what is no JSON", "event: response.output_text.delta\ndata: {broken\n\n"],
    ["an event too large", `data: {"x":"${"x".repeat(1 << 17)}"}\n\n`],
  ])("that ends in %s fails there, and says nothing more", (_, end) => {
    const { events } = decode([created + added + delta("a") + end + completed]);
    expect(events.at(-1)?.kind).toBe("failed");
    expect(events.filter(({ kind }) => kind === "failed" || kind === "end")).toHaveLength(1);
  });

  it.each([
    ["max_output_tokens", "length"],
    ["content_filter", "policy"],
    ["something new", "length"],
  ])("that is incomplete by %s ends by %s", (reason, finish) => {
    const response = { ...head, status: "incomplete", incomplete_details: { reason } };
    const { events } = decode([created + added + delta("a") + sse("response.incomplete", { response })]);
    expect(events.at(-2)).toMatchObject({ kind: "finish", finish: { reason: finish, raw: reason } });
  });

  it("has what no deltas said from the events that say things whole", () => {
    const done = sse("response.output_text.done", { ...at, text: "all", logprobs: [] });
    const called = sse("response.output_item.done", { output_index: 1, item: { ...call, arguments: '{"a":1}' } });
    const { events } = decode([created + added + done + called + completed]);
    expect(events).toContainEqual({ kind: "text-delta", block: 0, text: "all" });
    expect(events).toContainEqual({ kind: "tool-delta", block: 1, json: '{"a":1}' });
  });

  it("tells refusals, log-probabilities and what the hub has no word for", () => {
    const token = { token: "a", logprob: -1, bytes: [97], top_logprobs: [] };
    const stream = [
      created,
      added,
      sse("response.output_text.delta", { ...at, delta: "a", logprobs: [token] }),
      sse("response.refusal.delta", { ...at, content_index: 1, delta: "No." }),
      sse("response.output_item.done", { output_index: 1, item: { id: "ws_1", type: "web_search_call" } }),
      completed,
    ];
    const { events } = decode([stream.join("")]);
    expect(events).toContainEqual({
      kind: "text-delta",
      block: 0,
      text: "a",
      logprobs: { content: [token], refusal: null },
    });
    expect(events).toContainEqual({ kind: "refusal-delta", text: "No." });
    expect(events.filter(({ kind }) => kind === "foreign")).toMatchObject([
      { what: "openai-responses:web_search_call" },
    ]);
  });

  it("keeps the grammar on events in any order, and never throws", () => {
    const pieces = turn.split("\n\n").map((frame) => `${frame}\n\n`);
    fc.assert(
      fc.property(fc.shuffledSubarray([...pieces, added, delta("a"), "data: 1\n\n", ": ping\n\n"]), (order) => {
        const { events } = decode(order);
        expect(["end", "failed"]).toContain(events.at(-1)?.kind);
      }),
    );
  });
});

describe("a whole Responses answer", () => {
  const whole = (response: object): readonly AnswerEvent[] =>
    openaiResponses.decodeAnswer(Buffer.from(JSON.stringify(response)), options);

  it("means what its stream means", () => {
    const output = [
      { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "hm é" }], encrypted_content: "gAAAAA" },
      { ...call, arguments: '{"n":1.0}', status: "completed" },
    ];
    const joined = (events: readonly AnswerEvent[]): unknown => [
      events.filter(({ kind }) => kind !== "tool-delta"),
      events.map((event) => (event.kind === "tool-delta" ? event.json : "")).join(""),
    ];
    expect(joined(whole({ ...head, status: "completed", output, usage }))).toEqual(joined(turnEvents));
  });

  it.each([
    ["one that goes on in the background", { ...head, status: "queued" }, "truncated_response"],
    ["a failed one", { ...head, status: "failed", error: { message: "No." } }, "upstream_failed"],
    [
      "one without a name for its call",
      { ...head, status: "completed", output: [{ ...call, name: "" }] },
      "bad_upstream_response",
    ],
  ])("that is %s is none", (_, response, kind) => {
    expect(whole(response).at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
  });

  it("is none where it is no JSON", () => {
    expect(openaiResponses.decodeAnswer(Buffer.from("<html>"), options)).toMatchObject([{ kind: "failed" }]);
  });
});
