import OpenAI from "openai";
import { ContentFilterFinishReasonError, LengthFinishReasonError } from "openai/core/error";
import { makeParseableResponseFormat } from "openai/lib/parser";
import { describe, expect, it } from "vitest";
import { ok, says } from "../upstream/start-upstream.ts";
import {
  anthropicUpstream,
  assistant,
  gather,
  openaiUpstream,
  openHouse,
  everyUpstream,
  lacks,
  type House,
} from "./upstream-languages.ts";

const messages = [{ role: "user" as const, content: "How are the hedges?" }];
const asked = { model: "main", messages };
const usage = { input: 90, cacheRead: 10, output: 7 };
const inclusive = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };

const weatherSchema = {
  type: "object" as const,
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weather = {
  type: "function" as const,
  function: { name: "weather", description: "Tells the weather.", parameters: weatherSchema },
};

function client(house: House, root = "/v1"): OpenAI {
  return new OpenAI({ baseURL: house.url + root, apiKey: "any", maxRetries: 0 });
}

describe.each(everyUpstream)("the official openai package over $title", (language) => {
  it("gets a plain answer, with usage in OpenAI's inclusive counts", async () => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const { data, response, request_id } = await client(house).chat.completions.create(asked).withResponse();
    expect(data).toMatchObject({
      object: "chat.completion",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Green and tall." } }],
      usage: { ...inclusive, prompt_tokens_details: { cached_tokens: 10 } },
    });
    expect(response.headers.get("x-hedgerow-model")).toBe(language.model);
    expect(response.headers.get("x-hedgerow-attempts")).toBe("1");
    expect(request_id).toMatch(/^req_[0-9a-f]{24}$/);
    expect(house.asked[0]?.path + JSON.stringify(house.lastBody())).toContain(language.model);
  });

  it("iterates over a stream, piece by piece, without usage it did not ask for", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(language, says(pieces, { answer: { usage } }));
    const stream = await client(house).chat.completions.create({ ...asked, stream: true });
    const chunks = await gather(stream);
    const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").filter((text) => text !== "");
    expect(texts).toEqual(pieces);
    expect(chunks.every((chunk) => chunk.choices.length === 1 && (chunk.usage ?? null) === null)).toBe(true);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect((await house.gateway.recorded(1))[0]).toMatchObject({ usage: { inputUncached: 90, cacheRead: 10 } });
  });

  it("gets usage in a stream's last chunk where it asks for it", async () => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const body = { ...asked, stream: true as const, stream_options: { include_usage: true } };
    const chunks = await gather(await client(house).chat.completions.create(body));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: inclusive });
    expect(chunks.slice(0, -1).every((chunk) => (chunk.usage ?? null) === null)).toBe(true);
  });

  it("gathers a stream with its helper", async () => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const stream = client(house).chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
    const heard: string[] = [];
    stream.on("content", (delta) => void heard.push(delta));
    expect(await stream.finalMessage()).toMatchObject({ role: "assistant", content: "Green and tall." });
    expect(await stream.finalContent()).toBe("Green and tall.");
    expect(await stream.totalUsage()).toMatchObject(inclusive);
    expect(heard.join("")).toBe("Green and tall.");
  });

  it.each([false, true])("takes a tool call to its result and a final answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const openai = client(house);
    const first = [{ role: "user" as const, content: "Use weather, please" }];
    const request = { model: "main", tools: [weather], messages: first };
    const answer = streamed
      ? await openai.chat.completions.stream(request).finalChatCompletion()
      : await openai.chat.completions.create(request);
    const [choice] = answer.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    expect(choice?.message.content ?? "").toBe("");
    const call = choice!.message.tool_calls![0]!;
    expect(call.type === "function" && JSON.parse(call.function.arguments)).toEqual({ city: "simulated", days: 1 });
    const history = [
      ...first,
      choice!.message,
      { role: "tool" as const, tool_call_id: call.id, content: "rain on day 1" },
    ];
    const after = await openai.chat.completions.create({ ...request, messages: history });
    expect(after.choices[0]?.message.content).toContain("The tool answered: “rain on day 1”");
  });

  it.each([false, true])("runs its own tool loop (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const given: unknown[] = [];
    const tool = {
      type: "function" as const,
      function: {
        ...weather.function,
        parse: (text: string) => JSON.parse(text) as object,
        function: (args: object) => {
          given.push(args);
          return "sun";
        },
      },
    };
    const request = { model: "main", tools: [tool], messages: [{ role: "user" as const, content: "weather?" }] };
    const { completions } = client(house).chat;
    const runner = streamed
      ? completions.runTools({ ...request, stream: true })
      : completions.runTools({ ...request, stream: false });
    expect(await runner.finalContent()).toContain("The tool answered: “sun”");
    expect(given).toEqual([{ city: "simulated", days: 1 }]);
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
  });

  it.each([false, true])(
    "gets parallel calls, one without arguments, and gives all results (streamed: %s)",
    async (streamed) => {
      const toolCalls = [{ name: "weather", arguments: { city: "Ulm", days: 12345678901 } }, { name: "clock" }];
      await using house = await openHouse(language, ({ toolResults }) =>
        toolResults.length === 0 ? { answer: { text: "Let me see.", toolCalls } } : ok(toolResults.join(" / ")),
      );
      const clock = {
        type: "function" as const,
        function: { name: "clock", parameters: { type: "object", properties: {} } },
      };
      const request = { ...asked, tools: [weather, clock], parallel_tool_calls: true };
      const { completions } = client(house).chat;
      const answer = streamed
        ? await completions.stream(request).finalChatCompletion()
        : await completions.create(request);
      const { message } = answer.choices[0]!;
      const functions = message.tool_calls!.flatMap((call) => (call.type === "function" ? [call] : []));
      expect(functions.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toEqual([
        ["weather", { city: "Ulm", days: 12345678901 }],
        ["clock", {}],
      ]);
      expect(message.content).toBe("Let me see.");
      expect(new Set(functions.map(({ id }) => id)).size).toBe(2);
      const results = functions.map(({ id, function: { name } }) => {
        return { role: "tool" as const, tool_call_id: id, content: `${name} done` };
      });
      const after = await completions.create({ ...request, messages: [...messages, message, ...results] });
      expect(after.choices[0]?.message.content).toBe("weather done / clock done");
    },
  );

  it.each([false, true])("parses a structured answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const response_format = makeParseableResponseFormat(
      { type: "json_schema", json_schema: { name: "forecast", strict: true, schema: weatherSchema } },
      (content) => JSON.parse(content) as { city: string; days: number },
    );
    const { completions } = client(house).chat;
    const answer = streamed
      ? await completions.stream({ ...asked, response_format }).finalChatCompletion()
      : await completions.parse({ ...asked, response_format });
    expect(answer.choices[0]?.message.parsed).toEqual({ city: "simulated", days: 1 });
    // Bedrock takes a schema as JSON in a string.
    expect(JSON.stringify(house.lastBody()).replaceAll("\\", "")).toContain('"additionalProperties":false');
  });

  it("is told by its own errors that a parsed answer was cut short or filtered", async () => {
    const response_format = { type: "json_schema" as const, json_schema: { name: "f", schema: weatherSchema } };
    for (const [finish, kind] of [
      ["length", LengthFinishReasonError],
      ["policy", ContentFilterFinishReasonError],
    ] as const) {
      if (finish === "policy" && lacks(language, "filtered answers")) continue;
      await using house = await openHouse(language, ok('{"city":', { answer: { finish } }));
      const { completions } = client(house).chat;
      await expect(completions.parse({ ...asked, response_format })).rejects.toBeInstanceOf(kind);
      const stream = completions.stream({ ...asked, response_format });
      await expect(stream.finalChatCompletion()).rejects.toBeInstanceOf(kind);
    }
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["policy", "content_filter"],
  ])("knows the end %s as %s, streamed and not", async (finish, word) => {
    if (finish === "policy" && lacks(language, "filtered answers")) return;
    await using house = await openHouse(language, ok("Green", { answer: { finish } }));
    const { completions } = client(house).chat;
    const whole = await completions.create(asked);
    const streamed = await gather(await completions.create({ ...asked, stream: true }));
    expect([whole.choices[0]?.finish_reason, streamed.at(-1)?.choices[0]?.finish_reason]).toEqual([word, word]);
  });

  it("has its stop sequences and its limit honoured", async () => {
    await using house = await openHouse(language, assistant);
    const { completions } = client(house).chat;
    const stopping = completions.create({ ...asked, stop: ["No real"] });
    if (lacks(language, "stop sequences")) {
      await expect(stopping).rejects.toMatchObject({ status: 400, message: expect.stringContaining("stop") as string });
    } else {
      const stopped = await stopping;
      expect(stopped.choices[0]).toMatchObject({ finish_reason: "stop" });
      expect(stopped.choices[0]?.message.content).not.toContain("No real");
    }
    const short = await completions.create({ ...asked, max_completion_tokens: 5 });
    expect(short.choices[0]?.finish_reason).toBe("length");
  });

  it("gets reasoning text apart from the answer, streamed and not", async () => {
    await using house = await openHouse(language, ok("Green.", { answer: { reasoning: "Hedges are plants." } }));
    const { completions } = client(house).chat;
    const whole = await completions.create({ ...asked, max_completion_tokens: 3000 });
    expect(whole.choices[0]?.message).toMatchObject({ content: "Green.", reasoning_content: "Hedges are plants." });
    const chunks = await gather(await completions.create({ ...asked, stream: true }));
    const deltas = chunks.map((chunk) => chunk.choices[0]?.delta as { content?: string; reasoning_content?: string });
    expect(deltas.map((delta) => delta?.reasoning_content ?? "").join("")).toBe("Hedges are plants.");
    expect(deltas.map((delta) => delta?.content ?? "").join("")).toBe("Green.");
  });

  it.each(["/v1", "/openai/v1", "", "/openai"])("needs no more than a base address ending in “%s”", async (root) => {
    await using house = await openHouse(language, ok("hello"));
    const openai = client(house, root);
    expect((await openai.chat.completions.create(asked)).choices[0]?.message.content).toBe("hello");
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain("main");
    expect(await openai.models.retrieve("main")).toMatchObject({ id: "main", object: "model" });
  });
});

