import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";

const options = {
  classify: (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 20,
};
const head = { id: "c1", object: "chat.completion", created: 1, model: "m" };
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

describe("decodeAnswer", () => {
  const answer = (json: unknown): readonly AnswerEvent[] =>
    openaiChat.decodeAnswer(Buffer.from(typeof json === "string" ? json : JSON.stringify(json)), options);
  const message = (of: object, finish: string | null = "stop"): object => ({
    ...head,
    choices: [{ index: 0, message: of, finish_reason: finish }],
    usage,
  });

  it("reads text, thoughts, tool calls and usage", () => {
    const events = answer(
      message(
        {
          role: "assistant",
          reasoning_content: "hm",
          content: "a",
          tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: "{}" } }],
          annotations: [],
        },
        "tool_calls",
      ),
    );
    expect(events.map((event) => event.kind)).toEqual([
      ..."start reasoning-start reasoning-delta reasoning-end text-start text-delta text-end".split(" "),
      ..."tool-start tool-delta tool-end finish usage end".split(" "),
    ]);
  });

  it.each([
    ["HTML", "<html></html>", "bad_upstream_response"],
    ["cut JSON", '{"choices":[', "bad_upstream_response"],
    ["no choices", {}, "bad_upstream_response"],
    ["empty choices", { choices: [] }, "bad_upstream_response"],
    ["an error inside a 200", { error: { message: "no" } }, "upstream_failed"],
    ["no finish", message({ content: "a" }, null), "truncated_response"],
    ["a choice that is no object", { choices: [null] }, "bad_upstream_response"],
  ])("fails on %s", (_, json, kind) => {
    expect(answer(json).at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
  });
});
