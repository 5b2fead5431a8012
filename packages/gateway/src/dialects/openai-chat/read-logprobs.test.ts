import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { AnswerFrame } from "#dialects/dialect";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { readLogprobs } from "./read-logprobs.ts";

const decoding = {
  classify: () => failure("upstream_failed", "no"),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 20,
};

function told(body: object): readonly unknown[] {
  const events = decodeAnswer(Buffer.from(JSON.stringify(body)), decoding);
  return events.flatMap((event) => (event.kind === "text-delta" ? [event.logprobs] : []));
}

const entry = (token: string, logprob = -1): object => ({ token, logprob, bytes: null, top_logprobs: [] });

describe("log-probabilities of a chat", () => {
  it("pass as they are", () => {
    const logprobs = { content: [entry("hi")], refusal: null, extra: 1 };
    const message = { role: "assistant", content: "hi" };
    expect(told({ choices: [{ index: 0, message, logprobs, finish_reason: "stop" }] })).toEqual([logprobs]);
    expect(told({ choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }] })).toEqual([undefined]);
  });

  it("are those of the answer where they are told of the thought before it, too", () => {
    const tokens = ["<think>", "The ", "answer", " is 4", "2.", "</think>", "\n\n", "4", "2", "<|end|>"];
    const content = tokens.map((token) => entry(token));
    const message = { role: "assistant", content: "42", reasoning: "The answer is 42." };
    const [logprobs] = told({ choices: [{ index: 0, message, logprobs: { content }, finish_reason: "stop" }] });
    expect(logprobs).toEqual({ content: [entry("4"), entry("2")] });
  });

  it.each([
    ["another text", { content: "no", reasoning_content: "hm" }],
    ["nothing but a thought", { content: "", reasoning_content: "hm" }],
    ["no thought", { content: "no" }],
  ])("are all of them where the message has %s", (_, message) => {
    const value = { content: [entry("h"), entry("m")] };
    expect(readLogprobs(value, message)).toEqual(value);
  });
});

describe("log-probabilities of a completion", () => {
  const logprobs = {
    tokens: ["h", "é"],
    token_logprobs: [null, -0.5],
    top_logprobs: [null, { é: -0.5, e: -1.5 }],
    text_offset: [0, 1],
  };
  const read = {
    content: [
      { token: "h", logprob: null, bytes: [104], top_logprobs: [] },
      {
        token: "é",
        logprob: -0.5,
        bytes: [195, 169],
        top_logprobs: [
          { token: "é", logprob: -0.5, bytes: [195, 169] },
          { token: "e", logprob: -1.5, bytes: [101] },
        ],
      },
    ],
    refusal: null,
  };

  it("are read in the form of a chat's, whole and streamed", () => {
    expect(told({ choices: [{ index: 0, text: "hé", logprobs, finish_reason: "stop" }] })).toEqual([read]);
    const frames: AnswerFrame[] = [];
    const decoder = streamDecoder(decoding, (frame) => frames.push(frame));
    const chunk = { choices: [{ index: 0, text: "hé", logprobs, finish_reason: null }] };
    decoder.push(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`));
    const events = frames.flatMap((frame) => frame.events);
    expect(events.at(-1)).toMatchObject({ kind: "text-delta", logprobs: read });
  });

  it.each([{ tokens: [] }, { tokens: [1] }, { content: 5 }, "none", 7, null])("are nothing odd: %j", (value) => {
    const found = readLogprobs(value, { content: "x" });
    expect(found).toEqual(typeof value === "object" && value !== null && "content" in value ? value : undefined);
  });
});
