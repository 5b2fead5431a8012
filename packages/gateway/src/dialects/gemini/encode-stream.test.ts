import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { streamEncoder } from "./encode-stream.ts";
import { gemini } from "./index.ts";
import { foreignMark } from "./seal-tag.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "gpt-5.4",
  createdAtS: 0,
  includeUsage: true,
  issuer: "openai",
};

type Json = Record<string, unknown>;

const start: AnswerEvent = { kind: "start", id: "a1", model: "m1" };
const end: AnswerEvent = { kind: "end" };

function finish(reason: FinishReason, raw?: string): AnswerEvent {
  return { kind: "finish", finish: { reason, ...(raw === undefined ? {} : { raw }) } };
}

function textEvents(block: number, ...pieces: readonly string[]): AnswerEvent[] {
  return [
    { kind: "text-start", block },
    ...pieces.map((piece): AnswerEvent => ({ kind: "text-delta", block, text: piece })),
    { kind: "text-end", block },
  ];
}

function toolEvents(block: number, name: string, ...pieces: readonly string[]): AnswerEvent[] {
  return [
    { kind: "tool-start", block, id: `id_${block}`, name },
    ...pieces.map((json): AnswerEvent => ({ kind: "tool-delta", block, json })),
    { kind: "tool-end", block },
  ];
}

function thoughtEvents(block: number, words: string, signature?: string): AnswerEvent[] {
  return [
    { kind: "reasoning-start", block },
    { kind: "reasoning-delta", block, text: words },
    ...(signature === undefined ? [] : [{ kind: "reasoning-signature" as const, block, signature }]),
    { kind: "reasoning-end", block },
  ];
}

/** What the stream's encoder says to each event. */
function framesOf(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): readonly string[] {
  const encoder = streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event));
}

/** The chunks of an answer with these events between its start and its end. */
function chunksOf(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): readonly Json[] {
  return framesOf([start, ...events, end], more)
    .join("")
    .split("\r\n\r\n")
    .map((frame) => frame.trim())
    .filter((frame) => frame !== "")
    .map((frame) => JSON.parse(frame.slice("data: ".length)) as Json);
}

function partsIn(answer: Json): unknown {
  const [candidate] = answer["candidates"] as { content: { parts: unknown } }[];
  return candidate?.content.parts;
}

const head = { modelVersion: "m1", responseId: "a1" };
const mark = foreignMark("openai");

describe("a stream in Gemini's language", () => {
  it("is chunks that are whole answers, with a part in each and the finish in the last", () => {
    const usage: AnswerEvent = { kind: "usage", usage: { ...emptyUsage, inputUncached: 3, output: 2 } };
    const said = chunksOf([
      ...textEvents(0, "a", "b"),
      ...toolEvents(1, "f", '{"a"', ":1}"),
      usage,
      finish("tools"),
      usage,
    ]);
    const chunk = (part: object): object => ({
      candidates: [{ content: { parts: [part], role: "model" }, index: 0 }],
      ...head,
    });
    expect(said).toEqual([
      chunk({ text: "a" }),
      chunk({ text: "b" }),
      chunk({ functionCall: { id: "id_1", name: "f", args: { a: 1 } }, thoughtSignature: mark }),
      {
        candidates: [{ content: { parts: [{ text: "" }], role: "model" }, finishReason: "STOP", index: 0 }],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
        ...head,
      },
    ]);
  });

  it("keeps arguments that came on several lines in one event", () => {
    const events = [start, ...toolEvents(0, "f", '{\n  "a": "x\\n",\r\n  "b": 1.0\n}'), finish("tools"), end];
    const event = framesOf(events).find((frame) => frame.includes("functionCall")) ?? "";
    expect(event.split("\r\n")).toHaveLength(3);
    expect(event).toContain(String.raw`"args":{   "a": "x\n",   "b": 1.0 }`);
  });

  it("ends lines as Google does, keeps alive with white space, and says nothing after its end", () => {
    const said = framesOf([start, { kind: "ping" }, ...textEvents(0, "a"), finish("stop"), end, { kind: "ping" }, end]);
    expect(said[1]).toBe("\r\n");
    expect(said.slice(-2)).toEqual(["", ""]);
    expect(said.join("").replaceAll("\r\n", "")).not.toContain("\n");
    expect(Buffer.from(gemini.heartbeat).toString()).toBe("\r\n");
  });

  it("ends in Google's error, and without a finish", () => {
    const failed: AnswerEvent = { kind: "failed", failure: failure("truncated_response", "cut") };
    const said = framesOf([start, ...textEvents(0, "a"), failed, end]).join("");
    expect(said).not.toContain("finishReason");
    const last = said.trimEnd().split("\r\n\r\n").at(-1) ?? "";
    expect(JSON.parse(last.slice("data: ".length))).toMatchObject({ error: { code: 502, status: "UNAVAILABLE" } });
  });

  it("is broken off where a call grows without bound", () => {
    const piece: AnswerEvent = { kind: "tool-delta", block: 0, json: "x".repeat(1024 * 1024) };
    const said = framesOf([
      start,
      { kind: "tool-start", block: 0, id: "x", name: "f" },
      ...Array.from({ length: 9 }, () => piece),
    ]);
    expect(said.slice(0, -1).join("")).toBe("");
    expect(said.at(-1)).toContain('"error"');
  });

  it("names losses as they are met", () => {
    const encoder = streamEncoder(options);
    for (const event of [start, { kind: "foreign", what: "x:y", payload: 1 } as const]) encoder.encode(event);
    expect(encoder.warnings).toEqual([expect.stringMatching(/^foreign-event: /) as string]);
  });
});

