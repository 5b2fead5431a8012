import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { DecodeOptions, EncodeOptions, EncodeTarget } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, ToolResultPart, Turn } from "#domain/request";
import { emptyUsage, type Usage } from "#domain/usage";

const words = fc.string({ minLength: 1, maxLength: 12, unit: "binary" });
const names = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/u);
const json = fc.jsonValue().map((value) => JSON.stringify({ value }));

// Answers.

interface Block {
  readonly kind: "text" | "reasoning" | "redacted" | "tool";
  readonly pieces: readonly string[];
  readonly name: string;
  readonly seal?: string;
}

const block: fc.Arbitrary<Block> = fc.record(
  {
    kind: fc.constantFrom<Block["kind"]>("text", "reasoning", "redacted", "tool"),
    pieces: fc.array(words, { minLength: 1, maxLength: 4 }),
    name: names,
    seal: words,
  },
  { requiredKeys: ["kind", "pieces", "name"] },
);

const usages: fc.Arbitrary<Usage> = fc
  .record({
    inputUncached: fc.nat(999),
    cacheRead: fc.nat(999),
    cacheWrite: fc.nat(999),
    output: fc.nat(999),
    reasoning: fc.nat(999),
  })
  .map((counts) => Object.assign({}, emptyUsage, counts));

const reasons = fc.constantFrom<FinishReason>("stop", "length", "policy");

function eventsOf(blocks: readonly Block[], usage: Usage, reason: FinishReason): AnswerEvent[] {
  const events: AnswerEvent[] = [{ kind: "start", id: "a1", model: "m", createdAtS: 5 }];
  const late: AnswerEvent[] = [];
  for (const [number, { kind, pieces, name, seal }] of blocks.entries()) {
    const at = { block: number };
    if (kind === "text") {
      events.push(
        { kind: "text-start", ...at },
        ...pieces.map((text) => ({ kind: "text-delta" as const, ...at, text })),
      );
      events.push({ kind: "text-end", ...at });
    } else if (kind === "reasoning") {
      events.push({ kind: "reasoning-start", ...at });
      events.push(...pieces.map((text) => ({ kind: "reasoning-delta" as const, ...at, text })));
      if (seal !== undefined) events.push({ kind: "reasoning-signature", ...at, signature: seal });
      events.push({ kind: "reasoning-end", ...at });
    } else if (kind === "redacted") {
      events.push({ kind: "reasoning-start", ...at, redacted: name }, { kind: "reasoning-end", ...at });
    } else {
      events.push({ kind: "tool-start", ...at, id: `id_${number}`, name });
      // Arguments may come interleaved: half of them wait until every block has begun.
      const [first = "", ...others] = pieces;
      events.push({ kind: "tool-delta", ...at, json: first });
      for (const piece of others) late.push({ kind: "tool-delta", block: number, json: piece });
      late.push({ kind: "tool-end", block: number });
    }
  }
  const hasTools = blocks.some((each) => each.kind === "tool");
  const finish = { reason: reason === "stop" && hasTools ? ("tools" as const) : reason };
  return [...events, ...late, { kind: "usage", usage }, { kind: "finish", finish }, { kind: "end" }];
}

/** What an answer says, without how it was cut into events: neighbouring unsealed text of one kind counts as one. */
function meaningOf(events: readonly AnswerEvent[]): unknown {
  const said: { kind: string; text: string; seal?: string; id?: string }[] = [];
  const tools = new Map<number, { id: string; name: string; json: string }>();
  let usage: Usage | undefined;
  let reason: string | undefined;
  const add = (kind: string, text: string): void => {
    const last = said.at(-1);
    if (last?.kind === kind && last.seal === undefined) last.text += text;
    else said.push({ kind, text });
  };
  for (const event of events) {
    if (event.kind === "text-delta") add("text", event.text);
    else if (event.kind === "reasoning-delta") add("reasoning", event.text);
    else if (event.kind === "reasoning-signature") said.at(-1)!.seal = event.signature;
    else if (event.kind === "reasoning-start" && event.redacted !== undefined)
      said.push({ kind: "redacted", text: event.redacted });
    else if (event.kind === "tool-start") tools.set(event.block, { id: event.id, name: event.name, json: "" });
    else if (event.kind === "tool-delta") tools.get(event.block)!.json += event.json;
    else if (event.kind === "usage") usage = event.usage;
    else if (event.kind === "finish") reason = event.finish.reason;
  }
  return { said, tools: [...tools.values()], usage, reason, ended: events.at(-1)?.kind === "end" };
}

