import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, jsonSchema, Output, streamText, tool, type LanguageModel } from "ai";
import { describe, expect, it } from "vitest";
import { isSpoken } from "#dialects/registry";
import type { ClientDialectId } from "#domain/call";
import { assistant, everyUpstream, gather, openHouse } from "../e2e/upstream-languages.ts";
import { ok, says } from "../upstream/start-upstream.ts";

interface Client {
  readonly title: string;
  readonly speaks: ClientDialectId;
  model(url: string): LanguageModel;
}

const apiKey = "any";

const clients: readonly Client[] = [
  {
    title: "@ai-sdk/openai (Responses)",
    speaks: "openai-responses",
    model: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey })("main"),
  },
  {
    title: "@ai-sdk/openai (Chat)",
    speaks: "openai-chat",
    model: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat("main"),
  },
  {
    title: "@ai-sdk/openai-compatible",
    speaks: "openai-chat",
    model: (url) =>
      createOpenAICompatible({ name: "hedgerow", baseURL: `${url}/v1`, apiKey, supportsStructuredOutputs: true })(
        "main",
      ),
  },
  {
    title: "@ai-sdk/anthropic",
    speaks: "anthropic-messages",
    model: (url) => createAnthropic({ baseURL: `${url}/v1`, apiKey })("main"),
  },
  {
    title: "@ai-sdk/google",
    speaks: "gemini",
    model: (url) => createGoogle({ baseURL: `${url}/v1beta`, apiKey })("main"),
  },
  {
    title: "@ai-sdk/amazon-bedrock",
    speaks: "bedrock-converse",
    model: (url) => createAmazonBedrock({ baseURL: url, apiKey, region: "eu-central-1" })("main"),
  },
];

const spoken = clients.filter(({ speaks }) => isSpoken(speaks));
const pairs = spoken.flatMap((client) => everyUpstream.map((upstream) => ({ client, upstream })));

/** Every result of the tool, so that a test can see that it ran. */
function weatherTool(given: unknown[]) {
  return tool({
    description: "Tells the weather.",
    inputSchema: jsonSchema<{ city: string; days: number }>({
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city", "days"],
      additionalProperties: false,
    }),
    execute: (input) => {
      given.push(input);
      return "sun";
    },
  });
}

describe.each(pairs)("the AI SDK with $client.title over $upstream.title", ({ client, upstream }) => {
  const prompt = "How are the hedges?";

  it("gets an answer and its usage", async () => {
    const usage = { input: 90, cacheRead: 10, output: 7 };
    await using house = await openHouse(upstream, ok("Green and tall.", { answer: { usage } }));
    const result = await generateText({ model: client.model(house.url), prompt, maxRetries: 0 });
    expect(result).toMatchObject({ text: "Green and tall.", finishReason: "stop" });
    expect(result.usage).toMatchObject({ inputTokens: 100, outputTokens: 7 });
  });

  it("streams", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(upstream, says(pieces));
    const errors: unknown[] = [];
    const result = streamText({
      model: client.model(house.url),
      system: "You are a gardener.",
      prompt,
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    });
    expect((await gather(result.textStream)).join("")).toBe(pieces.join(""));
    expect(await result.finishReason).toBe("stop");
    expect(errors).toEqual([]);
  });

  it.each([false, true])("runs a tool and goes on with its result (streamed: %s)", async (streamed) => {
    await using house = await openHouse(upstream, assistant);
    const given: unknown[] = [];
    const asked = {
      model: client.model(house.url),
      prompt: "Use weather, please",
      tools: { weather: weatherTool(given) },
      stopWhen: isStepCount(3),
      maxRetries: 0,
    };
    const text = streamed ? await streamText(asked).text : (await generateText(asked)).text;
    expect(text).toContain("sun");
    expect(given).toEqual([{ city: "simulated", days: 1 }]);
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
  });

  it("gets an object that fits its schema", async () => {
    await using house = await openHouse(upstream, assistant);
    const schema = jsonSchema<{ city: string }>({
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    });
    const { output } = await generateText({
      model: client.model(house.url),
      prompt: "Where do hedges grow?",
      output: Output.object({ schema }),
      maxRetries: 0,
    });
    expect(output).toEqual({ city: "simulated" });
  });

  it("sees an error of the provider as one it may try again", async () => {
    await using house = await openHouse(upstream, { status: 503 });
    const asked = generateText({ model: client.model(house.url), prompt, maxRetries: 0 });
    await expect(asked).rejects.toMatchObject({ name: "AI_APICallError", isRetryable: true });
  });
});
