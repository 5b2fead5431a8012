import Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
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
    if (event.kind === "reasoning-start" && event.redacted !== undefined)
      of(event.block, "redacted")["data"] = event.redacted;
    if (event.kind === "reasoning-delta" && event.text !== "") append(of(event.block, "reasoning"), "text", event.text);
    if (event.kind === "reasoning-signature") of(event.block, "reasoning")["signature"] = event.signature;
    if (event.kind === "tool-start")
      Object.assign(of(event.block, "tool"), { id: event.id, name: event.name, json: "" });
    if (event.kind === "tool-delta") append(of(event.block, "tool"), "json", event.json);
    if (event.kind === "finish") finish = event.finish.reason;
  }
  return {
    blocks: [...blocks.values()].map(withArguments),
    finish,
  };
}

function withArguments(block: Record<string, string>): object {
  return block["kind"] === "tool" && block["json"] === "" ? { ...block, json: "{}" } : block;
}

function withParsedArguments(block: object): object {
  return "json" in block ? { ...block, json: JSON.parse(String(block.json)) as unknown } : block;
}

interface Script {
  readonly events: readonly AnswerEvent[];
}

const pieces = fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom("", "☃🌍", "\n\n", "data: x")), {
  maxLength: 5,
});

function textEvents(block: number, texts: readonly string[]): readonly AnswerEvent[] {
  const deltas = texts.map((text): AnswerEvent => ({ kind: "text-delta", block, text }));
  return [{ kind: "text-start", block }, ...deltas, { kind: "text-end", block }];
}

function reasoningEvents(block: number, texts: readonly string[], signature: string | null): readonly AnswerEvent[] {
  const deltas = texts.map((text): AnswerEvent => ({ kind: "reasoning-delta", block, text }));
  const sealed: readonly AnswerEvent[] = signature === null ? [] : [{ kind: "reasoning-signature", block, signature }];
  return [{ kind: "reasoning-start", block }, ...deltas, ...sealed, { kind: "reasoning-end", block }];
}

/** The arguments cut at the given sizes. */
function toolEvents(block: number, json: string, sizes: readonly number[]): readonly AnswerEvent[] {
  const deltas: AnswerEvent[] = [];
  let rest = json;
  for (const size of [...sizes, rest.length]) {
    deltas.push({ kind: "tool-delta", block, json: rest.slice(0, size) });
    rest = rest.slice(size);
  }
  return [{ kind: "tool-start", block, id: `toolu_${block}`, name: "f" }, ...deltas, { kind: "tool-end", block }];
}

const blockScript = (block: number): fc.Arbitrary<readonly AnswerEvent[]> =>
  fc.oneof(
    pieces.map((texts) => textEvents(block, texts)),
    fc
      .tuple(pieces, fc.option(fc.base64String({ minLength: 4, maxLength: 16 })))
      .map((spec) => reasoningEvents(block, ...spec)),
    fc.constant<readonly AnswerEvent[]>([
      { kind: "reasoning-start", block, redacted: "cmVk" },
      { kind: "reasoning-end", block },
    ]),
    fc
      .tuple(
        fc.oneof(
          fc.json({ maxDepth: 2 }).map((json) => `{"v":${json}}`),
          fc.constant(""),
          fc.constant(`{"v":"${"x".repeat(5000)}"}`),
        ),
        fc.array(fc.nat(20), { maxLength: 6 }),
      )
      .map((spec) => toolEvents(block, ...spec)),
  );

/** Blocks interleaved at random; some never end before the finish does it for them. */
const script: fc.Arbitrary<Script> = fc
  .tuple(
    fc.nat(6).chain((count) => fc.tuple(...Array.from({ length: count }, (_, block) => blockScript(block)))),
    fc.array(fc.nat(100), { maxLength: 200 }),
    fc.constantFrom<FinishReason>("stop", "length", "tools", "stop-sequence", "policy", "paused", "context"),
    fc.boolean(),
  )
  .map((spec) => interleaved(...spec));

// oxlint-disable-next-line max-params -- spread from a tuple of arbitraries
function interleaved(
  blocks: readonly (readonly AnswerEvent[])[],
  choices: readonly number[],
  reason: FinishReason,
  unclosed: boolean,
): Script {
  const queues = blocks.map((events) => events.slice(0, unclosed ? -1 : events.length));
  const events: AnswerEvent[] = [{ kind: "start", id: "msg_1", model: "m" }];
  for (let step = 0; queues.some((queue) => queue.length > 0); step += 1) {
    const open = queues.filter((queue) => queue.length > 0);
    const next = open[(choices[step] ?? 0) % open.length]?.shift();
    if (next !== undefined) events.push(next);
  }
  const usage = { ...emptyUsage, inputUncached: 3, cacheRead: 2, output: 5, reasoning: 1 };
  events.push({ kind: "finish", finish: { reason } }, { kind: "usage", usage }, { kind: "end" });
  return { events };
}

describe("the stream encoder of Messages, on generated answers", () => {
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
        const whole = meaningOf(decodeAnswer(encodeAnswer(events, options) ?? new Uint8Array(0), decoding));
        const streamed = meaningOf(decodeStream(encode(events)));
        expect(whole.finish).toBe(streamed.finish);
        expect(whole.blocks.map(withParsedArguments)).toEqual(streamed.blocks.map(withParsedArguments));
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
        const stream = client.messages.stream({
          model: "m",
          max_tokens: 9,
          messages: [{ role: "user", content: "x" }],
        });
        const message = await stream.finalMessage();
        const body: unknown = JSON.parse(Buffer.from(encodeAnswer(events, options) ?? []).toString());
        const whole = body as { content: object[]; stop_reason: string };
        expect(JSON.parse(JSON.stringify(message.content))).toEqual(whole.content);
        expect(message.stop_reason).toBe(whole.stop_reason);
        expect(message.usage).toMatchObject({
          input_tokens: 3,
          cache_read_input_tokens: 2,
          output_tokens: 6,
          output_tokens_details: { thinking_tokens: 1 },
        });
      }),
      { numRuns: 60 },
    );
  });
});