describe("an image", () => {
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const parts = [
    { type: "text" as const, text: "What is this?" },
    { type: "image_url" as const, image_url: { url: `data:image/png;base64,${pixel}` } },
  ];

  it("reaches an OpenAI upstream as it was sent", async () => {
    await using house = await openHouse(openaiUpstream, ok("a pixel"));
    await client(house).chat.completions.create({ model: "main", messages: [{ role: "user", content: parts }] });
    expect(house.lastBody()["messages"]).toEqual([{ role: "user", content: parts }]);
  });

  it("reaches an Anthropic upstream in its words", async () => {
    await using house = await openHouse(anthropicUpstream, ok("a pixel"));
    await client(house).chat.completions.create({ model: "main", messages: [{ role: "user", content: parts }] });
    expect(house.lastBody()["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
        ],
      },
    ]);
  });
});

describe("reasoning over an Anthropic upstream", () => {
  const effort = { ...asked, reasoning_effort: "high" as const };

  it.each([false, true])(
    "comes with its signature, which is taken back with the next turn (streamed: %s)",
    async (streamed) => {
      await using house = await openHouse(anthropicUpstream, assistant);
      const openai = client(house);
      const first = [{ role: "user" as const, content: "Use weather, please" }];
      const request = { ...effort, tools: [weather], messages: first };
      const answer = streamed
        ? await gathered(await openai.chat.completions.create({ ...request, stream: true }))
        : (await openai.chat.completions.create(request)).choices[0]!.message;
      const call = answer.tool_calls![0]!;
      const result = { role: "tool" as const, tool_call_id: call.id, content: "rain" };
      const after = await openai.chat.completions.create({ ...request, messages: [...first, answer, result] });
      expect(after.choices[0]?.message.content).toContain("The tool answered: “rain”");
      const turns = house.lastBody()["messages"] as { role: string; content: { type: string; signature?: string }[] }[];
      expect(turns[1]?.content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
      expect(turns[1]?.content[0]?.signature).toMatch(/.{40}/);
    },
  );

  it("is asked for in Anthropic's words", async () => {
    await using house = await openHouse(anthropicUpstream, assistant);
    await client(house).chat.completions.create(effort);
    expect(house.lastBody()).toMatchObject({ thinking: { type: "adaptive" }, output_config: { effort: "high" } });
  });
});

/** What an application keeps of a stream to send it back: the SDK's own helper drops fields it does not know. */
async function gathered(
  stream: AsyncIterable<OpenAI.ChatCompletionChunk>,
): Promise<OpenAI.ChatCompletionAssistantMessageParam> {
  const details: object[] = [];
  const toolCalls: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta as OpenAI.ChatCompletionChunk.Choice.Delta & { reasoning_details?: object[] };
    details.push(...(delta.reasoning_details ?? []));
    for (const call of delta.tool_calls ?? []) {
      const kept = (toolCalls[call.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
      kept.id += call.id ?? "";
      kept.function.name += call.function?.name ?? "";
      kept.function.arguments += call.function?.arguments ?? "";
    }
  }
  return Object.assign({ role: "assistant" as const, tool_calls: toolCalls }, { reasoning_details: details });
}
