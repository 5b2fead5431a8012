import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { streamDecoder } from "./decode-answer.ts";

type Message = Readonly<Record<string, unknown>> & { readonly type: string };

const start: Message = { type: "message_start", message: { id: "msg_1", model: "claude-x", content: [] } };
const stop: Message = { type: "message_stop" };
const open = (index: number, content: object): Message => ({
  type: "content_block_start",
  index,
  content_block: content,
});
const close = (index: number): Message => ({ type: "content_block_stop", index });
const text = (index: number, words: string, more: object = {}): Message => ({
  type: "content_block_delta",
  index,
  delta: { type: "text_delta", text: words },
  ...more,
});
const finish: Message = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } };

interface Decoded {
  readonly events: readonly AnswerEvent[];
  readonly raw: string;
}

function decode(messages: readonly Message[], written: (message: Message) => string = JSON.stringify): Decoded {
  const events: AnswerEvent[] = [];
  let raw = "";
  const decoder = streamDecoder(
    { classify: () => failure("upstream_failed", "x"), quirks: plainChatQuirks, maxEventBytes: 1 << 20 },
    (frame) => {
      events.push(...frame.events);
      raw += Buffer.from(frame.raw).toString();
    },
  );
  decoder.push(Buffer.from(messages.map((one) => `event: ${one.type}\ndata: ${written(one)}\n\n`).join("")));
  decoder.end();
  return { events, raw };
}

const plainText = { type: "text", text: "" };
const words = fc.string({ unit: "binary" });

describe("deltas that repeat the one before but for their text", () => {
  it("mean what deltas mean that are each parsed in full", () => {
    fc.assert(
      fc.property(fc.array(words), fc.array(words), fc.nat(6), (first, second, pad) => {
        const stream = (more: (at: number) => object): Message[] => [
          start,
          open(0, plainText),
          ...first.map((one, at) => text(0, one, more(at))),
          close(0),
          open(1, plainText),
          ...second.map((one, at) => text(1, one, more(at))),
          close(1),
          finish,
          stop,
        ];
        // Anthropic pads its JSON; a field that always differs fits no template.
        let padded = 0;
        const padding = (one: Message): string =>
          JSON.stringify(one).replace(/\}$/u, `${" ".repeat(padded++ % (pad + 1))}}`);
        const told = decode(
          stream(() => ({})),
          padding,
        );
        expect(told.events).toEqual(decode(stream((at) => ({ at }))).events);
        expect(told.events.at(-1)).toEqual({ kind: "end" });
        padded = 0;
        expect(told.raw).toBe(
          stream(() => ({}))
            .map((one) => `event: ${one.type}\ndata: ${padding(one)}\n\n`)
            .join(""),
        );
      }),
    );
  });

  it.each([
    ["after their block was closed", [close(0)]],
    ["in a block of another kind under the same index", [close(0), open(0, { type: "thinking", thinking: "" })]],
  ])("are malformed %s", (_, between) => {
    const { events } = decode([start, open(0, plainText), text(0, "a"), text(0, "b"), ...between, text(0, "c"), stop]);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind: "bad_upstream_response" } });
  });

  it("go on in a new block under the same index as that block", () => {
    const again = [close(0), open(0, plainText), text(0, "c"), close(0), finish, stop];
    const { events } = decode([start, open(0, plainText), text(0, "a"), ...again]);
    expect(events.filter((event) => event.kind === "text-delta").map((event) => event.block)).toEqual([0, 1]);
  });
});
