import OpenAI from "openai";
import type { ResponseStreamParams } from "openai/lib/responses/ResponseStream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";

let simulator: Simulator;
let openai: OpenAI;

beforeAll(async () => {
  const script = {
    rules: [
      {
        match: { model: "thinker" },
        behaviour: { answer: { reasoning: "A hedge, then.", toolCalls: [{ name: "trim" }] } },
      },
      {
        match: { model: "sealed" },
        behaviour: { answer: { reasoning: { text: "hm", seal: "redacted" as const }, text: "so" } },
      },
      { match: { model: "short" }, behaviour: { answer: { text: "one two", finish: "length" } } },
      { match: { model: "prim" }, behaviour: { answer: { refusal: "I would rather not." } } },
    ],
  };
  simulator = await startSimulator({ script, keys: ["sim-key"] });
  openai = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "sim-key", maxRetries: 0 });
});

afterAll(() => simulator.close());

type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Item = OpenAI.Responses.ResponseInputItem;

const parameters = {
  type: "object" as const,
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weather = { type: "function" as const, name: "weather", parameters, strict: true };
const trim = { type: "function" as const, name: "trim", parameters: { type: "object" }, strict: false };

/** The same request whole, and streamed through the package's own accumulator. */
async function both(request: Create): Promise<readonly OpenAI.Responses.Response[]> {
  return [
    await openai.responses.create(request),
    await openai.responses.stream(request as ResponseStreamParams).finalResponse(),
  ];
}

describe("the official openai package on Responses", () => {
  it("accepts an answer whole and streamed, the same both times", async () => {
    const [whole, streamed] = await both({ model: "fast", input: "How are the hedges?" });
    expect(whole?.output_text).toMatch(/^Hello from the simulated provider sim\/fast\. .*“How are the hedges\?”$/);
    expect(streamed?.output_text).toBe(whole?.output_text);
    expect(streamed?.usage).toEqual(whole?.usage);
    expect(whole).toMatchObject({ status: "completed", usage: { input_tokens: 5 } });
  });

  it("counts the events without a gap, in the recorded order", async () => {
    const stream = await openai.responses.create({ model: "fast", input: "hi", stream: true });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const types = events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it("runs a tool and shows the answer to it", async () => {
    const input: Item[] = [{ role: "user", content: "Use weather, please" }];
    for (const answer of await both({ model: "fast", input, tools: [weather] })) {
      const call = answer.output[0];
      if (call?.type !== "function_call") throw new Error("no call");
      expect(JSON.parse(call.arguments)).toEqual({ city: "simulated", days: 1 });
      const output: Item = { type: "function_call_output", call_id: call.call_id, output: "rain" };
      const after = await openai.responses.create({ model: "fast", input: [...input, call, output], tools: [weather] });
      expect(after.output_text).toContain("The tool answered: “rain”");
    }
  });

  it("gets thoughts whose seals the provider takes back only unchanged and in their place", async () => {
    const base: Create = {
      model: "thinker",
      input: [],
      tools: [trim],
      store: false,
      include: ["reasoning.encrypted_content"],
    };
    const user: Item = { role: "user", content: "Trim." };
    for (const answer of await both({ ...base, input: [user] })) {
      const [thought, call] = answer.output;
      if (thought?.type !== "reasoning" || call?.type !== "function_call") throw new Error("no thought or no call");
      expect(thought.summary).toEqual([{ type: "summary_text", text: "A hedge, then." }]);
      const output: Item = { type: "function_call_output", call_id: call.call_id, output: "done" };
      const again = async (first: Item): Promise<unknown> =>
        await openai.responses.create({ ...base, input: [user, first, call, output] });
      await expect(again(thought)).resolves.toMatchObject({ status: "completed" });
      const changed = { ...thought, encrypted_content: `${thought.encrypted_content?.slice(0, -2)}AA` };
      await expect(again(changed)).rejects.toThrow(/could not be verified/);
      const { encrypted_content: _, ...bare } = thought;
      await expect(again(bare)).rejects.toThrow(/Items are not persisted/);
    }
  });

  it("gets a seal without words, and no seal where none is asked for", async () => {
    for (const answer of await both({ model: "sealed", input: "hi", include: ["reasoning.encrypted_content"] })) {
      expect(answer.output[0]).toMatchObject({ summary: [], encrypted_content: expect.any(String) as string });
    }
    for (const answer of await both({ model: "sealed", input: "hi" }))
      expect(answer.output[0]).not.toHaveProperty("encrypted_content");
  });

  it("is shown the built-in model's thoughts only where it asks for a summary", async () => {
    const [shown] = await both({ model: "fast", input: "hi", reasoning: { effort: "low", summary: "auto" } });
    expect(shown?.output[0]).toMatchObject({
      type: "reasoning",
      summary: [{ text: expect.stringMatching(/short/) as string }],
    });
    const [hidden] = await both({ model: "fast", input: "hi", reasoning: { effort: "low" } });
    expect(hidden?.output[0]).toMatchObject({ type: "reasoning", summary: [] });
  });

  it("is told of a limit met, and of a refusal", async () => {
    for (const answer of await both({ model: "short", input: "hi" })) {
      expect(answer).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    }
    for (const answer of await both({ model: "prim", input: "hi" })) {
      expect(answer.output[0]).toMatchObject({ content: [{ type: "refusal", refusal: "I would rather not." }] });
    }
  });

  it("parses a structured answer", async () => {
    const format = { type: "json_schema" as const, name: "forecast", schema: parameters, strict: true };
    const answer = await openai.responses.parse({ model: "fast", input: "hi", text: { format } });
    expect(JSON.parse(answer.output_text)).toEqual({ city: "simulated", days: 1 });
  });

  it("counts tokens", async () => {
    const counted = await openai.responses.inputTokens.count({ model: "fast", input: "How are the hedges?" });
    expect(counted).toEqual({ object: "response.input_tokens", input_tokens: 5 });
  });

  it.each([
    ["flaky", OpenAI.InternalServerError, 503],
    ["rate-limited", OpenAI.RateLimitError, 429],
    ["no-such-model", OpenAI.BadRequestError, 400],
  ])("raises its own error for the model %s", async (model, kind, status) => {
    const failed = await openai.responses.create({ model, input: "hi" }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(kind);
    expect(failed).toMatchObject({ status });
  });

  it("is told in the stream of an error, after the words before it", async () => {
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = await openai.responses.create({ model: "error-event", input: "hi", stream: true });
    const failed = await (async () => {
      for await (const event of stream) events.push(event);
      return undefined;
    })().catch((error: unknown) => error);
    const text = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
    expect(text).toBe("Hello from the simulated");
    expect(failed instanceof OpenAI.APIError || events.at(-1)?.type === "response.failed").toBe(true);
  });
});

describe("the official openai package on the older endpoints", () => {
  it("gets vectors, packed as it asks for them and not, the same both times", async () => {
    const request = { model: "fast", input: ["a", "b"], dimensions: 5 };
    const packed = await openai.embeddings.create(request);
    expect(JSON.parse(simulator.log.last?.body.toString() ?? "")).toMatchObject({ encoding_format: "base64" });
    const plain = await openai.embeddings.create({ ...request, encoding_format: "float" });
    expect(packed.data).toEqual(plain.data);
    expect(packed.data.map(({ embedding }) => embedding.length)).toEqual([5, 5]);
    expect(packed.data[0]?.embedding).not.toEqual(packed.data[1]?.embedding);
    await expect(openai.embeddings.create({ model: "fast", input: "" })).rejects.toThrow(/input/);
    expect((await openai.embeddings.create({ model: "fast", input: [[1, 2]] })).data).toHaveLength(1);
  });

  it("completes a text, streamed and not", async () => {
    const whole = await openai.completions.create({ model: "fast", prompt: "hi", max_tokens: 4 });
    expect(whole.choices[0]).toMatchObject({ text: "Hello from the", finish_reason: "length" });
    const stream = await openai.completions.create({ model: "fast", prompt: "hi", max_tokens: 4, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
    expect(text).toBe("Hello from the");
    await expect(openai.completions.create({ model: "flaky", prompt: "hi" })).rejects.toMatchObject({ status: 503 });
  });

  it("has texts judged", async () => {
    const { results } = await openai.moderations.create({ model: "fast", input: ["a hedge", "a murder"] });
    expect(results.map(({ flagged }) => flagged)).toEqual([false, true]);
  });
});
