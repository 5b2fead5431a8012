import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { DecodeOptions, EncodeOptions } from "#dialects/dialect";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { emptyUsage } from "#domain/usage";
import { eventStreamDecoder } from "#wire/event-stream";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { streamEncoder } from "./encode-stream.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "vendor/model",
  createdAtS: 0,
  includeUsage: true,
  issuer: "anthropic",
};
const decoding: DecodeOptions = {
  classify: () => failure("upstream_failed", "x"),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 24,
};

function encode(events: readonly AnswerEvent[]): Buffer {
  const encoder = streamEncoder(options);
  return Buffer.concat(events.map((event) => Buffer.from(encoder.encode(event))));
}

function decodeStream(bytes: Uint8Array): readonly AnswerEvent[] {
  const found: AnswerEvent[] = [];
  const decoder = streamDecoder(decoding, (frame) => found.push(...frame.events));
  decoder.push(bytes);
  decoder.end();
  return found;
}

interface Body {
  readonly contentBlockIndex?: number;
  readonly start?: object;
  readonly delta?: Readonly<Record<string, unknown>>;
}

/** Grammar of protocols.md §11: fails at the first frame that breaks it. */
function checkGrammar(bytes: Uint8Array): void {
  let state: "before" | "between" | "inside" | "stopped" | "over" = "before";
  let index = -1;
  let kind: string | undefined;
  const check = (type: string, { contentBlockIndex, delta }: Body): void => {
    const at = (...allowed: readonly (typeof state)[]): void => expect(allowed, type).toContain(state);
    switch (type) {
      case "messageStart":
        at("before");
        state = "between";
        return;
      case "contentBlockStart":
        at("between");
        index += 1;
        expect(contentBlockIndex).toBe(index);
        kind = "toolUse";
        state = "inside";
        return;
      case "contentBlockDelta": {
        at("between", "inside");
        const [member] = Object.keys(delta ?? {});
        if (state === "between") index += 1;
        else expect(member).toBe(kind);
        if (state === "between") expect(["text", "reasoningContent"]).toContain(member);
        expect(contentBlockIndex).toBe(index);
        kind = member;
        state = "inside";
        return;
      }
      case "contentBlockStop":
        at("inside");
        expect(contentBlockIndex).toBe(index);
        state = "between";
        return;
      case "messageStop":
        at("between");
        state = "stopped";
        return;
      case "metadata":
        at("stopped");
        state = "over";
        return;
      default:
        expect.unreachable(type);
    }
  };
  const decoder = eventStreamDecoder({
    maxFrameBytes: 1 << 24,
    onFrame: ({ headers, payload }) => {
      check(headers[":event-type"] ?? "", JSON.parse(Buffer.from(payload).toString()) as Body);
    },
    onProblem: ({ message }) => expect.unreachable(message),
  });
  decoder.push(bytes);
  decoder.end();
  expect(state).toBe("over");
}

interface Meaning {
  readonly blocks: readonly Readonly<Record<string, string>>[];
  readonly finish: string | undefined;
}

/** What an answer says, whatever its pieces: blocks in the order their first content came. */
function meaningOf(events: readonly AnswerEvent[]): Meaning {
  const blocks = new Map<number, Record<string, string>>();
  let finish: string | undefined;
  const append = (block: number, field: string, text: string): void => {
    const known = blocks.get(block) ?? {};
    blocks.set(block, { ...known, [field]: (known[field] ?? "") + text });
  };
  for (const event of events) {
    if (event.kind === "text-delta" && event.text !== "") append(event.block, "text", event.text);
    if (event.kind === "reasoning-start" && event.redacted !== undefined) append(event.block, "data", event.redacted);
    if (event.kind === "reasoning-delta" && event.text !== "") append(event.block, "thought", event.text);
    if (event.kind === "reasoning-signature") append(event.block, "signature", event.signature);
    if (event.kind === "tool-start") append(event.block, "tool", `${event.id} ${event.name}`);
    if (event.kind === "tool-delta") append(event.block, "json", event.json);
    if (event.kind === "finish") finish = event.finish.reason;
  }
  return { blocks: [...blocks.values()].map(withArguments), finish };
}

/** A call without arguments has an empty object; how its JSON is spaced means nothing. */
function withArguments(block: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (block["tool"] === undefined) return block;
  return { ...block, json: JSON.stringify(JSON.parse(block["json"] === "" ? "{}" : (block["json"] ?? "{}"))) };
}

const pieces = fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom("", "☃🌍")), { maxLength: 5 });

function around(first: AnswerEvent, inside: readonly AnswerEvent[], last: AnswerEvent): readonly AnswerEvent[] {
  return [first, ...inside, last];
}