const encodeOptions: EncodeOptions = {
  fallbackId: "f",
  model: "m",
  createdAtS: 1,
  includeUsage: true,
  issuer: "anthropic",
};
const decodeOptions: DecodeOptions = {
  classify: () => failure("upstream_failed", "complaint"),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 20,
};

function decodeSplit(bytes: Buffer, cuts: readonly number[]): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const decoder = openaiChat.streamDecoder(decodeOptions, (frame) => events.push(...frame.events));
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, place] of places.slice(1).entries()) decoder.push(bytes.subarray(places[index], place));
  decoder.end();
  return events;
}

describe("answers", () => {
  it("mean the same after the stream encoder and the stream decoder, whatever the split", () => {
    const answers = fc.tuple(fc.array(block, { maxLength: 7 }), usages, reasons);
    fc.assert(
      fc.property(answers, fc.array(fc.nat(), { maxLength: 6 }), ([blocks, usage, reason], cuts) => {
        const events = eventsOf(blocks, usage, reason);
        expect(breachOf(events)).toBeUndefined();
        const encoder = openaiChat.streamEncoder(encodeOptions);
        const stream = Buffer.from(events.map((event) => encoder.encode(event)).join(""));
        const again = decodeSplit(stream, cuts);
        expect(breachOf(again)).toBeUndefined();
        expect(meaningOf(again)).toEqual(meaningOf(events));
        expect(encoder.warnings).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("mean the same after a whole answer was written and read, one block of each kind", () => {
    const ordered = fc.record({
      thought: fc.option(block),
      text: fc.option(words),
      calls: fc.array(block, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(ordered, usages, ({ thought, text, calls }, usage) => {
        const blocks: Block[] = [
          ...(thought === null ? [] : [{ ...thought, kind: "reasoning" as const }]),
          ...(text === null ? [] : [{ kind: "text" as const, pieces: [text], name: "x" }]),
          ...calls.map((call) => ({ ...call, kind: "tool" as const })),
        ];
        const events = eventsOf(blocks, usage, "stop");
        const body = openaiChat.encodeAnswer(events, encodeOptions);
        const again = openaiChat.decodeAnswer(body!, decodeOptions);
        expect(breachOf(again)).toBeUndefined();
        expect(meaningOf(again)).toEqual(meaningOf(events));
      }),
      { numRuns: 300 },
    );
  });

  it("keep the grammar on streams of arbitrary chunks, and never throw", () => {
    const delta = fc.record(
      {
        content: fc.oneof(words, fc.constant(null), fc.constant(""), fc.jsonValue()),
        reasoning_content: fc.oneof(words, fc.constant(null)),
        refusal: fc.oneof(words, fc.constant(null)),
        tool_calls: fc.array(
          fc.record(
            {
              index: fc.nat(3),
              id: fc.constantFrom("", "a", "b"),
              function: fc.record({ name: fc.constantFrom("", "f"), arguments: words }, { requiredKeys: [] }),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 3 },
        ),
      },
      { requiredKeys: [] },
    );
    const choice = fc.record(
      {
        index: fc.nat(2),
        delta: fc.oneof({ weight: 9, arbitrary: delta }, fc.jsonValue()),
        finish_reason: fc.constantFrom(null, null, null, "stop", "length"),
      },
      { requiredKeys: ["delta"] },
    );
    const chunk = fc.record(
      {
        id: words,
        choices: fc.array(fc.oneof({ weight: 20, arbitrary: choice }, fc.jsonValue()), { maxLength: 2 }),
        usage: fc.jsonValue(),
      },
      { requiredKeys: ["choices"] },
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), fc.boolean(), (chunks, isDone) => {
        const stream =
          chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join("") + (isDone ? "data: [DONE]\n\n" : "");
        const events = decodeSplit(Buffer.from(stream), []).filter((event) => event.kind !== "foreign");
        expect(breachOf(events)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});

// Requests.

const textPart = words.map((text): Part => ({ kind: "text", text }));
const mediaPart = fc.constantFrom<Part>(
  { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" }, detail: "low" },
  { kind: "image", source: { kind: "url", url: "https://example.com/a.png" } },
  { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBE" }, title: "a.pdf" },
  { kind: "audio", format: "wav", data: "AAAA" },
);
const userTurn = fc
  .tuple(fc.array(textPart, { minLength: 1, maxLength: 2 }), fc.array(mediaPart, { maxLength: 2 }))
  // Text alone is sent as one string, so only a prompt with other parts keeps several texts apart.
  .map(([texts, media]): Turn => ({
    role: "user",
    parts: media.length === 0 ? texts.slice(0, 1) : [...texts, ...media],
  }));
const toolTurns = fc.array(fc.tuple(names, json, words), { minLength: 1, maxLength: 3 }).map((calls): Turn[] => [
  {
    role: "assistant",
    parts: calls.map(([name, argumentsJson], index) => ({
      kind: "tool-call",
      id: `call_${index}`,
      name,
      argumentsJson,
    })),
  },
  {
    role: "user",
    parts: calls.map(([, , text], index): ToolResultPart => ({
      kind: "tool-result",
      callId: `call_${index}`,
      parts: [{ kind: "text", text }],
      failed: false,
    })),
  },
]);
const turns = fc
  .array(
    fc.oneof(
      words.map((text): Turn[] => [{ role: "system", parts: [{ kind: "text", text }] }]),
      userTurn.map((turn) => [turn]),
      words.map((text): Turn[] => [{ role: "assistant", parts: [{ kind: "text", text }] }]),
      toolTurns,
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.flat());

const requests: fc.Arbitrary<GenerateRequest> = fc.record(
  {
    model: fc.constant("target"),
    streamed: fc.constant(true),
    usageInStream: fc.constant(true),
    turns,
    tools: fc.uniqueArray(names, { minLength: 1, maxLength: 3 }).map((list) => {
      return list.map((name) => ({
        kind: "function" as const,
        name,
        description: "d",
        schema: { type: "object" },
        strict: true,
      }));
    }),
    toolChoice: fc.constantFrom({ kind: "auto" as const }, { kind: "none" as const }, { kind: "required" as const }),
    parallelTools: fc.boolean(),
    output: fc.constantFrom(
      { kind: "json" as const },
      { kind: "json-schema" as const, schema: { type: "object" }, name: "n", strict: false },
    ),
    sampling: fc.record(
      {
        temperature: fc.constantFrom(0, 0.5, 2),
        topP: fc.constant(0.1),
        frequencyPenalty: fc.constant(1),
        seed: fc.nat(),
        logitBias: fc.constant({ "5": 1 }),
      },
      { requiredKeys: [] },
    ),
    maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
    stop: fc.array(words, { maxLength: 4 }),
    reasoning: fc.constantFrom(
      { mode: "on" as const, effort: "low" as const },
      { mode: "off" as const, effort: "none" as const },
    ),
    user: words,
    choices: fc.integer({ min: 1, max: 4 }),
    logprobs: fc.constantFrom({}, { top: 3 }),
    serviceTier: fc.constantFrom("auto", "flex"),
    verbosity: fc.constantFrom("low", "high"),
    rest: fc.constant({}),
  },
  { requiredKeys: ["model", "streamed", "usageInStream", "turns", "tools", "sampling", "stop", "choices", "rest"] },
);

describe("requests", () => {
  const target: EncodeTarget = { model: "target", issuer: "openai", quirks: plainChatQuirks, streamed: true };

  it("mean the same after they were written and read, and are written the same twice", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const encoded = openaiChat.encodeRequest(request, target);
        if (encoded.kind === "refused") throw new Error(encoded.failure.message);
        const prefilled = request.turns.at(-1)?.role === "assistant";
        expect(encoded.warnings).toEqual(prefilled ? [expect.stringMatching(/^prefill: /)] : []);
        const again = openaiChat.decodeRequest(JSON.parse(Buffer.from(encoded.body).toString()), {});
        expect(again).toEqual({ kind: "decoded", request });
        const twice = openaiChat.encodeRequest(request, target);
        expect(twice.kind === "encoded" && Buffer.from(twice.body).equals(encoded.body)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("are read without a throw, whatever JSON comes", { timeout: 60_000 }, () => {
    const fields = fc.constantFrom(
      "model",
      "messages",
      "tools",
      "tool_choice",
      "stop",
      "response_format",
      "reasoning",
      "stream_options",
    );
    const message = fc.dictionary(
      fc.constantFrom("role", "content", "tool_calls", "reasoning_details", "tool_call_id"),
      fc.oneof(fc.jsonValue(), fc.constantFrom("user", "assistant", "tool")),
    );
    // Long lists of messages teach no more than short ones, and took nearly all of the time.
    const messages = fc.array(message, { maxLength: 4 });
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(fields, fc.oneof(fc.jsonValue(), messages)));
    fc.assert(
      fc.property(body, (value) => {
        const decoded = openaiChat.decodeRequest(value, {});
        if (decoded.kind === "decoded") expect(() => openaiChat.encodeRequest(decoded.request, target)).not.toThrow();
        else expect(decoded.failure.kind).toBe("invalid_request");
      }),
      { numRuns: 2000 },
    );
  });
});
