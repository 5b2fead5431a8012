import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions, EncodeOptions, EncodeTarget } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import type { AnswerEvent } from "#domain/answer";
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
  const { edits, warnings = [], unfit } = openaiChat.relayEdits(scan, body, target);
  const sent = Buffer.from(editFields(body, scan, edits));
  return {
    same: sent.equals(body),
    json: JSON.parse(sent.toString()) as Record<string, unknown>,
    losses: warnings.map((warning) => warning.split(":")[0]),
    unfit: unfit?.message.split(":")[0],
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

function encoded(turns: readonly Turn[], target: EncodeTarget, more: Partial<GenerateRequest> = {}) {
  const made = openaiChat.encodeRequest({ ...plainRequest, turns, ...more }, target);
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

function whole(message: object, quirks: Partial<ChatQuirks>): readonly AnswerEvent[] {
  const answer = { id: "c", model: "m", choices: [{ index: 0, message, finish_reason: "stop" }] };
  return openaiChat.decodeAnswer(Buffer.from(JSON.stringify(answer)), decoding(quirks));
}

function turnsOf(messages: readonly object[]): readonly Turn[] {
  const decoded = openaiChat.decodeRequest({ model: "m", messages }, {});
  if (decoded.kind === "refused") throw new Error(decoded.failure.message);
  return decoded.request.turns;
}

const options: EncodeOptions = {
  fallbackId: "f",
  model: "m",
  createdAtS: 1,
  includeUsage: false,
  issuer: "google",
};

const user = (text: string): Turn => ({ role: "user", parts: [{ kind: "text", text }] });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
const toolCall: Part = { kind: "tool-call", id: "call_1", name: "f", argumentsJson: "{}" };
describe("Groq", () => {
  it("gets earlier thoughts as `reasoning`, and only where its model reasons", () => {
    const groq = quirksOf("groq");
    const messages = [
      { role: "assistant", content: "a", reasoning_content: "hm" },
      { role: "user", content: "b" },
    ];
    expect(relayed({ messages }, at(groq, { traits: reasoner })).json["messages"]).toEqual([
      { role: "assistant", content: "a", reasoning: "hm" },
      messages[1],
    ]);
    expect(relayed({ messages }, at(groq))).toMatchObject({
      json: { messages: [{ role: "assistant", content: "a" }, {}] },
      losses: ["reasoning-history"],
    });
  });

  it("says in `x_groq` why it stopped early", () => {
    const events = decode(
      [chunk({ content: "a" }), data({ ...head, choices: [], x_groq: { error: "over" } })],
      {},
    ).events;
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { message: '{"error":{"message":"over"}}' } });
  });
});

describe("what hosts answer beside the text", () => {
  it.each([
    { what: "annotations", delta: { annotations: [{ type: "url_citation" }] } },
    { what: "images", delta: { images: [{ type: "image_url" }] }, content: true },
    { what: "executed_tools", delta: { executed_tools: [{ type: "search" }] } },
    { what: "audio", delta: { audio: { id: "a", data: "AAAA" } }, content: true },
    { what: "citations", more: { citations: ["https://a"] } },
    { what: "search_results", more: { search_results: [{ url: "https://a" }] } },
  ])("is told where the hub has no word for it: $what", ({ what, delta, more, content }) => {
    const choice = { index: 0, delta: { content: "a", ...delta }, finish_reason: null };
    const { events } = decode([data({ ...head, choices: [choice], ...more }), chunk({}, "stop"), done], {});
    const foreign = events.filter((event) => event.kind === "foreign");
    expect(foreign).toMatchObject([{ what, ...(content === undefined ? {} : { content }) }]);
  });

  it("is told once where every chunk repeats it", () => {
    const piece = (text: string): string =>
      data({
        ...head,
        choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
        citations: ["https://a"],
      });
    const { events } = decode([piece("a"), piece("b"), chunk({}, "stop"), done], {});
    expect(events.filter(({ kind }) => kind === "foreign")).toHaveLength(1);
  });
});

describe("OpenAI", () => {
  it("gets no thoughts of earlier turns, under whatever name they come", () => {
    const openai = at(quirksOf("openai"), { issuer: "openai" });
    const messages = [
      { role: "assistant", content: "a", reasoning_content: "x" },
      { role: "assistant", content: "b", reasoning: "y" },
      { role: "assistant", content: "c", reasoning_details: [{ type: "reasoning.text", text: "z" }] },
    ];
    expect(relayed({ messages }, openai)).toMatchObject({
      json: { messages: ["a", "b", "c"].map((content) => ({ role: "assistant", content })) },
      losses: ["reasoning-history"],
    });
    expect(relayed({ messages: [{ role: "assistant", content: "a" }] }, openai).same).toBe(true);
  });
});