function textEvents(block: number, texts: readonly string[]): readonly AnswerEvent[] {
  const deltas = texts.map((piece): AnswerEvent => ({ kind: "text-delta", block, text: piece }));
  return around({ kind: "text-start", block }, deltas, { kind: "text-end", block });
}

function thoughtEvents(block: number, texts: readonly string[], signature: string | null): readonly AnswerEvent[] {
  const deltas = texts.map((piece): AnswerEvent => ({ kind: "reasoning-delta", block, text: piece }));
  if (signature !== null) deltas.push({ kind: "reasoning-signature", block, signature });
  return around({ kind: "reasoning-start", block }, deltas, { kind: "reasoning-end", block });
}

function callEvents(block: number, pieces: readonly string[]): readonly AnswerEvent[] {
  const deltas = pieces.map((json): AnswerEvent => ({ kind: "tool-delta", block, json }));
  return around({ kind: "tool-start", block, id: `t${block}`, name: "f" }, deltas, { kind: "tool-end", block });
}

const blockScript = (block: number): fc.Arbitrary<readonly AnswerEvent[]> =>
  fc.oneof(
    pieces.map((texts) => textEvents(block, texts)),
    fc
      .tuple(pieces, fc.option(fc.base64String({ minLength: 4, maxLength: 16 })))
      .map(([texts, signature]) => thoughtEvents(block, texts, signature)),
    fc.constant(around({ kind: "reasoning-start", block, redacted: "cmVk" }, [], { kind: "reasoning-end", block })),
    fc
      .tuple(fc.json({ maxDepth: 2 }), fc.nat(12))
      .map(([json, cut]) => callEvents(block, [`{"v":${json}}`.slice(0, cut), `{"v":${json}}`.slice(cut)])),
    fc.constant(callEvents(block, [])),
  );

interface Script {
  readonly blocks: readonly (readonly AnswerEvent[])[];
  readonly choices: readonly number[];
  readonly reason: FinishReason;
  readonly unclosed: boolean;
}

const script: fc.Arbitrary<Script> = fc.record({
  blocks: fc.nat(6).chain((count) => fc.tuple(...Array.from({ length: count }, (_, block) => blockScript(block)))),
  choices: fc.array(fc.nat(100), { maxLength: 100 }),
  reason: fc.constantFrom<FinishReason>("stop", "length", "tools", "stop-sequence", "policy", "context", "malformed"),
  unclosed: fc.boolean(),
});

/** Blocks interleaved at random; some never end before the finish does it for them. */
function interleaved({ blocks, choices, reason, unclosed }: Script): readonly AnswerEvent[] {
  const queues = blocks.map((events) => events.slice(0, unclosed ? -1 : events.length));
  const events: AnswerEvent[] = [{ kind: "start", id: "a", model: "m" }];
  for (let step = 0; queues.some((queue) => queue.length > 0); step += 1) {
    const open = queues.filter((queue) => queue.length > 0);
    const next = open[(choices[step] ?? 0) % open.length]?.shift();
    if (next !== undefined) events.push(next);
  }
  const usage = { ...emptyUsage, inputUncached: 3, cacheRead: 2, output: 5 };
  return [...events, { kind: "finish", finish: { reason } }, { kind: "usage", usage }, { kind: "end" }];
}

describe("the encoders of Converse, on generated answers", () => {
  it("obey the grammar of streams whatever interleaves, and mean the same when they are read back", () => {
    fc.assert(
      fc.property(script, (given) => {
        const events = interleaved(given);
        const bytes = encode(events);
        checkGrammar(bytes);
        const expected = meaningOf(events);
        const tools = expected.blocks.some((block) => block["tool"] !== undefined);
        const finish = expected.finish === "stop" && tools ? "tools" : expected.finish;
        const read = decodeStream(bytes);
        expect(breachOf(read)).toBeUndefined();
        expect(meaningOf(read)).toEqual({ ...expected, finish });
      }),
      { numRuns: 300 },
    );
  });

  it("say the same streamed and whole", () => {
    fc.assert(
      fc.property(script, (given) => {
        const events = interleaved(given);
        const whole = decodeAnswer(encodeAnswer(events, options) ?? new Uint8Array(0), decoding);
        const streamed = decodeStream(encode(events));
        expect(meaningOf(whole)).toEqual(meaningOf(streamed));
        const usageIn = (all: readonly AnswerEvent[]) => all.find(({ kind }) => kind === "usage");
        expect(usageIn(whole)).toEqual(usageIn(streamed));
      }),
      { numRuns: 200 },
    );
  });
});
