import Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "../dialect.ts";
import { attachFacts } from "./attach-facts.ts";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { streamEncoder } from "./encode-answer.ts";
import { encodeAnswer } from "./encode-whole-answer.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "vendor/model",
  createdAtS: 0,
  includeUsage: true,
  issuer: "anthropic",
};
const decoding = { classify: () => failure("upstream_failed", "x"), quirks: plainChatQuirks, maxEventBytes: 1 << 24 };

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

function decodeStream(text: string): readonly AnswerEvent[] {
  const found: AnswerEvent[] = [];
  const decoder = streamDecoder(decoding, (frame) => found.push(...frame.events));
  decoder.push(Buffer.from(text));
  decoder.end();
  return found;
}

/** Grammar of protocols.md §11: throws at the first frame that breaks it. */
function checkGrammar(stream: readonly Record<string, unknown>[]): void {
  let state: "before" | "between" | "inside" | "delta" | "over" = "before";
  let index = -1;
  let type: unknown;
  const kinds: Readonly<Record<string, readonly string[]>> = {
    text: ["text_delta"],
    tool_use: ["input_json_delta"],
    thinking: ["thinking_delta", "signature_delta"],
    redacted_thinking: [],
  };
  let signed = false;
  for (const message of stream) {
    const at = (allowed: typeof state): void => expect(state, JSON.stringify(message)).toBe(allowed);
    switch (message["type"]) {
      case "ping":
        break;
      case "message_start":
        at("before");
        state = "between";
        break;
      case "content_block_start":
        at("between");
        index += 1;
        expect(message["index"]).toBe(index);
        type = (message["content_block"] as { type: unknown }).type;
        signed = false;
        state = "inside";
        break;
      case "content_block_delta": {
        at("inside");
        expect(message["index"]).toBe(index);
        const kind = (message["delta"] as { type: string }).type;
        expect(kinds[String(type)]).toContain(kind);
        expect(signed).toBe(false);
        signed = kind === "signature_delta";
        break;
      }
      case "content_block_stop":
        at("inside");
        expect(message["index"]).toBe(index);
        state = "between";
        break;
      case "message_delta":
        at("between");
        state = "delta";
        break;
      case "message_stop":
        at("delta");
        state = "over";
        break;
      default:
        throw new Error(`unexpected ${String(message["type"])}`);
    }
  }
  expect(state).toBe("over");
}

/** What an answer says, whatever its pieces: blocks in the order their first content came. */
interface Meaning {
  readonly blocks: readonly object[];
  readonly finish: string | undefined;
}

function meaningOf(events: readonly AnswerEvent[]): Meaning {
  const blocks = new Map<number, Record<string, string>>();
  let finish: string | undefined;
  const of = (block: number, kind: string): Record<string, string> => {
    const known = blocks.get(block) ?? { kind };
    blocks.set(block, known);
    return known;
  };
  const append = (block: Record<string, string>, key: string, text: string): void => {
    block[key] = (block[key] ?? "") + text;
  };
  for (const event of events) {
    if (event.kind === "text-delta" && event.text !== "") append(of(event.block, "text"), "text", event.text);
    if (event.kind === "reasoning-start" && event.redacted !== undefined) of(event.block, "redacted")["data"] = event.redacted;
    if (event.kind === "reasoning-delta" && event.text !== "") append(of(event.block, "reasoning"), "text", event.text);
    if (event.kind === "reasoning-signature") of(event.block, "reasoning")["signature"] = event.signature;
    if (event.kind === "tool-start") Object.assign(of(event.block, "tool"), { id: event.id, name: event.name, json: "" });
    if (event.kind === "tool-delta") append(of(event.block, "tool"), "json", event.json);
    if (event.kind === "finish") finish = event.finish.reason;
  }
  return {
    blocks: [...blocks.values()].map((block) => (block["kind"] === "tool" && block["json"] === "" ? { ...block, json: "{}" } : block)),
    finish,
  };
}

interface Script {
  readonly events: readonly AnswerEvent[];
}

const pieces = fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom("", "☃🌍", "\n\n", "data: x")), { maxLength: 5 });

