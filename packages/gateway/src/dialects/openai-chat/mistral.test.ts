import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions, EncodeTarget } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import { failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import { findKind } from "#providers/kinds";
import { editFields, scanFields } from "#wire/json-splice";

const from = { source: "test", date: "2026-11-21" };
const reasoner: ModelTraits = { name: "x/y", capabilities: { reasoning: true }, from };

function quirksOf(kind: string): ChatQuirks {
  return findKind(kind)?.quirks ?? plainChatQuirks;
}

function at(quirks: ChatQuirks, more: Partial<EncodeTarget> = {}): EncodeTarget {
  return { model: "m", issuer: "own", quirks, streamed: false, ...more };
}

function relayed(json: object, target: EncodeTarget) {
  const body = Buffer.from(JSON.stringify({ model: "m", ...json }));
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  const { edits, warnings = [], fitAnswer } = openaiChat.relayEdits(scan, body, target);
  const sent = Buffer.from(editFields(body, scan, edits));
  return {
    same: sent.equals(body),
    json: JSON.parse(sent.toString()) as Record<string, unknown>,
    losses: warnings.map((warning) => warning.split(":")[0]),
    fitAnswer,
  };
}

const plainRequest: GenerateRequest = {
  model: "m",
  streamed: false,
  usageInStream: false,
  turns: [],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

function encoded(turns: readonly Turn[], target: EncodeTarget) {
  const made = openaiChat.encodeRequest({ ...plainRequest, turns }, target);
  if (made.kind === "refused")
    return { refused: made.failure.message.split(":")[0], losses: [], messages: [], json: {} };
  const json = JSON.parse(Buffer.from(made.body).toString()) as { readonly messages: readonly object[] };
  return { messages: json.messages, json, losses: made.warnings.map((warning) => warning.split(":")[0]) };
}

function decoding(quirks: Partial<ChatQuirks>): DecodeOptions {
  return {
    classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
    quirks: { ...plainChatQuirks, ...quirks },
    maxEventBytes: 1 << 20,
  };
}

const data = (json: unknown): string => `data: ${JSON.stringify(json)}\n\n`;
const done = "data: [DONE]\n\n";
const head = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
const chunk = (delta: object, finish: string | null = null): string =>
  data({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });

function decode(pieces: readonly (string | Uint8Array)[], quirks: Partial<ChatQuirks>) {
  const frames: AnswerFrame[] = [];
  const decoder = openaiChat.streamDecoder(decoding(quirks), (frame) => frames.push(frame));
  for (const piece of pieces) decoder.push(Buffer.from(piece));
  decoder.end();
  const events = frames.flatMap((frame) => frame.events);
  expect(breachOf(events)).toBeUndefined();
  return { events, raw: Buffer.concat(frames.map((frame) => frame.raw)).toString() };
}

const user = (text: string): Turn => ({ role: "user", parts: [{ kind: "text", text }] });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
const toolCall: Part = { kind: "tool-call", id: "call_1", name: "f", argumentsJson: "{}" };
const toolResult: Part = { kind: "tool-result", callId: "call_1", parts: [{ kind: "text", text: "1" }], failed: false };
const thinking = (text: string): object => ({ type: "thinking", thinking: [{ type: "text", text }] });

describe("Mistral", () => {
  const mistral = at(quirksOf("mistral"));
  const magistral = at(quirksOf("mistral"), { traits: reasoner });

  it("gets earlier thoughts as parts of the content, where its model reasons, and under no other name", () => {
    const turns = [assistant({ kind: "reasoning", text: "hm" }, { kind: "text", text: "a" }), user("b")];
    expect(encoded(turns, magistral).messages[0]).toEqual({
      role: "assistant",
      content: [thinking("hm"), { type: "text", text: "a" }],
    });
    expect(encoded(turns, mistral)).toMatchObject({
      messages: [{ role: "assistant", content: "a" }, {}],
      losses: ["reasoning-history"],
    });
    const messages = [
      { role: "assistant", content: "a", reasoning_content: "hm", refusal: null, annotations: [] },
      { role: "user", content: "b" },
    ];
    expect(relayed({ messages }, magistral).json["messages"]).toEqual([
      { role: "assistant", content: [thinking("hm"), { type: "text", text: "a" }] },
      messages[1],
    ]);
    expect(relayed({ messages }, mistral)).toMatchObject({
      json: { messages: [{ role: "assistant", content: "a" }, {}] },
      losses: ["reasoning-history"],
    });
  });

  it("keeps to the byte what a caller of its own language wrote", () => {
    const messages = [
      { role: "user", content: "q" },
      { role: "assistant", content: [thinking("hm"), { type: "text", text: "a" }] },
      { role: "user", content: "go on" },
      { role: "assistant", content: "So", prefix: true },
    ];
    expect(relayed({ messages }, mistral)).toMatchObject({ same: true, losses: [] });
  });

  it("is told its thoughts by no other name at hosts that have no such parts", () => {
    const messages = [{ role: "assistant", content: [thinking("hm"), { type: "text", text: "a" }] }];
    expect(relayed({ messages }, at(plainChatQuirks))).toMatchObject({
      json: { messages: [{ role: "assistant", content: "a" }] },
      losses: ["reasoning-history"],
    });
    expect(relayed({ messages }, at(quirksOf("deepseek"))).json["messages"]).toEqual([
      { role: "assistant", content: "a", reasoning_content: "hm" },
    ]);
  });

  it("gets no field that it refuses, in messages of any role, and keeps the words of a refusal", () => {
    const messages = [
      { role: "user", content: "q", name: "Ann" },
      { role: "assistant", content: null, refusal: "No.", metadata: { a: 1 } },
      { role: "user", content: "why" },
    ];
    const { json, losses } = relayed({ messages, user: "u", safety_identifier: "s" }, mistral);
    expect(json["messages"]).toEqual([
      { role: "user", content: "q" },
      { role: "assistant", content: "No." },
      { role: "user", content: "why" },
    ]);
    expect(json).not.toHaveProperty("safety_identifier");
    expect(new Set(losses)).toEqual(new Set(["refused-hint", "message-field"]));
    const refusing = encoded([assistant({ kind: "refusal", text: "No." }), user("why")], mistral);
    expect(refusing.messages[0]).toEqual({ role: "assistant", content: "No." });
    expect(refusing.losses).toEqual([]);
  });

  it("gets ids of nine characters, the same in every turn and in both ways of asking", () => {
    const turns: readonly Turn[] = [assistant(toolCall), { role: "user", parts: [toolResult] }];
    const sent = encoded(turns, mistral).messages as readonly Record<string, unknown>[];
    const id = (sent[0]?.["tool_calls"] as readonly { id: string }[] | undefined)?.[0]?.id;
    expect(id).toMatch(/^[A-Za-z0-9]{9}$/u);
    expect(sent[1]?.["tool_call_id"]).toBe(id);
    const messages = [
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "1" },
    ];
    expect(relayed({ messages }, mistral).json["messages"]).toMatchObject([
      { tool_calls: [{ id }] },
      { tool_call_id: id },
    ]);
  });

  it("goes on from an assistant's last message, which others begin anew behind", () => {
    const turns = [user("q"), assistant({ kind: "text", text: "The answer is" })];
    const marked = encoded(turns, mistral);
    expect(marked).toMatchObject({ messages: [{}, { content: "The answer is", prefix: true }], losses: [] });
    const messages = [
      { role: "user", content: "q" },
      { role: "assistant", content: "The", prefix: true },
    ];
    expect(relayed({ messages }, at(plainChatQuirks))).toMatchObject({
      json: { messages: [messages[0], { role: "assistant", content: "The" }] },
      losses: ["prefill"],
    });
    expect(relayed({ messages }, at(quirksOf("deepseek"))).same).toBe(true);
    expect(relayed({ messages: [messages[0], { role: "assistant", content: "The" }] }, mistral).json).toMatchObject({
      messages: [{}, { prefix: true }],
    });
  });

  it("gets an answer between a tool's result and the user's next message, which it demands", () => {
    const turns: readonly Turn[] = [assistant(toolCall), { role: "user", parts: [toolResult, ...user("and?").parts] }];
    const { messages, losses } = encoded(turns, mistral);
    const roles = messages.map((message) => (message as { readonly role: string }).role);
    expect(roles).toEqual(["assistant", "tool", "assistant", "user"]);
    expect(losses).toEqual(["tool-answer"]);
  });

  const parts = [
    chunk({ role: "assistant", content: [thinking("The user")] }),
    chunk({ content: [thinking(" asks.")] }),
    chunk({ content: [{ type: "text", text: "4" }] }),
    chunk({ content: "!" }),
    chunk({ content: "" }, "stop"),
    done,
  ];

  it("answers callers of the language in text and reasoning_content, streamed, whatever the split", () => {
    const stream = Buffer.from(parts.join(""));
    const { events, raw } = decode([stream], quirksOf("mistral"));
    expect(events.filter(({ kind }) => kind.endsWith("-delta"))).toEqual([
      { kind: "reasoning-delta", block: 0, text: "The user" },
      { kind: "reasoning-delta", block: 0, text: " asks." },
      { kind: "text-delta", block: 1, text: "4" },
      { kind: "text-delta", block: 1, text: "!" },
    ]);
    const deltas = raw
      .split("\n\n")
      .filter((frame) => frame.startsWith("data: {"))
      .map((frame) => (JSON.parse(frame.slice(6)) as { choices: { delta: object }[] }).choices[0]?.delta);
    expect(deltas).toEqual([
      { role: "assistant", content: "", reasoning_content: "The user" },
      { content: "", reasoning_content: " asks." },
      { content: "4" },
      { content: "!" },
      { content: "" },
    ]);
    fc.assert(
      fc.property(fc.nat(stream.length), (cut) => {
        const split = decode([stream.subarray(0, cut), stream.subarray(cut)], quirksOf("mistral"));
        expect(split).toEqual({ events, raw });
      }),
    );
    expect(decode([stream], {}).raw).toBe(stream.toString());
  });

  it("answers them so whole, and leaves parts of other kinds alone", () => {
    const { fitAnswer } = relayed({ messages: [] }, mistral);
    const answer = (content: unknown): Uint8Array =>
      Buffer.from(JSON.stringify({ id: "c", choices: [{ index: 0, message: { role: "assistant", content } }] }));
    const fitted = fitAnswer?.(answer([thinking("hm"), { type: "text", text: "4" }]));
    expect(JSON.parse(Buffer.from(fitted ?? []).toString())).toEqual({
      id: "c",
      choices: [{ index: 0, message: { role: "assistant", content: "4", reasoning_content: "hm" } }],
    });
    expect(fitAnswer?.(answer("plain"))).toBeUndefined();
    expect(fitAnswer?.(answer([thinking("hm"), { type: "reference", reference_ids: [1] }]))).toBeUndefined();
    expect(fitAnswer?.(Buffer.from('"thinking" {'))).toBeUndefined();
    expect(relayed({ messages: [] }, at(plainChatQuirks)).fitAnswer).toBeUndefined();
  });
});
