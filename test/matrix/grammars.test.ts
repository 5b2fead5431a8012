import { describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import type { ClientDialectId } from "#domain/call";
import { emptyUsage } from "#domain/usage";
import type { ReceivedRequest } from "#simulation/received-request";
import { lostFacets } from "./facets.ts";
import { responsesStreamFaults } from "./grammars/responses-stream.ts";
import { wholeChatFaults } from "./grammars/whole-chat.ts";
import { wholeMessageFaults } from "./grammars/whole-message.ts";
import { responseFaults } from "./grammars/whole-response.ts";
import { differing, outlined } from "./golden.ts";
import type { Intent } from "./intent.ts";

const events: readonly AnswerEvent[] = [
  { kind: "start", id: "a", model: "m", createdAtS: 1 },
  { kind: "text-start", block: 0 },
  { kind: "text-delta", block: 0, text: "One " },
  { kind: "text-delta", block: 0, text: "moment." },
  { kind: "text-end", block: 0 },
  { kind: "tool-start", block: 1, id: "call_1", name: "f" },
  { kind: "tool-delta", block: 1, json: '{"a":1}' },
  { kind: "tool-end", block: 1 },
  { kind: "finish", finish: { reason: "tools" } },
  { kind: "usage", usage: { ...emptyUsage, inputUncached: 5, output: 3 } },
  { kind: "end" },
];

const options = { fallbackId: "req_1", model: "m", createdAtS: 1, includeUsage: true, issuer: "acme" };

function whole(dialect: ClientDialectId): string {
  return Buffer.from(dialects[dialect].encodeAnswer(events, options) ?? []).toString();
}

type Faults = (json: Readonly<Record<string, unknown>>) => readonly string[];

const grammars: readonly (readonly [ClientDialectId, Faults, readonly (readonly [string, string])[]])[] = [
  [
    "openai-chat",
    wholeChatFaults,
    [
      ['"chat.completion"', '"chat.completion.chunk"'],
      ['"finish_reason":"tool_calls"', '"finish_reason":"stop"'],
      ['"role":"assistant"', '"role":"model"'],
      ['"refusal":null', '"refusal":1'],
      ['"id":"call_1"', '"id":""'],
      ['{\\"a\\":1}', '{\\"a\\"'],
      ['"total_tokens":8', '"total_tokens":9'],
    ],
  ],
  [
    "anthropic-messages",
    wholeMessageFaults,
    [
      ['"type":"message"', '"type":"msg"'],
      ['"stop_reason":"tool_use"', '"stop_reason":"stop"'],
      ['"stop_sequence":null', '"stop_sequence":"x"'],
      ['"text":"One moment."', '"text":""'],
      ['"id":"call_1"', '"id":""'],
      ['"input":{"a":1}', '"input":"{}"'],
      ['"output_tokens":3', '"output_tokens":-1'],
    ],
  ],
  [
    "openai-responses",
    (json) => responseFaults(json, true),
    [
      ['"object":"response"', '"object":"answer"'],
      ['"incomplete_details":null,', ""],
      ['"status":"completed","background"', '"status":"in_progress","background"'],
      ['"id":"msg_', '"id":"m_'],
      ['"annotations":[]', '"annotations":null'],
      ['"call_id":"call_1"', '"call_id":""'],
      ['"total_tokens":8', '"total_tokens":9'],
    ],
  ],
];

describe.each(grammars)("the grammar of whole answers in %s", (dialect, faultsOf, breaches) => {
  it("finds nothing in a good answer", () => {
    expect(faultsOf(JSON.parse(whole(dialect)) as Record<string, unknown>)).toEqual([]);
  });

  it.each(breaches)("finds what is wrong where %s is %s", (good, bad) => {
    const text = whole(dialect);
    expect(text).toContain(good);
    expect(faultsOf(JSON.parse(text.replace(good, bad)) as Record<string, unknown>)).not.toEqual([]);
  });
});

describe("the grammar of Responses streams", () => {
  const encoder = dialects["openai-responses"].streamEncoder(options);
  const good = events.map((event) => String(encoder.encode(event))).join("");

  it("finds nothing in a good stream", () => {
    expect(responsesStreamFaults(good)).toEqual([]);
  });

  it.each([
    ['"sequence_number":3', '"sequence_number":5'],
    ["event: response.output_text.delta", "event: response.output_text"],
    ['"delta":"moment."', '"delta":"moments."'],
    ["event: response.completed", "event: response.done"],
    ["data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n"],
    [/event: response\.in_progress\n.*\n\n/u, ""],
    [/event: response\.output_item\.added\n.*\n\n/u, ""],
    [/event: response\.output_item\.done\n.*\n\n/u, ""],
    [/event: response\.completed\n.*\n\n/u, ""],
  ])("finds what is wrong where %s is replaced by %j", (from, to) => {
    const broken = good.replace(from, to);
    expect(broken).not.toBe(good);
    expect(responsesStreamFaults(broken)).not.toEqual([]);
  });
});

describe("what of an intent a provider's request lacks", () => {
  const intent: Intent = {
    system: { kind: "text", text: "Be terse.", cached: true },
    turns: [
      {
        role: "user",
        parts: [
          { kind: "text", text: "What is it?" },
          { kind: "image", mediaType: "image/png", data: "AAAA" },
          { kind: "pdf", name: "a.pdf", data: "JVBE" },
        ],
      },
    ],
    tools: [{ name: "f", description: "d", schema: { type: "object", properties: { city: {} } } }],
    toolChoice: { name: "f" },
    schema: { type: "object", properties: { age: {} } },
    reasoning: "on",
    stop: ["END"],
    maxTokens: 5,
  };
  const json = { a: "AAAA", b: "JVBE", c: "prompt_cache_breakpoint" };
  const received: ReceivedRequest = {
    sequence: 1,
    dialect: "openai-chat",
    operation: "generate",
    address: {},
    headers: {},
    json,
    model: "m",
    streamed: false,
    promptText: "Be terse.\nWhat is it?",
    lastUserText: "What is it?",
    toolResults: ["rain"],
    tools: [{ name: "f", schema: { properties: { city: {} } } }],
    toolChoice: { name: "f" },
    outputSchema: { properties: { age: {} } },
    maxOutputTokens: 5,
    stop: ["END"],
    thinking: "shown",
    usageAsked: true,
  };
  const { outputSchema: _schema, thinking: _thinking, maxOutputTokens: _limit, ...bare } = received;

  it.each([
    [[], received],
    [["text"], { ...received, promptText: "What is it?" }],
    [["text"], { ...received, toolResults: [] }],
    [["image"], { ...received, json: { ...json, a: "" } }],
    [["pdf"], { ...received, json: { ...json, b: "" } }],
    [["cache"], { ...received, json: { ...json, c: "" } }],
    [["tools"], { ...received, tools: [{ name: "f", schema: {} }] }],
    [["tool-choice"], { ...received, toolChoice: "any" }],
    [["stop"], { ...received, stop: [] }],
    [["schema", "reasoning", "limit"], bare],
  ] as readonly (readonly [readonly string[], ReceivedRequest])[])("is found: %j", (lost, seen) => {
    expect(lostFacets(intent, seen, [{ text: "rain" }])).toEqual(lost);
  });
});

describe("golden files", () => {
  it("hold of a stream what differs from the whole answer, and what it lacks as null", () => {
    expect(differing({ a: 1, b: [2], c: 3 }, { a: 1, b: [3], d: 4 })).toEqual({ b: [3], c: null, d: 4 });
  });

  it("count repeats of a kind", () => {
    expect(outlined(["start", "delta", "delta", "stop", "delta"])).toBe("start · delta ×2 · stop · delta");
  });
});