const blockScript = (block: number): fc.Arbitrary<readonly AnswerEvent[]> =>
  fc.oneof(
    pieces.map((texts): readonly AnswerEvent[] => [
      { kind: "text-start", block },
      ...texts.map((text): AnswerEvent => ({ kind: "text-delta", block, text })),
      { kind: "text-end", block },
    ]),
    fc.tuple(pieces, fc.option(fc.base64String({ minLength: 4, maxLength: 16 }))).map(([texts, signature]): readonly AnswerEvent[] => [
      { kind: "reasoning-start", block },
      ...texts.map((text): AnswerEvent => ({ kind: "reasoning-delta", block, text })),
      ...(signature === null ? [] : [{ kind: "reasoning-signature", block, signature } as const]),
      { kind: "reasoning-end", block },
    ]),
    fc.constant<readonly AnswerEvent[]>([
      { kind: "reasoning-start", block, redacted: "cmVk" },
      { kind: "reasoning-end", block },
    ]),
    fc
      .tuple(fc.oneof(fc.json({ maxDepth: 2 }).map((json) => `{"v":${json}}`), fc.constant(""), fc.constant(`{"v":"${"x".repeat(5000)}"}`)), fc.array(fc.nat(20), { maxLength: 6 }))
      .map(([json, sizes]): readonly AnswerEvent[] => {
        const deltas: AnswerEvent[] = [];
        let rest = json;
        for (const size of sizes) {
          deltas.push({ kind: "tool-delta", block, json: rest.slice(0, size) });
          rest = rest.slice(size);
        }
        if (rest !== "") deltas.push({ kind: "tool-delta", block, json: rest });
        return [{ kind: "tool-start", block, id: `toolu_${block}`, name: "f" }, ...deltas, { kind: "tool-end", block }];
      }),
  );

/** Blocks interleaved at random; some never end before the finish does it for them. */
const script: fc.Arbitrary<Script> = fc
  .tuple(
    fc.nat(6).chain((count) => fc.tuple(...Array.from({ length: count }, (_, block) => blockScript(block)))),
    fc.array(fc.nat(100), { maxLength: 200 }),
    fc.constantFrom<FinishReason>("stop", "length", "tools", "stop-sequence", "policy", "paused", "context"),
    fc.boolean(),
  )
  .map(([blocks, choices, reason, unclosed]) => {
    const queues = blocks.map((events) => [...(unclosed ? events.slice(0, -1) : events)]);
    const events: AnswerEvent[] = [{ kind: "start", id: "msg_1", model: "m" }];
    for (let step = 0; queues.some((queue) => queue.length > 0); step += 1) {
      const open = queues.filter((queue) => queue.length > 0);
      const next = open[(choices[step] ?? 0) % open.length]?.shift();
      if (next !== undefined) events.push(next);
    }
    return {
      events: [
        ...events,
        { kind: "finish", finish: { reason } },
        { kind: "usage", usage: { ...emptyUsage, inputUncached: 3, cacheRead: 2, output: 5, reasoning: 1 } },
        { kind: "end" },
      ],
    };
  });

