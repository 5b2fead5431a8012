import Anthropic from "@anthropic-ai/sdk";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
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
const asked = { model: "main", max_tokens: 2000, messages };
const usage = { input: 90, cacheRead: 10, output: 7 };
const disjoint = { input_tokens: 90, cache_read_input_tokens: 10, output_tokens: 7 };

const weatherSchema = {
  type: "object" as const,
  properties: { city: { type: "string" as const }, days: { type: "integer" as const } },
  required: ["city", "days"],
  additionalProperties: false,
} as const;
const weather = {
  name: "weather",
  description: "Tells the weather.",
  input_schema: { ...weatherSchema, required: ["city", "days"] },
};

function client(house: House, more: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic {
  return new Anthropic({ baseURL: house.url, apiKey: "any", maxRetries: 0, ...more });
}

describe.each(everyUpstream)("the official anthropic package over $title", (language) => {
  it("gets a plain answer, with usage in disjoint counts", async () => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const { data, response } = await client(house).messages.create(asked).withResponse();
    expect(data).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "Green and tall." }],
      stop_reason: "end_turn",
      usage: disjoint,
    });
    expect(response.headers.get("x-hedgerow-model")).toBe(language.model);
    expect(house.asked[0]?.path + JSON.stringify(house.lastBody())).toContain(language.model);
  });

  it("iterates over a stream of well-formed events, piece by piece", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(language, says(pieces, { answer: { usage } }));
    const events = await gather(await client(house).messages.create({ ...asked, stream: true }));
    const texts = events.flatMap((event) =>
      event.type === "content_block_delta" && event.delta.type === "text_delta" ? [event.delta.text] : [],
    );
    expect(texts).toEqual(pieces);
    const kinds = events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]);
    expect(kinds).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  it("gathers a stream with its helper, usage included", async () => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const stream = client(house).messages.stream(asked);
    const heard: string[] = [];
    stream.on("text", (delta) => void heard.push(delta));
    const message = await stream.finalMessage();
    expect(message).toMatchObject({
      content: [{ type: "text", text: "Green and tall." }],
      stop_reason: "end_turn",
      usage: disjoint,
    });
    expect(await stream.finalText()).toBe("Green and tall.");
    expect(heard.join("")).toBe("Green and tall.");
  });

  it.each([false, true])("takes a tool call to its result and a final answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const first = [{ role: "user" as const, content: "Use weather, please" }];
    const request = { ...asked, tools: [weather], messages: first };
    const { messages: api } = client(house);
    const answer = streamed ? await api.stream(request).finalMessage() : await api.create(request);
    expect(answer.stop_reason).toBe("tool_use");
    const call = answer.content.find((block) => block.type === "tool_use")!;
    expect(call.input).toEqual({ city: "simulated", days: 1 });
    const result = { type: "tool_result" as const, tool_use_id: call.id, content: "rain on day 1" };
    const after = await api.create({
      ...request,
      messages: [...first, { role: "assistant", content: answer.content }, { role: "user", content: [result] }],
    });
    expect(textOf(after)).toContain("The tool answered: “rain on day 1”");
  });

  it("runs its own tool loop", async () => {
    await using house = await openHouse(language, assistant);
    const given: unknown[] = [];
    const tool = {
      ...weather,
      type: "custom" as const,
      parse: (input: unknown) => input,
      run: (input: unknown) => {
        given.push(input);
        return "sun";
      },
    };
    const runner = client(house).beta.messages.toolRunner({
      ...asked,
      messages: [{ role: "user", content: "weather?" }],
      tools: [tool],
    });
    const last = await runner.runUntilDone();
    expect(JSON.stringify(last.content)).toContain("The tool answered: “sun”");
    expect(given).toEqual([{ city: "simulated", days: 1 }]);
    // The package asks for a conversation held by the provider first, is refused, and sends whole ones from then on.
    expect(house.gateway.records.map(({ status }) => status)).toEqual([400, 200, 200]);
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200]);
    expect(house.lastBody()).not.toHaveProperty("thread");
  });

  it.each([false, true])(
    "gets parallel calls, one without arguments, and gives all results (streamed: %s)",
    async (streamed) => {
      const toolCalls = [{ name: "weather", arguments: { city: "Ulm", days: 2 } }, { name: "clock" }];
      await using house = await openHouse(language, ({ toolResults }) =>
        toolResults.length === 0 ? { answer: { text: "Let me see.", toolCalls } } : ok(toolResults.join(" / ")),
      );
      const clock = { name: "clock", input_schema: { type: "object" as const, properties: {} } };
      const request = { ...asked, tools: [weather, clock] };
      const { messages: api } = client(house);
      const answer = streamed ? await api.stream(request).finalMessage() : await api.create(request);
      expect(answer.content.map(({ type }) => type)).toEqual(["text", "tool_use", "tool_use"]);
      const uses = answer.content.filter((block) => block.type === "tool_use");
      expect(uses.map(({ name, input }) => [name, input])).toEqual([
        ["weather", { city: "Ulm", days: 2 }],
        ["clock", {}],
      ]);
      const results = uses.map(({ id, name }, index) => {
        return { type: "tool_result" as const, tool_use_id: id, content: `${name} done`, is_error: index === 1 };
      });
      const turns = [
        ...messages,
        { role: "assistant" as const, content: answer.content },
        { role: "user" as const, content: results },
      ];
      const { data, response } = await api.create({ ...request, messages: turns }).withResponse();
      expect(textOf(data)).toContain("weather done / ");
      expect(textOf(data)).toContain("clock done");
      // Chat, Responses and Cohere have no flag for a tool that failed.
      const carried = !/^(?:openai|cohere)/.test(language.dialect);
      expect(response.headers.get("x-hedgerow-warning") ?? "").toMatch(carried ? /^$/ : /tool-error/);
    },
  );

  it.each([false, true])("parses a structured answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const request = { ...asked, output_config: { format: jsonSchemaOutputFormat(weatherSchema) } };
    const { messages: api } = client(house);
    const answer = streamed ? await api.stream(request).finalMessage() : await api.parse(request);
    expect(answer.parsed_output).toEqual({ city: "simulated", days: 1 });
  });

  it.each([
    ["stop", "end_turn"],
    ["length", "max_tokens"],
    ["policy", "refusal"],
  ])("knows the end %s as %s, streamed and not", async (finish, word) => {
    if (finish === "policy" && lacks(language, "filtered answers")) return;
    await using house = await openHouse(language, ok("Green", { answer: { finish } }));
    const { messages: api } = client(house);
    const reasons = [(await api.create(asked)).stop_reason, (await api.stream(asked).finalMessage()).stop_reason];
    expect(reasons).toEqual([word, word]);
  });

  it("has its stop sequences and its limit honoured", async () => {
    await using house = await openHouse(language, assistant);
    const { messages: api } = client(house);
    const stopping = api.create({ ...asked, stop_sequences: ["No real"] });
    if (lacks(language, "stop sequences")) {
      await expect(stopping).rejects.toMatchObject({ status: 400, message: expect.stringContaining("stop") as string });
    } else {
      expect(textOf(await stopping)).not.toContain("No real");
    }
    if (language === anthropicUpstream) {
      expect(await stopping).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "No real" });
    }
    expect((await api.create({ ...asked, max_tokens: 5 })).stop_reason).toBe("max_tokens");
  });

  it("has its system prompt, cache markers and documents carried or named in a warning", async () => {
    await using house = await openHouse(language, ok("read"));
    const cache_control = { type: "ephemeral" as const };
    const pdf = { type: "base64" as const, media_type: "application/pdf" as const, data: "JVBERi0xLjQK" };
    const request = {
      ...asked,
      system: [{ type: "text" as const, text: "Be brief.", cache_control }],
      messages: [
        {
          role: "user" as const,
          content: [
            { type: "document" as const, source: pdf, title: "hedges.pdf" },
            { type: "text" as const, text: "Sum it up.", cache_control },
          ],
        },
      ],
    };
    const answering = client(house).messages.create(request).withResponse();
    if (lacks(language, "files")) {
      await expect(answering).rejects.toMatchObject({ status: 400 });
      return;
    }
    const warning = (await answering).response.headers.get("x-hedgerow-warning");
    if (language === anthropicUpstream) {
      expect(house.lastBody()).toMatchObject({ system: request.system, messages: request.messages });
      expect(warning).toBeNull();
      return;
    }
    if (language !== openaiUpstream) {
      const sent = JSON.stringify(house.lastBody());
      for (const piece of ["Be brief.", pdf.data, "Sum it up."]) expect(sent).toContain(piece);
      expect(warning ?? "").toMatch(language.dialect === "bedrock-converse" ? /^$/ : /cache-markers/);
      return;
    }
    const file = { filename: "hedges.pdf", file_data: `data:application/pdf;base64,${pdf.data}` };
    expect(house.lastBody()["messages"]).toMatchObject([
      { role: expect.stringMatching(/^(?:system|developer)$/) as string, content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "file", file },
          { type: "text", text: "Sum it up." },
        ],
      },
    ]);
    expect(warning).toContain("cache-markers");
  });

  it.each(["2026-10-21", "2023-06-01"])("speaks version %s", async (version) => {
    await using house = await openHouse(language, ok("hello"));
    const anthropic = client(house, { defaultHeaders: { "anthropic-version": version } });
    expect(textOf(await anthropic.messages.create(asked))).toBe("hello");
    expect(house.asked[0]?.headers["anthropic-version"]).toBe(language === anthropicUpstream ? version : undefined);
  });

  it("counts tokens: by the provider where it can, else by an estimate that says so", async () => {
    await using house = await openHouse(language, ok("hello"));
    const { data, response } = await client(house).messages.countTokens({ model: "main", messages }).withResponse();
    const warning = response.headers.get("x-hedgerow-warning");
    if (!lacks(language, "token counts")) {
      expect(data).toEqual({ input_tokens: 5 });
      expect(warning).toBeNull();
    } else {
      expect(data.input_tokens).toBeGreaterThan(0);
      expect(warning).toContain("estimate");
      expect(house.asked).toEqual([]);
    }
  });

  it.each(["", "/anthropic"])("needs no more than a base address ending in “%s”", async (root) => {
    await using house = await openHouse(language, ok("hello"));
    const anthropic = client(house, { baseURL: house.url + root });
    expect(textOf(await anthropic.messages.create(asked))).toBe("hello");
    expect(await gather(anthropic.models.list())).toMatchObject([{ id: "main", type: "model" }]);
    expect(await anthropic.models.retrieve("main")).toMatchObject({ id: "main", type: "model" });
  });
});

