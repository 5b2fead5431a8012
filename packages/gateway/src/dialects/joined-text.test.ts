import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { AnswerFrame } from "./dialect.ts";
import { streamDecoder as anthropicDecoder } from "./anthropic-messages/decode-answer.ts";
import { openaiChat } from "./openai-chat/index.ts";

interface Language {
  readonly open: (
    options: Parameters<typeof anthropicDecoder>[0],
    onFrame: (frame: AnswerFrame) => void,
  ) => {
    push(bytes: Uint8Array): void;
    end(): void;
  };
  readonly stream: (texts: readonly string[]) => string;
}

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const message = (one: { readonly type: string } & object): string =>
  `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`;

const languages: Readonly<Record<string, Language>> = {
  "OpenAI's": {
    open: (options, onFrame) => openaiChat.streamDecoder(options, onFrame),
    stream: (texts) =>
      [chunk({ role: "assistant", content: "" }), ...texts.map((content) => chunk({ content }))].join("") +
      `${chunk({}, "stop")}data: [DONE]\n\n`,
  },
  "Anthropic's": {
    open: anthropicDecoder,
    stream: (texts) =>
      [
        { type: "message_start", message: { id: "msg_1", model: "claude-x", content: [] } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        ...texts.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
        { type: "message_stop" },
      ]
        .map(message)
        .join(""),
  },
};

interface Decoded {
  readonly frames: number;
  /** Texts that follow one another joined. */
  readonly events: readonly AnswerEvent[];
  readonly raw: string;
}

function decode({ open }: Language, pieces: readonly Uint8Array[], joinsText: boolean): Decoded {
  const events: AnswerEvent[] = [];
  const raw: Uint8Array[] = [];
  let frames = 0;
  const classify = () => failure("upstream_failed", "x");
  const decoder = open({ classify, quirks: plainChatQuirks, maxEventBytes: 1 << 20, joinsText }, (frame) => {
    frames += 1;
    raw.push(frame.raw);
    for (const event of frame.events) {
      const before = events.at(-1);
      if (before?.kind === "text-delta" && event.kind === "text-delta") {
        events[events.length - 1] = { ...before, text: before.text + event.text };
      } else events.push(event);
    }
  });
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return { frames, events, raw: Buffer.concat(raw).toString() };
}

describe.each(Object.entries(languages))("frames of %s language that say text alone, joined", (_, language) => {
  const texts = fc.array(
    fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.constant("word ")),
    {
      maxLength: 20,
    },
  );

  it("say what they say one by one, and are the same bytes, wherever these are cut", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(3_000), { maxLength: 4 }), (all, cuts) => {
        const bytes = Buffer.from(language.stream(all));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const joined = decode(language, pieces, true);
        const single = decode(language, [bytes], false);
        expect([joined.events, joined.raw]).toEqual([single.events, single.raw]);
        expect(joined.raw).toBe(bytes.toString());
        expect(joined.events.at(-1)).toEqual({ kind: "end" });
      }),
    );
  });

  it("are few: what came in one piece is looked at in one", () => {
    const bytes = [Buffer.from(language.stream(Array.from({ length: 200 }, (_each, at) => `word ${at}`)))];
    expect(decode(language, bytes, false).frames).toBeGreaterThan(200);
    expect(decode(language, bytes, true).frames).toBeLessThan(10);
  });
});
