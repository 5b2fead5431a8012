import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "#dialects/shape";
import { ok, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

type Message = OpenAI.Chat.ChatCompletionMessage;

const question = { role: "user" as const, content: "Weather in Kiel?" };
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
const asked = { model: "main", messages: [question], tools };
const answers = [
  { answer: { reasoning: "Kiel.", toolCalls: [{ name: "weather", arguments: '{"city":"Kiel"}' }] } },
  ok("It rains."),
];

interface Signed {
  readonly extra_content?: { readonly google?: { readonly thought_signature?: string } };
}

/** Each with a memory of its own, so that only what the client carries gets from one to the other. */
async function gatewayTo(upstream: Upstream, target = "gemini/gemini-3-pro") {
  const gateway = await startGateway(
    [
      { ...providerAt("gemini", "gemini", upstream.url), basePath: "/v1beta" },
      providerAt("claude", "anthropic", upstream.url),
    ],
    [sampleRoute("main", [target])],
  );
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
  return { chat: client.chat.completions, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

function next(message: Message): OpenAI.Chat.ChatCompletionMessageParam[] {
  const call = message.tool_calls?.[0];
  return [question, message, { role: "tool", tool_call_id: call?.id ?? "", content: "rain" }];
}

/** The signature that hangs on the first call of what Gemini was told. */
function signatureIn(upstream: Upstream): unknown {
  const body = JSON.parse(upstream.log.last?.body.toString() ?? "{}") as {
    readonly contents: readonly { readonly parts: readonly JsonObject[] }[];
  };
  return body.contents.flatMap(({ parts }) => parts).find((part) => "functionCall" in part)?.["thoughtSignature"];
}

const turns = [
  ["whole", async (chat: OpenAI.Chat.Completions) => (await chat.create(asked)).choices[0]?.message],
  ["streamed", async (chat: OpenAI.Chat.Completions) => await chat.stream(asked).finalMessage()],
] as const;

describe.each(turns)("Gemini's signature on a tool call, %s", (_, ask) => {
  it("is carried by a chat client from one gateway to another, and back to Gemini", async () => {
    await using upstream = await startUpstream(answers, { issuer: "google" });
    await using first = await gatewayTo(upstream);
    await using second = await gatewayTo(upstream);
    const message = await ask(first.chat);
    if (message === undefined) throw new Error("no answer");
    expect(upstream.log.last?.path).toMatch(/:(?:g|streamG)enerateContent/u);
    const call = message.tool_calls?.[0] as Signed | undefined;
    const signature = call?.extra_content?.google?.thought_signature;
    expect(signature).toMatch(/./u);
    const answer = await second.chat.create({ ...asked, messages: next(message) });
    expect(answer.choices[0]?.message.content).toBe("It rains.");
    expect(signatureIn(upstream)).toBe(signature);
  });

  it("is kept by the gateway where the client carries a call's id, name and arguments alone", async () => {
    await using upstream = await startUpstream(answers, { issuer: "google" });
    await using house = await gatewayTo(upstream);
    const message = await ask(house.chat);
    if (message === undefined) throw new Error("no answer");
    const bare = (message.tool_calls ?? []).map(({ id, type, ...call }) => {
      return { id, type, function: "function" in call ? call.function : undefined };
    });
    await house.chat.create({ ...asked, messages: next({ ...message, tool_calls: bare } as Message) });
    expect(signatureIn(upstream)).toMatch(/./u);
  });

  it("is sent to no other vendor", async () => {
    await using upstream = await startUpstream(answers, { issuer: "google" });
    await using first = await gatewayTo(upstream);
    await using second = await gatewayTo(upstream, "claude/claude-opus-4-6");
    const message = await ask(first.chat);
    if (message === undefined) throw new Error("no answer");
    await second.chat.create({ ...asked, messages: next(message) });
    expect(upstream.log.last?.path).toBe("/v1/messages");
    expect(upstream.log.last?.body.toString()).not.toMatch(/thought_signature|thoughtSignature|extra_content/u);
  });
});
