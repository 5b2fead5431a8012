import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";

const { "openai-chat": chat, "anthropic-messages": messages } = dialects;
const decoding = { classify: () => failure("upstream_failed", "x"), quirks: plainChatQuirks, maxEventBytes: 1 << 20 };

/** What Claude thinks before it calls two tools: a shown thought, one whose text is withheld, a redacted one. */
const thoughts = [
  { type: "thinking", thinking: "First, the weather.", signature: "EqQBCgIYAhIkLongBase64+/==" },
  { type: "thinking", thinking: "", signature: "Sealed/without+text=" },
  { type: "redacted_thinking", data: "EroBCkYIBxgCKkBhidden==" },
];
const calls = [
  { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Ulm" } },
  { type: "tool_use", id: "toolu_2", name: "time", input: {} },
];
const answer = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-opus-4-6",
  content: [...thoughts, { type: "text", text: "One moment." }, ...calls],
  stop_reason: "tool_use",
  usage: { input_tokens: 5, output_tokens: 50 },
};

const events = messages.decodeAnswer(Buffer.from(JSON.stringify(answer)), decoding);
const options = { fallbackId: "x", model: "m", createdAtS: 1, includeUsage: false, issuer: "anthropic" };

/** The assistant's message as a chat client keeps it: from a whole answer, or collected delta by delta. */
const keepers = {
  whole: (): object => {
    const body = Buffer.from(chat.encodeAnswer(events, options) ?? []).toString();
    return (JSON.parse(body) as OpenAI.ChatCompletion).choices[0]?.message ?? {};
  },
  collected: (): object => {
    const encoder = chat.streamEncoder(options);
    const stream = events.map((event: AnswerEvent) => encoder.encode(event)).join("");
    const details: unknown[] = [];
    const tools: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
    let content = "";
    for (const line of stream.split("\n").filter((each) => each.startsWith("data: {"))) {
      const { choices } = JSON.parse(line.slice(6)) as OpenAI.ChatCompletionChunk;
      const delta = choices[0]?.delta as OpenAI.ChatCompletionChunk.Choice.Delta & { reasoning_details?: unknown[] };
      content += delta.content ?? "";
      details.push(...(delta.reasoning_details ?? []));
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        const tool = (tools[index] ??= { id: id ?? "", type: "function", function: { name: "", arguments: "" } });
        tool.function.name += called?.name ?? "";
        tool.function.arguments += called?.arguments ?? "";
      }
    }
    return { role: "assistant", content, reasoning_details: details, tool_calls: tools };
  },
};

function nextRequest(message: object, issuer: string): { readonly sent: string; readonly warnings: readonly string[] } {
  const decoded = chat.decodeRequest(
    {
      model: "m",
      max_tokens: 9000,
      reasoning_effort: "high",
      tools: ["weather", "time"].map((name) => ({ type: "function", function: { name } })),
      messages: [
        { role: "user", content: "Ulm?" },
        message,
        { role: "tool", tool_call_id: "toolu_1", content: "rain" },
        { role: "tool", tool_call_id: "toolu_2", content: "noon" },
      ],
    },
    {},
  );
  if (decoded.kind === "refused") throw new Error(decoded.failure.message);
  const target: EncodeTarget = { model: "claude-opus-4-6", issuer, quirks: plainChatQuirks, streamed: false };
  const made = messages.encodeRequest(decoded.request, target);
  if (made.kind === "refused") throw new Error(made.failure.message);
  return { sent: Buffer.from(made.body).toString(), warnings: made.warnings };
}

describe.each(Object.entries(keepers))("sealed thoughts in a chat client's history (%s)", (_, keep) => {
  it("go back to the vendor that sealed them, every byte, before the calls they led to", () => {
    const { sent, warnings } = nextRequest(keep(), "anthropic");
    const body = JSON.parse(sent) as { messages: { role: string; content: unknown }[] };
    expect(body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(body.messages[1]?.content).toEqual(answer.content);
    expect(body.messages[2]?.content).toMatchObject([{ tool_use_id: "toolu_1" }, { tool_use_id: "toolu_2" }]);
    expect(warnings).toEqual([]);
  });

  it("go to no other vendor, with a warning", () => {
    const { sent, warnings } = nextRequest(keep(), "acme");
    for (const secret of ["EqQB", "Sealed/", "EroB", "First, the weather"]) expect(sent).not.toContain(secret);
    expect(warnings.join()).toContain("foreign-reasoning");
  });
});