describe("thoughts", () => {
  const thinking = { type: "adaptive" as const };

  it.each([false, true])("keep their signature through a turn with tools (streamed: %s)", async (streamed) => {
    await using house = await openHouse(anthropicUpstream, assistant);
    const { messages: api } = client(house);
    const first = [{ role: "user" as const, content: "Use weather, please" }];
    const request = { ...asked, thinking, tools: [weather], messages: first };
    const answer = streamed ? await api.stream(request).finalMessage() : await api.create(request);
    expect(answer.content[0]).toMatchObject({ type: "thinking", signature: expect.stringMatching(/.{40}/) as string });
    const call = answer.content.find((block) => block.type === "tool_use")!;
    const result = { type: "tool_result" as const, tool_use_id: call.id, content: "rain" };
    const turns = [
      ...first,
      { role: "assistant" as const, content: answer.content },
      { role: "user" as const, content: [result] },
    ];
    expect(textOf(await api.create({ ...request, messages: turns }))).toContain("rain");
    const changed = turns.map(
      (turn) => JSON.parse(JSON.stringify(turn).replace("short answer", "long answer")) as typeof turn,
    );
    await expect(api.create({ ...request, messages: changed })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  it("that are sealed come back to the provider as they were", async () => {
    const sealed = ok("Green.", { answer: { reasoning: { text: "hidden", seal: "redacted" } } });
    await using house = await openHouse(anthropicUpstream, sealed);
    const { messages: api } = client(house);
    const { content } = await api.stream(asked).finalMessage();
    expect(content.map(({ type }) => type)).toEqual(["redacted_thinking", "text"]);
    const turns = [
      ...messages,
      { role: "assistant" as const, content },
      { role: "user" as const, content: "And in autumn?" },
    ];
    expect(textOf(await api.create({ ...asked, messages: turns }))).toBe("Green.");
  });

  it.each([false, true])(
    "of an OpenAI upstream are shown, and not sent to Anthropic as if it had signed them (streamed: %s)",
    async (streamed) => {
      const thought = ok("Green.", { answer: { reasoning: "Hedges are plants." } });
      await using foreign = await openHouse(openaiUpstream, thought);
      const { messages: api } = client(foreign);
      const answer = streamed ? await api.stream(asked).finalMessage() : await api.create(asked);
      expect(answer.content).toMatchObject([
        { type: "thinking", thinking: "Hedges are plants." },
        { type: "text", text: "Green." },
      ]);
      await using native = await openHouse(anthropicUpstream, ok("And yellow."));
      const turns = [
        ...messages,
        { role: "assistant" as const, content: answer.content },
        { role: "user" as const, content: "And in autumn?" },
      ];
      expect(textOf(await client(native).messages.create({ ...asked, messages: turns }))).toBe("And yellow.");
      expect(JSON.stringify(native.lastBody())).not.toContain("Hedges are plants.");
    },
  );
});

function textOf(message: { readonly content: readonly { readonly type: string }[] }): string {
  return message.content.map((block) => ("text" in block ? String(block.text) : "")).join("");
}