describe("a stream as one JSON array", () => {
  const array = { framing: "json-array" as const };
  const facts = { requestId: "req_1", retryable: false, attempts: [] };

  it("is an array of the same chunks behind an empty one", () => {
    const events = [...textEvents(0, "a", "b"), { kind: "ping" } as const, finish("stop")];
    const said = JSON.parse(framesOf([start, ...events, end], array).join("")) as Json[];
    expect(said.slice(1)).toEqual(chunksOf(events));
    expect(partsIn(said[0] ?? {})).toEqual([{ text: "" }]);
    expect(gemini.streamContentType?.("json-array")).toBe("application/json; charset=UTF-8");
    expect(gemini.streamContentType?.(undefined)).toMatch(/^text\/event-stream/);
  });

  it("stays an array wherever it breaks, with the error last", () => {
    const events = [
      start,
      ...thoughtEvents(0, "Hm."),
      ...textEvents(1, "a", "b"),
      ...toolEvents(2, "f", "{}"),
      finish("tools"),
    ];
    const error = Buffer.from(gemini.encodeStreamFailure(failure("truncated_response", "cut"), facts, "json-array"));
    const heartbeat = Buffer.from(gemini.heartbeat).toString();
    for (let count = 1; count <= events.length; count += 1) {
      const said = JSON.parse(
        framesOf(events.slice(0, count), array).join(heartbeat) + heartbeat + error.toString(),
      ) as Json[];
      expect(said.at(-1)).toMatchObject({ error: { code: 502, status: "UNAVAILABLE", message: "cut" } });
      expect(JSON.stringify(said)).not.toContain("finishReason");
      const told = framesOf([...events.slice(0, count), { kind: "failed", failure: failure("draining", "x") }], array);
      expect((JSON.parse(told.join("")) as Json[]).at(-1)).toMatchObject({ error: { code: 503 } });
    }
  });

  it("takes the gateway's late facts into its last chunk", () => {
    const last = framesOf([start, ...textEvents(0, "a"), finish("stop"), end], array).at(-1) ?? "";
    const said = framesOf([start, ...textEvents(0, "a"), finish("stop")], array).join("");
    const withFacts = Buffer.from(gemini.attachFacts(Buffer.from(last), { hedgerow: { cost: 1 } })).toString();
    expect((JSON.parse(said + withFacts) as Json[]).at(-1)).toMatchObject({ hedgerow: { cost: 1 } });
  });
});

describe("any answer in Gemini's language", () => {
  const words = fc.string({ minLength: 1, maxLength: 8 });
  const block = fc.oneof(
    fc.record({ kind: fc.constant("text" as const), pieces: fc.array(words, { minLength: 1, maxLength: 3 }) }),
    fc.record({
      kind: fc.constant("tool" as const),
      args: fc.dictionary(words, fc.oneof(fc.integer(), words, fc.boolean()), { maxKeys: 3 }),
    }),
    fc.record({
      kind: fc.constant("thought" as const),
      words,
      signature: fc.option(fc.base64String({ minLength: 4 })),
    }),
  );
  const answers = fc
    .record({ blocks: fc.array(block, { maxLength: 5 }), order: fc.infiniteStream(fc.nat(4)) })
    .map(({ blocks, order }) => {
      const queues = blocks.map((each, index) => {
        if (each.kind === "text") return textEvents(index, ...each.pieces);
        if (each.kind === "thought") return thoughtEvents(index, each.words, each.signature ?? undefined);
        const json = JSON.stringify(each.args);
        return toolEvents(index, `f${index}`, json.slice(0, 3), json.slice(3));
      });
      const events: AnswerEvent[] = [start];
      while (queues.some((queue) => queue.length > 0)) {
        const queue =
          queues.filter((each) => each.length > 0)[order.next().value ?? 0] ?? queues.find((each) => each.length > 0);
        const event = queue?.shift();
        if (event !== undefined) events.push(event);
      }
      return events.concat(finish("stop"), end);
    });
  const decoding = { classify: () => failure("upstream_failed", "x"), quirks: plainChatQuirks, maxEventBytes: 1 << 20 };

  interface Heard {
    readonly text: string;
    readonly thoughts: string;
    readonly calls: readonly object[];
    readonly ending: string | undefined;
  }

  function heard(events: readonly AnswerEvent[]): Heard {
    const said = (kind: AnswerEvent["kind"]): string =>
      events.map((event) => (event.kind === kind && "text" in event ? event.text : "")).join("");
    const calls = events.flatMap((event) => (event.kind === "tool-start" ? [event] : []));
    const json = (of: number): string =>
      events.map((event) => (event.kind === "tool-delta" && event.block === of ? event.json : "")).join("");
    return {
      text: said("text-delta"),
      thoughts: said("reasoning-delta"),
      calls: calls.map(({ id, name, block: of }) => ({ id, name, args: JSON.parse(json(of) || "{}") as unknown })),
      ending: events.at(-1)?.kind,
    };
  }

  it("is heard the same whole, streamed, and as an array, however its blocks interleave", () => {
    fc.assert(
      fc.property(answers, fc.constantFrom("google", "anthropic"), (events, issuer) => {
        const meant = heard(events);
        const body = encodeAnswer(events, { ...options, issuer }) ?? new Uint8Array(0);
        expect(heard(decodeAnswer(body, decoding))).toEqual(meant);
        for (const framing of [{}, { framing: "json-array" as const }]) {
          const stream = framesOf(events, { issuer, ...framing }).join("");
          const found: AnswerEvent[] = [];
          const decoder = streamDecoder(decoding, (frame) => found.push(...frame.events));
          decoder.push(Buffer.from(stream));
          decoder.end();
          expect(heard(found)).toEqual(meant);
        }
      }),
    );
  });
});
