import { describe, expect, it } from "vitest";
import type { DecodeOptions, Dialect, EncodeOptions } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";

const encoding: EncodeOptions = { fallbackId: "req_1", model: "m", createdAtS: 1, includeUsage: true, issuer: "acme" };

function decode(upstream: Dialect, stream: string, quirks: Partial<ChatQuirks> = {}): readonly AnswerEvent[] {
  const options: DecodeOptions = {
    classify: () => failure("upstream_failed", "complaint"),
    quirks: { ...plainChatQuirks, ...quirks },
    maxEventBytes: 1 << 20,
  };
  const events: AnswerEvent[] = [];
  const decoder = upstream.streamDecoder(options, (frame) => events.push(...frame.events));
  decoder.push(Buffer.from(stream));
  decoder.end();
  expect(events.at(-1)?.kind).toBe("end");
  return events;
}

/** The last usage of an answer in another language's stream. */
function told(events: readonly AnswerEvent[], caller: Dialect): unknown {
  const encoder = caller.streamEncoder(encoding);
  const frames = events.map((event) => encoder.encode(event)).join("");
  const data = frames.split("\n").flatMap((line) => (line.startsWith("data: {") ? [line.slice(6)] : []));
  const reports = data.map((text) => (JSON.parse(text) as { readonly usage?: unknown }).usage);
  return reports.findLast((usage) => usage !== undefined && usage !== null);
}

const chatHead = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
const data = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const done = "data: [DONE]\n\n";

function chunk(text: string | undefined, finish: string | null, more: object = {}): string {
  const delta = text === undefined ? {} : { content: text };
  return data({ ...chatHead, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
}

const usage = {
  prompt_tokens: 100,
  completion_tokens: 30,
  total_tokens: 130,
  prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
  completion_tokens_details: { reasoning_tokens: 20 },
};
const early = { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101 };
const plain = chunk("a", null);
const finish = chunk(undefined, "stop");

describe("usage of a chat stream, for a caller of Messages", () => {
  it.each([
    [
      "in a last chunk without choices (OpenAI, Azure, xAI, Ollama)",
      [plain, finish, data({ ...chatHead, choices: [], usage }), done],
    ],
    ["in the chunk that finishes (DeepSeek, Mistral, Together)", [plain, chunk(undefined, "stop", { usage }), done]],
    ["in every chunk, rising (Perplexity)", [chunk("a", null, { usage: early }), chunk("b", "stop", { usage })]],
    [
      "in both places (Groq)",
      [plain, chunk(undefined, "stop", { x_groq: { usage } }), data({ ...chatHead, choices: [], usage }), done],
    ],
    ["in Groq's own place alone", [plain, chunk(undefined, "stop", { x_groq: { id: "r", usage } }), done]],
    ["in the chunk with the text and the finish", [chunk("a", "stop", { usage }), done]],
  ])("is read %s", (_, frames) => {
    expect(told(decode(dialects["openai-chat"], frames.join("")), dialects["anthropic-messages"])).toMatchObject({
      input_tokens: 30,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 10,
      output_tokens: 30,
      output_tokens_details: { thinking_tokens: 20 },
    });
  });

  it("never goes below zero where more was cached than asked (recorded: Grok on Azure, 29 times)", () => {
    const odd = { ...early, prompt_tokens_details: { cached_tokens: 150 } };
    const events = decode(dialects["openai-chat"], plain + chunk(undefined, "stop", { usage: odd }) + done);
    const reported = told(events, dialects["anthropic-messages"]);
    expect(reported).toMatchObject({ input_tokens: 0, cache_read_input_tokens: 100 });
  });

  it("counts reasoning once where the provider leaves it out of the completion (xAI)", () => {
    const apart = {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 35,
      completion_tokens_details: { reasoning_tokens: 20 },
    };
    const events = decode(dialects["openai-chat"], plain + chunk(undefined, "stop", { usage: apart }) + done);
    expect(told(events, dialects["anthropic-messages"])).toMatchObject({ output_tokens: 25 });
  });

  it("is absent, not zero, for the ledger where the provider says none, and the stream is closed all the same", () => {
    const events = decode(dialects["openai-chat"], plain + finish + done);
    expect(events.some((event) => event.kind === "usage")).toBe(false);
    expect(told(events, dialects["openai-chat"])).toBeUndefined();
    expect(told(events, dialects["anthropic-messages"])).toMatchObject({
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: null,
    });
  });
});

const frame = (json: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${json.type}\n${data(json)}`;
const full = {
  input_tokens: 30,
  cache_read_input_tokens: 60,
  cache_creation_input_tokens: 10,
  cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 },
  output_tokens: 30,
  output_tokens_details: { thinking_tokens: 20 },
};

function messages(atStart: object | undefined, ...deltas: readonly object[]): string {
  return [
    frame({ type: "message_start", message: { id: "m", model: "m", content: [], usage: atStart } }),
    frame({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    frame({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } }),
    frame({ type: "content_block_stop", index: 0 }),
    ...deltas.map((one, at) =>
      frame({
        type: "message_delta",
        delta: at === deltas.length - 1 ? { stop_reason: "end_turn" } : {},
        usage: one,
      }),
    ),
    frame({ type: "message_stop" }),
  ].join("");
}

describe("usage of a Messages stream, for a caller of Chat", () => {
  const { output_tokens: _, output_tokens_details: __, ...input } = full;
  it.each([
    [
      "input at the start, output at the end",
      messages({ ...input, output_tokens: 1 }, { output_tokens: 30, output_tokens_details: { thinking_tokens: 20 } }),
    ],
    ["all of it again at the end", messages({ ...input, output_tokens: 1 }, full)],
    ["all of it at the end only", messages(undefined, full)],
    ["zeros at the start, the truth at the end", messages({ input_tokens: 0, output_tokens: 0 }, full)],
    [
      "rising reports, which are never added up",
      messages({ ...input, output_tokens: 1 }, { ...full, output_tokens: 22 }, full, full),
    ],
  ])("is read from %s", (_title, stream) => {
    expect(told(decode(dialects["anthropic-messages"], stream), dialects["openai-chat"])).toEqual({
      prompt_tokens: 100,
      completion_tokens: 30,
      total_tokens: 130,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 20 },
    });
  });
});