describe("OpenRouter", () => {
  const openrouter = quirksOf("openrouter");
  const target = at(openrouter, { issuer: "openrouter" });
  const signed = { type: "reasoning.text", text: "hm", signature: "sig", format: "anthropic-claude-v1", index: 0 };
  const sealed = { type: "reasoning.encrypted", data: "b64", id: "rs_1", format: "openai-responses-v1", index: 1 };

  function sealOf(events: readonly AnswerEvent[]): string {
    const seals = events.filter((event) => event.kind === "reasoning-signature");
    expect(seals).toHaveLength(1);
    return seals[0]?.signature ?? "";
  }

  function given(seal: string): unknown {
    const thought: Part = {
      kind: "reasoning",
      text: "hm",
      seal: { issuer: "openrouter", form: "signature", value: seal },
    };
    return (encoded([assistant(thought, toolCall), user("go on")], target).messages[0] as Record<string, unknown>)[
      "reasoning_details"
    ];
  }

  it("gets the details of a whole answer back as they were, and nobody else gets them", () => {
    const seal = sealOf(whole({ content: "a", reasoning: "hm", reasoning_details: [signed, sealed] }, openrouter));
    expect(given(seal)).toEqual([signed, sealed]);
    const thought: Part = {
      kind: "reasoning",
      text: "hm",
      seal: { issuer: "openrouter", form: "signature", value: seal },
    };
    const elsewhere = encoded([assistant(thought), user("b")], at(plainChatQuirks, { issuer: "anthropic" }));
    expect(JSON.stringify(elsewhere.messages)).not.toContain("hm");
    expect(elsewhere.losses).toEqual(["reasoning-seal"]);
  });

  it("gets the details of a stream back with their pieces joined, the encrypted ones whole", () => {
    const { text: _text, signature: _signature, ...frame } = signed;
    const stream = [
      chunk({ reasoning: "h", reasoning_details: [{ ...frame, text: "h" }] }),
      chunk({ reasoning: "m", reasoning_details: [{ ...frame, text: "m" }] }),
      chunk({ reasoning_details: [{ ...frame, signature: "sig" }] }),
      chunk({ reasoning_details: [sealed], tool_calls: [{ index: 0, ...call }] }),
      chunk({ reasoning_details: [{ ...sealed, data: "second", id: "rs_2" }] }),
      chunk({ content: "a" }),
      chunk({}, "tool_calls"),
      done,
    ];
    const { events } = decode([stream.join("")], openrouter);
    const seals = events.flatMap((event) => (event.kind === "reasoning-signature" ? [event.signature] : []));
    expect(seals.flatMap((seal) => given(seal))).toEqual([signed, sealed, { ...sealed, data: "second", id: "rs_2" }]);
    const thought = events.map((event) => (event.kind === "reasoning-delta" ? event.text : "")).join("");
    expect(thought).toBe("hm");
  });

  it("gets what a chat caller brings of it, relayed to the byte or through the hub", () => {
    const messages = [
      { role: "assistant", content: "a", reasoning: "hm", reasoning_details: [signed, sealed] },
      { role: "user", content: "b" },
    ];
    expect(relayed({ messages }, target).same).toBe(true);
    const through = encoded(turnsOf(messages), target).messages[0];
    expect(through).toEqual({ role: "assistant", content: "a", reasoning_details: [signed, sealed] });
    const elsewhere = relayed({ messages }, at(plainChatQuirks, { issuer: "anthropic" }));
    expect(elsewhere).toMatchObject({
      json: { messages: [{ role: "assistant", content: "a" }, {}] },
      losses: ["reasoning-seal"],
    });
  });

  it("sends nothing for a seal that is no list", () => {
    for (const value of ["", "bm8=", "not base64"]) expect(given(value)).toBeUndefined();
  });
});

