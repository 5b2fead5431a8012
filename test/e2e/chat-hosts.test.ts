import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import type { SimulatorOptions } from "#simulation/server";
import { ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

type Habits = NonNullable<SimulatorOptions["habits"]>;

const from = { source: "test", date: "2026-11-25" };

/** A host of OpenAI's chat with the habits of its kind, which refuses what that one refuses. */
async function openHouse(kind: string, habits: Habits, answers: readonly Behaviour[]) {
  const upstream = await startUpstream([...answers], { habits });
  const models = new Map([["m", { name: `${kind}/m`, capabilities: { reasoning: true }, from }]]);
  const provider = { ...providerAt("up", kind, upstream.url), models, dialects: ["openai-chat"] as const };
  const gateway = await startGateway([provider], [sampleRoute("main", ["up/m"])]);
  return {
    chat: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 }).chat.completions,
    messages: new Anthropic({ baseURL: gateway.url, apiKey: "any", maxRetries: 0 }).messages,
    asked: upstream.log.entries,
    bodyAt: (at: number) =>
      JSON.parse(upstream.log.entries[at]?.body.toString() ?? "{}") as { readonly messages: readonly object[] },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

const question = { role: "user" as const, content: "Weather in Kiel?" };
const parameters = { type: "object" as const, properties: { city: { type: "string" } } };
const chatTools = [{ type: "function" as const, function: { name: "weather", parameters } }];
const messagesTools = [{ name: "weather", input_schema: parameters }];
const toolCalls = [{ name: "weather", arguments: '{"city":"Kiel"}' }];
const asked = { model: "main", messages: [question], tools: chatTools };

describe("Mistral's reasoning models", () => {
  const habits: Habits = { nineCharacterIds: true, thinkingParts: true, extraForbidden: true };
  const thinks = [
    { answer: { reasoning: "They want the weather.", text: "Let me look.", toolCalls } },
    ok("It rains."),
  ];

  it("answer the openai package in text and reasoning_content, and go on from all that it brings back", async () => {
    await using house = await openHouse("mistral", habits, thinks);
    const first = await house.chat.create(asked);
    const message = first.choices[0]?.message;
    expect(message).toMatchObject({ content: "Let me look.", reasoning_content: "They want the weather." });
    const call = message?.tool_calls?.[0];
    if (message === undefined || call === undefined) throw new Error("no call");
    const result = { role: "tool" as const, tool_call_id: call.id, content: "rain" };
    // A person goes on at once, which Mistral's order of roles does not know.
    const messages = [question, message, result, { ...question, name: "Ann", content: "And?" }];
    const second = await house.chat.create({ ...asked, messages });
    expect(second.choices[0]?.message.content).toBe("It rains.");
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
    expect(house.bodyAt(1).messages).toMatchObject([
      question,
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "They want the weather." }] },
          { type: "text", text: "Let me look." },
        ],
        tool_calls: [{ id: call.id }],
      },
      { role: "tool", tool_call_id: call.id },
      { role: "assistant", content: "OK." },
      { role: "user", content: "And?" },
    ]);
  });

  it("stream to the openai package's helper, which knows text alone", async () => {
    await using house = await openHouse("mistral", habits, thinks);
    const thoughts: string[] = [];
    const stream = house.chat.stream(asked);
    stream.on("chunk", (chunk) => {
      const delta = chunk.choices[0]?.delta as { readonly reasoning_content?: string } | undefined;
      thoughts.push(delta?.reasoning_content ?? "");
    });
    const message = await stream.finalMessage();
    expect(message).toMatchObject({ content: "Let me look.", tool_calls: [{ function: { name: "weather" } }] });
    expect(thoughts.join("")).toBe("They want the weather.");
  });

  it("serve Anthropic's package, tools and thoughts and a prefilled answer", async () => {
    await using house = await openHouse("mistral", habits, thinks);
    const body = { model: "main", max_tokens: 2000, tools: messagesTools };
    const first = await house.messages.create({ ...body, messages: [question] });
    expect(first.content.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use"]);
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result" as const, tool_use_id: use?.id ?? "", content: "rain" };
    const messages = [
      question,
      { role: "assistant" as const, content: first.content },
      { role: "user" as const, content: [result, { type: "text" as const, text: "And?" }] },
      { role: "assistant" as const, content: "It" },
    ];
    await house.messages.create({ ...body, messages });
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
    expect(house.bodyAt(1).messages.at(-1)).toEqual({ role: "assistant", content: "It", prefix: true });
    expect(JSON.stringify(house.bodyAt(1).messages[1])).toContain("They want the weather.");
  });
});

describe("DeepSeek's thinking models", () => {
  const answers = [{ answer: { reasoning: "They want the weather.", toolCalls } }, ok("It rains.")];

  it.each([
    ["that brings the thought back", true, "They want the weather."],
    ["that keeps a call's id, name and arguments alone", false, ""],
  ])("go on with a chat client %s", async (_, brings, thought) => {
    await using house = await openHouse("deepseek", { reasoningEcho: true }, answers);
    const first = await house.chat.create(asked);
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (message === undefined || call === undefined) throw new Error("no call");
    const kept = brings ? message : { role: "assistant" as const, content: null, tool_calls: [call] };
    const result = { role: "tool" as const, tool_call_id: call.id, content: "rain" };
    await house.chat.create({ ...asked, messages: [question, kept, result] });
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
    expect(house.bodyAt(1).messages[1]).toMatchObject({ reasoning_content: thought });
  });

  it("go on with Anthropic's package, whose thinking block brings the thought", async () => {
    await using house = await openHouse("deepseek", { reasoningEcho: true }, answers);
    const body = { model: "main", max_tokens: 2000, tools: messagesTools };
    const first = await house.messages.create({ ...body, messages: [question] });
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result" as const, tool_use_id: use?.id ?? "", content: "rain" };
    const messages = [
      question,
      { role: "assistant" as const, content: first.content },
      { role: "user" as const, content: [result] },
    ];
    await house.messages.create({ ...body, messages });
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
    expect(house.bodyAt(1).messages[1]).toMatchObject({ reasoning_content: "They want the weather." });
  });
});