describe("the stream encoder of Messages", () => {
  it("obeys the grammar whatever interleaves, and means the same when it is read back", () => {
    fc.assert(
      fc.property(script, ({ events }) => {
        const text = encode(events);
        checkGrammar(messages(text));
        const expected = meaningOf(events);
        const tools = expected.blocks.some((block) => "json" in block);
        const finish = expected.finish === "stop" && tools ? "tools" : expected.finish;
        expect(meaningOf(decodeStream(text))).toEqual({ ...expected, finish });
      }),
      { numRuns: 400 },
    );
  });

  it("says the same streamed and whole", () => {
    fc.assert(
      fc.property(script, ({ events }) => {
        const body = encodeAnswer(events, options);
        expect(body).toBeDefined();
        const streamed = meaningOf(decodeStream(encode(events)));
        const whole = meaningOf(decodeAnswer(body ?? new Uint8Array(0), decoding));
        const numbers = (meaning: Meaning): object => JSON.parse(JSON.stringify(meaning.blocks, (key, value: unknown) => (key === "json" ? JSON.parse(String(value)) : value))) as object;
        expect(whole.finish).toBe(streamed.finish);
        expect(new Set(Object.values(numbers(whole)).map((block) => JSON.stringify(block)))).toEqual(
          new Set(Object.values(numbers(streamed)).map((block) => JSON.stringify(block))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("is accumulated by the official SDK to the message it encodes whole", async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ events }) => {
        const client = new Anthropic({
          apiKey: "k",
          maxRetries: 0,
          fetch: async () => new Response(encode(events), { headers: { "content-type": "text/event-stream" } }),
        });
        const stream = client.messages.stream({ model: "m", max_tokens: 9, messages: [{ role: "user", content: "x" }] });
        const message = await stream.finalMessage();
        const body: unknown = JSON.parse(Buffer.from(encodeAnswer(events, options) ?? []).toString());
        const whole = body as { content: object[]; stop_reason: string };
        const said = (content: readonly object[]): readonly string[] => content.map((block) => JSON.stringify(Object.entries(block).toSorted())).toSorted();
        expect(said(message.content)).toEqual(said(whole.content));
        expect(message.stop_reason).toBe(whole.stop_reason);
        expect(message.usage).toMatchObject({ input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 6, output_tokens_details: { thinking_tokens: 1 } });
      }),
      { numRuns: 60 },
    );
  });

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
    const said = Array.from({ length: 10 }, () => encoder.encode({ kind: "tool-delta", block: 1, json })).filter((text) => text !== "");
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
        usage: { input_tokens: 7, cache_creation_input_tokens: 3, cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 } },
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

  it("gives refusal text as text and the stop reason refusal", () => {
    const events: readonly AnswerEvent[] = [
      { kind: "refusal-delta", text: "I " },
      { kind: "refusal-delta", text: "won't." },
      { kind: "finish", finish: { reason: "stop" } },
      { kind: "end" },
    ];
    const stream = messages(encode(events));
    checkGrammar(stream);
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

  it("puts late facts into message_stop and into a whole answer", () => {
    const facts = (): object => ({ attempts: 2 });
    const events: readonly AnswerEvent[] = [{ kind: "text-delta", block: 0, text: "a" }, { kind: "end" }];
    expect(messages(encode(events, { facts })).at(-1)).toEqual({ type: "message_stop", hedgerow: { attempts: 2 } });
    expect(JSON.parse(Buffer.from(encodeAnswer(events, { ...options, facts }) ?? []).toString())).toMatchObject({ hedgerow: { attempts: 2 } });
  });
});

describe("encodeAnswer of Messages", () => {
  it("gives nothing for an answer that did not end", () => {
    expect(encodeAnswer([{ kind: "text-delta", block: 0, text: "a" }, { kind: "finish", finish: { reason: "stop" } }], options)).toBeUndefined();
    expect(encodeAnswer([{ kind: "failed", failure: failure("upstream_failed", "x") }], options)).toBeUndefined();
  });

  it("keeps the digits of tool arguments and wraps those that are no object", () => {
    const tool = (block: number, json: string): readonly AnswerEvent[] => [
      { kind: "tool-start", block, id: block === 1 ? "" : `t${block}`, name: "f" },
      { kind: "tool-delta", block, json },
    ];
    const body = encodeAnswer([...tool(0, '{"n":1.0,"m":12345678901234567890}'), ...tool(1, '{"cut":'), ...tool(2, ""), { kind: "end" }], options);
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
    const text = Buffer.from(attachFacts(Buffer.from(frame), { a: "}" })).toString();
    expect(JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1))).toEqual(expected);
    expect(text.replace(/,?"hedgerow":\{"a":"\}"\}/u, "")).toBe(frame);
  });

  it("adds to the last of several frames", () => {
    const text = encode([{ kind: "text-delta", block: 0, text: "a" }, { kind: "end" }]);
    const stream = messages(Buffer.from(attachFacts(Buffer.from(text), { a: 1 })).toString());
    expect(stream.at(-1)).toEqual({ type: "message_stop", hedgerow: { a: 1 } });
    expect(stream.filter((message) => "hedgerow" in message)).toHaveLength(1);
  });
});