describe("Gemini by OpenAI's language", () => {
  const gemini = at(quirksOf("gemini"), { issuer: "google" });
  const extra = { extra_content: { google: { thought_signature: "c2ln" } } };

  it("signs a tool call, whole and streamed, and gets the signature back where it was", () => {
    const [, ...events] = whole({ content: null, tool_calls: [{ ...call, ...extra }] }, {});
    const streamed = decode([chunk({ tool_calls: [{ ...call, ...extra }] }), chunk({}, "tool_calls"), done], {});
    for (const seen of [events, streamed.events]) {
      expect(seen).toContainEqual({ kind: "tool-signature", block: 0, signature: "c2ln" });
    }
    const seal = { issuer: "google", form: "signature", value: "c2ln" } as const;
    const turns = [assistant({ ...toolCall, seal }), user("b")];
    expect(encoded(turns, gemini).messages[0]).toMatchObject({ tool_calls: [{ ...call, ...extra }] });
    expect(encoded(turns, at(plainChatQuirks))).toMatchObject({
      messages: [{ tool_calls: [call] }, {}],
      losses: ["reasoning-seal"],
    });
  });

  it("tells that a seal on a text stays behind, whoever wrote it: chat has no place for one", () => {
    for (const target of [gemini, at(plainChatQuirks)]) {
      const seal = { issuer: "google", form: "signature", value: "s" } as const;
      expect(encoded([assistant({ kind: "text", text: "a", seal }), user("b")], target)).toMatchObject({
        messages: [{ content: "a" }, {}],
        losses: ["reasoning-seal"],
      });
    }
  });

  it("has its signatures with chat callers under its name, and gets them back from there", () => {
    const events: readonly AnswerEvent[] = [
      { kind: "start", id: "c", model: "m" },
      { kind: "tool-start", block: 0, id: "call_1", name: "f" },
      { kind: "tool-delta", block: 0, json: "{}" },
      { kind: "tool-signature", block: 0, signature: "c2ln" },
      { kind: "tool-end", block: 0 },
      { kind: "finish", finish: { reason: "tools" } },
      { kind: "end" },
    ];
    const body = JSON.parse(Buffer.from(openaiChat.encodeAnswer(events, options) ?? []).toString()) as {
      readonly choices: readonly { readonly message: { readonly tool_calls: readonly object[] } }[];
    };
    expect(body.choices[0]?.message.tool_calls).toEqual([{ ...call, ...extra }]);
    const encoder = openaiChat.streamEncoder(options);
    const stream = events.map((event) => String(encoder.encode(event))).join("");
    expect(stream).toContain(JSON.stringify({ index: 0, function: { arguments: "" }, ...extra }));
    const [turn] = turnsOf([{ role: "assistant", content: null, tool_calls: [{ ...call, ...extra }] }]);
    expect(turn?.parts).toEqual([{ ...toolCall, seal: { issuer: "google", form: "signature", value: "c2ln" } }]);
  });

  it("keeps its signatures where they are relayed, and loses them nowhere else", () => {
    const messages = [{ role: "assistant", content: null, tool_calls: [{ ...call, ...extra }] }];
    expect(relayed({ messages }, gemini).json["messages"]).toEqual(messages);
    expect(relayed({ messages }, at(plainChatQuirks))).toMatchObject({
      json: { messages: [{ role: "assistant", tool_calls: [call] }] },
      losses: ["reasoning-seal"],
    });
  });
});

describe("Ollama", () => {
  const ollama = at(quirksOf("ollama"));
  const f = { type: "function", function: { name: "f", parameters: { type: "object" } } };

  it("is asked nothing that it would answer without a word of refusal in another way", () => {
    expect(relayed({ tools: [f], tool_choice: "required" }, ollama).unfit).toBe("tool-choice-ignored");
    expect(relayed({ tools: [f], tool_choice: "none" }, ollama).json).toEqual({ model: "m" });
    expect(relayed({ tools: [f], tool_choice: "auto" }, ollama)).toMatchObject({ same: true });
    const tools = [{ kind: "function", name: "f", schema: {} }] as const;
    expect(encoded([user("a")], ollama, { tools, toolChoice: { kind: "none" } }).json).not.toHaveProperty("tools");
    expect(encoded([user("a")], ollama, { tools, toolChoice: { kind: "auto" } }).json).toHaveProperty("tools");
  });

  it("is sent no address of an image, which it does not fetch", () => {
    const image = (url: string): object => ({
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
    });
    expect(relayed(image("https://a/b.png"), ollama).unfit).toBe("image-address");
    expect(relayed(image("data:image/png;base64,AAAA"), ollama)).toMatchObject({ same: true });
  });
});
