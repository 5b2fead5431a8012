import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "./server.ts";

let simulator: Simulator;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ keys: ["sim-key"] });
  openai = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "sim-key", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: simulator.url, apiKey: "sim-key", maxRetries: 0 });
});

afterAll(() => simulator.close());

const parameters = {
  type: "object" as const,
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
  additionalProperties: false,
};

describe("the official openai package", () => {
  const messages = [{ role: "user" as const, content: "How are the hedges?" }];

  it("accepts a plain answer", async () => {
    const answer = await openai.chat.completions.create({ model: "fast", messages });
    expect(answer.choices[0]?.message.content).toBe(
      "Hello from the simulated provider sim/fast. No real model read this; you said: “How are the hedges?”",
    );
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.usage?.prompt_tokens).toBe(5);
  });

  it("accepts a streamed answer with usage, and gathers the same text", async () => {
    const stream = openai.chat.completions.stream({
      model: "fast",
      messages,
      stream_options: { include_usage: true },
    });
    const answer = await stream.finalChatCompletion();
    expect(answer.choices[0]?.message.content).toMatch(/^Hello from .*“How are the hedges\?”$/);
    expect((await stream.totalUsage()).prompt_tokens).toBe(5);
  });

  it("runs a tool and shows the answer to it, streamed and not", async () => {
    const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
    const asked = [{ role: "user" as const, content: "Use weather, please" }];
    for (const streamed of [false, true]) {
      const answer = streamed
        ? await openai.chat.completions.stream({ model: "fast", messages: asked, tools }).finalChatCompletion()
        : await openai.chat.completions.create({ model: "fast", messages: asked, tools });
      const message = answer.choices[0]!.message;
      expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
      const call = message.tool_calls![0]!;
      expect(call.type === "function" && JSON.parse(call.function.arguments)).toEqual({ city: "simulated", days: 1 });
      const result = { role: "tool" as const, tool_call_id: call.id, content: "rain" };
      const after = await openai.chat.completions.create({
        model: "fast",
        messages: [...asked, message, result],
        tools,
      });
      expect(after.choices[0]?.message.content).toContain("The tool answered: “rain”");
    }
  });

  it("parses a structured answer", async () => {
    const answer = await openai.chat.completions.parse({
      model: "fast",
      messages,
      response_format: { type: "json_schema", json_schema: { name: "forecast", schema: parameters, strict: true } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({ city: "simulated", days: 1 });
  });

  it("lists the models", async () => {
    const models = await openai.models.list();
    expect(models.data.map(({ id }) => id)).toContain("flaky");
    expect((await openai.models.retrieve("fast")).id).toBe("fast");
  });

  it.each([
    ["flaky", OpenAI.InternalServerError, 503],
    ["rate-limited", OpenAI.RateLimitError, 429],
    ["no-such-model", OpenAI.NotFoundError, 404],
  ])("raises its own error for the model %s", async (model, kind, status) => {
    const failed = await openai.chat.completions.create({ model, messages }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(kind);
    expect(failed).toMatchObject({ status });
  });

  it("raises an error for an error event, after the content before it", async () => {
    const stream = await openai.chat.completions.create({ model: "error-event", messages, stream: true });
    let text = "";
    const failed = await (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      return undefined;
    })().catch((error: unknown) => error);
    expect(text).toBe("Hello from the simulated");
    expect(failed).toBeInstanceOf(OpenAI.APIError);
  });

  it("is told by a 401 that its key is wrong", async () => {
    const stranger = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "other", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe("the official anthropic package", () => {
  const base = { max_tokens: 2_000, messages: [{ role: "user" as const, content: "How are the hedges?" }] };

  it("accepts a plain answer", async () => {
    const answer = await anthropic.messages.create({ model: "fast", ...base });
    expect(answer.content).toMatchObject([
      { type: "text", text: expect.stringMatching(/sim\/fast.*hedges\?”$/) as string },
    ]);
    expect(answer).toMatchObject({ stop_reason: "end_turn", usage: { input_tokens: 5 } });
  });

  it("accepts a streamed answer and gathers the same message", async () => {
    const whole = await anthropic.messages.create({ model: "fast", ...base });
    const streamed = await anthropic.messages.stream({ model: "fast", ...base }).finalMessage();
    expect({ ...streamed, id: "" }).toMatchObject({ content: whole.content, usage: whole.usage });
  });

  it("runs a tool and shows the answer to it, streamed and not", async () => {
    const tools = [{ name: "weather", input_schema: parameters }];
    const asked = [{ role: "user" as const, content: "Use weather, please" }];
    for (const streamed of [false, true]) {
      const request = { model: "fast", max_tokens: 500, messages: asked, tools };
      const answer = streamed
        ? await anthropic.messages.stream(request).finalMessage()
        : await anthropic.messages.create(request);
      expect(answer.stop_reason).toBe("tool_use");
      const call = answer.content.find((block) => block.type === "tool_use")!;
      expect(call.input).toEqual({ city: "simulated", days: 1 });
      const result = { type: "tool_result" as const, tool_use_id: call.id, content: "rain" };
      const messages = [
        ...asked,
        { role: "assistant" as const, content: answer.content },
        { role: "user" as const, content: [result] },
      ];
      const after = await anthropic.messages.create({ ...request, messages });
      expect(after.content).toMatchObject([{ text: expect.stringContaining("The tool answered: “rain”") as string }]);
    }
  });

  it("gets a structured answer", async () => {
    const format = { type: "json_schema" as const, schema: parameters };
    const answer = await anthropic.messages.create({ model: "fast", ...base, output_config: { format } });
    expect(answer.content[0]?.type === "text" && JSON.parse(answer.content[0].text)).toEqual({
      city: "simulated",
      days: 1,
    });
  });

  it("gets signed thoughts that the provider takes back only unchanged", async () => {
    const request = { model: "fast", ...base, thinking: { type: "adaptive" as const } };
    for (const answer of [
      await anthropic.messages.create(request),
      await anthropic.messages.stream(request).finalMessage(),
    ]) {
      const thought = answer.content[0]!;
      expect(thought).toMatchObject({ type: "thinking", signature: expect.stringMatching(/.{40}/) as string });
      const next = (first: Anthropic.ContentBlockParam): Anthropic.MessageCreateParamsNonStreaming => ({
        ...request,
        messages: [
          ...base.messages,
          { role: "assistant", content: [first, ...answer.content.slice(1)] },
          { role: "user", content: "And now?" },
        ],
      });
      await expect(anthropic.messages.create(next(thought))).resolves.toMatchObject({ stop_reason: "end_turn" });
      const changed = { ...thought, thinking: "changed" } as Anthropic.ThinkingBlockParam;
      await expect(anthropic.messages.create(next(changed))).rejects.toThrow(/Invalid `signature` in `thinking` block/);
    }
  });

  it("counts tokens and lists models", async () => {
    const { max_tokens: _, ...prompt } = base;
    expect(await anthropic.messages.countTokens({ model: "fast", ...prompt })).toEqual({ input_tokens: 5 });
    expect((await anthropic.models.list()).data.map(({ id }) => id)).toContain("fast");
  });

  it.each([
    ["flaky", 529],
    ["rate-limited", 429],
    ["no-such-model", 404],
  ])("raises its own error for the model %s", async (model, status) => {
    const failed = await anthropic.messages.create({ model, ...base }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Anthropic.APIError);
    expect(failed).toMatchObject({ status });
  });

  it("raises an error for an error event", async () => {
    const stream = anthropic.messages.stream({ model: "error-event", ...base });
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
    expect(simulator.log.entries.filter(({ state }) => state === "running")).toEqual([]);
  });
});
