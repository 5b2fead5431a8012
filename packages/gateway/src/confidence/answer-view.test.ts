import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { viewOf } from "./answer-view.ts";

const start: AnswerEvent = { kind: "start", id: "a", model: "m" };
const finish = (reason: "stop" | "tools"): AnswerEvent => ({ kind: "finish", finish: { reason } });
const text = (words: string, logprobs?: unknown, block = 0): AnswerEvent => ({
  kind: "text-delta",
  block,
  text: words,
  ...(logprobs === undefined ? {} : { logprobs }),
});

describe("a view", () => {
  test("holds text, refusal, calls and finish, and no thoughts", () => {
    const view = viewOf([
      start,
      { kind: "reasoning-delta", block: 0, text: "hm" },
      text("Let me look. ", undefined, 1),
      { kind: "tool-start", block: 2, id: "c1", name: "weather" },
      { kind: "tool-start", block: 3, id: "c2", name: "time" },
      { kind: "tool-delta", block: 3, json: "{}" },
      { kind: "tool-delta", block: 2, json: '{"city"' },
      { kind: "tool-delta", block: 2, json: ':"Bonn"}' },
      { kind: "refusal-delta", text: "No" },
      { kind: "refusal-delta", text: "." },
      finish("tools"),
      { kind: "end" },
    ]);
    expect(view).toEqual({
      text: "Let me look. ",
      refusal: "No.",
      toolCalls: [
        { id: "c1", name: "weather", argumentsJson: '{"city":"Bonn"}' },
        { id: "c2", name: "time", argumentsJson: "{}" },
      ],
      finish: "tools",
    });
    expect(viewOf([{ kind: "foreign", what: "custom_tool", payload: {}, content: true }]).foreign).toBe(true);
    expect(viewOf([{ kind: "foreign", what: "note", payload: {} }])).toEqual({ text: "", refusal: "", toolCalls: [] });
  });

  test("reads log-probabilities in OpenAI's shape, and nothing from any other", () => {
    const entry = {
      token: "Yes",
      logprob: -0.1,
      bytes: [89, 101, 115],
      top_logprobs: [{ token: "No", logprob: -2.4 }],
    };
    expect(viewOf([text("Yes", { content: [entry], refusal: null })]).tokens).toEqual([
      { token: "Yes", logprob: -0.1, top: [{ token: "No", logprob: -2.4 }] },
    ]);
    for (const odd of [null, 3, "x", [], {}, { content: null }, { content: [null, 3, {}, { token: 7 }] }]) {
      expect(viewOf([text("Yes", odd)]).tokens).toBeUndefined();
    }
    expect(
      viewOf([text("x", { content: [{ token: "x", logprob: null, top_logprobs: 9, bytes: ["x"] }] })]).tokens,
    ).toEqual([{ token: "x", logprob: Number.NaN }]);
  });

  test("spells a character of several tokens with the last of them", () => {
    const content = [
      { token: "\\xf0\\x9f", logprob: -1, bytes: [0xf0, 0x9f] },
      { token: "\\x98\\x80", logprob: -2, bytes: [0x98, 0x80] },
      { token: "!", logprob: -3, bytes: [33] },
    ];
    // The two halves come in two events.
    const view = viewOf([text("", { content: content.slice(0, 1) }), text("😀!", { content: content.slice(1) })]);
    expect(view.tokens?.map(({ token }) => token)).toEqual(["", "😀", "!"]);
  });

  test("is the same for any split of text, tokens and arguments", () => {
    const tokens = fc.array(
      fc.record({ token: fc.string({ unit: "grapheme" }), logprob: fc.double({ max: 0, noNaN: true }) }),
      {
        maxLength: 12,
      },
    );
    const args = fc.string({ maxLength: 30 });
    const cuts = fc.array(fc.nat(40), { maxLength: 6 });
    fc.assert(
      fc.property(tokens, args, cuts, (all, json, places) => {
        const entries = all.map(({ token, logprob }) => ({ token, logprob, bytes: [...Buffer.from(token)] }));
        const spoken = all.map(({ token }) => token).join("");
        const call: AnswerEvent = { kind: "tool-start", block: 1, id: "c", name: "f" };
        const whole = [
          start,
          text(spoken, { content: entries }),
          call,
          { kind: "tool-delta" as const, block: 1, json },
        ];
        const split = [
          start,
          ...pieces(spoken, places).map((piece) => text(piece)),
          ...pieces(entries, places).map((content) => text("", { content })),
          call,
          ...pieces(json, places).map((piece) => ({ kind: "tool-delta" as const, block: 1, json: piece })),
        ];
        expect(viewOf([...split, finish("stop")])).toEqual(viewOf([...whole, finish("stop")]));
      }),
    );
  });
});

function pieces<Whole extends string | readonly unknown[]>(whole: Whole, cuts: readonly number[]): Whole[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((place, at) => whole.slice(places[at], place) as Whole);
}
