import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Capabilities } from "#domain/model";
import type { ProviderSpec } from "#domain/snapshot";
import type { AnswerScript } from "#simulation/behaviour";
import type { LoggedRequest } from "#simulation/request-log";
import { ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";
import { failureOf } from "./upstream-languages.ts";

/** What a provider's simulation refuses as the provider would, and what the gateway therefore does not send it. */
interface Case {
  readonly targets: readonly string[];
  readonly answer?: AnswerScript;
  readonly models?: Readonly<Record<string, Capabilities>>;
  readonly dialects?: ProviderSpec["dialects"];
}

const from = { source: "test", date: "2026-11-25" };

async function openHouse({ targets, answer = { text: "Green." }, models = {}, dialects }: Case) {
  const upstream = await startUpstream(ok("", { answer }), { keys: ["sk-openai", "sk-claude"] });
  const traits = new Map(Object.entries(models).map(([name, capabilities]) => [name, { name, capabilities, from }]));
  const more = { models: traits };
  const openai = {
    ...providerAt("openai", "openai", upstream.url),
    ...more,
    ...(dialects === undefined ? {} : { dialects }),
  };
  const claude = { ...providerAt("claude", "anthropic", upstream.url), ...more };
  const gateway = await startGateway([openai, claude], [sampleRoute("main", targets)]);
  return {
    chat: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 }),
    asked: upstream.log.entries,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

function bodyOf(request: LoggedRequest | undefined): Record<string, unknown> {
  return JSON.parse(request?.body.toString() ?? "{}") as Record<string, unknown>;
}

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
const messages = [{ role: "user" as const, content: "How are the hedges?" }];
const asked = { model: "main", messages, tools, reasoning_effort: "high" as const };
const answer: AnswerScript = { toolCalls: [{ name: "weather", arguments: '{"city":"Kiel"}' }], reasoning: "Kiel." };

describe("function tools beside reasoning, which OpenAI refuses in chat from gpt-5.4 on", () => {
  it("are asked for in Responses, and answered as a chat", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.4"], answer });
    const completion = await house.chat.chat.completions.create(asked);
    expect(completion).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          finish_reason: "tool_calls",
          message: {
            role: "assistant",
            tool_calls: [{ type: "function", function: { name: "weather", arguments: '{"city":"Kiel"}' } }],
          },
        },
      ],
    });
    expect(house.asked.map(({ path, status }) => [path, status])).toEqual([["/v1/responses", 200]]);
    expect(bodyOf(house.asked[0])).toMatchObject({ model: "gpt-5.4", reasoning: { effort: "high" }, store: false });
  });

  it("are streamed so too, through the package's own helper", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.6"], answer });
    const { reasoning_effort: _, ...silent } = asked;
    const stream = house.chat.chat.completions.stream(silent);
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "weather", arguments: '{"city":"Kiel"}' } }] },
    });
    expect(house.asked.map(({ path }) => path)).toEqual(["/v1/responses"]);
  });

  it("carry on over the tool's result, with the thought that led to the call", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.6"], answer });
    const first = await house.chat.chat.completions.create(asked);
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (message === undefined || call?.type !== "function") throw new Error("no call");
    // What most clients keep of it.
    const kept = { role: "assistant" as const, content: null, tool_calls: [{ ...call }] };
    const result = { role: "tool" as const, tool_call_id: call.id, content: "Rain." };
    await house.chat.chat.completions.create({ ...asked, messages: [...messages, kept, result] });
    const input = bodyOf(house.asked[1])["input"] as readonly { readonly type?: string }[];
    expect(input.map(({ type }) => type ?? "message")).toEqual([
      "message",
      "reasoning",
      "function_call",
      "function_call_output",
    ]);
    expect(house.asked[1]?.status).toBe(200);
  });

  it("go without reasoning where the target is to be asked in chat alone, and the caller is told", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.6"], answer, dialects: ["openai-chat"] });
    const { data, response } = await house.chat.chat.completions.create(asked).withResponse();
    expect(data.choices[0]?.finish_reason).toBe("tool_calls");
    expect(response.headers.get("x-hedgerow-warning")).toMatch(/^reasoning-with-tools: /);
    expect(house.asked.map(({ path, status }) => [path, status])).toEqual([["/v1/chat/completions", 200]]);
    expect(bodyOf(house.asked[0])).toMatchObject({ reasoning_effort: "none" });
  });

  it("leave calls without tools, or without reasoning, in chat to the byte", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.6"] });
    const { tools: _, ...plain } = asked;
    await house.chat.chat.completions.create(plain);
    await house.chat.chat.completions.create({ ...asked, reasoning_effort: "none" });
    expect(house.asked.map(({ path }) => path)).toEqual(["/v1/chat/completions", "/v1/chat/completions"]);
    expect(bodyOf(house.asked[1])).toEqual({ ...asked, model: "gpt-5.6", reasoning_effort: "none" });
  });

  it("go without reasoning where a stop sequence leaves no other language than chat", async () => {
    await using house = await openHouse({ targets: ["openai/gpt-5.6"], answer });
    const { response } = await house.chat.chat.completions.create({ ...asked, stop: ["###"] }).withResponse();
    // Chat was only the better lane for reasoning; a stop sequence can be said there alone.
    expect(response.headers.get("x-hedgerow-warning")).toMatch(/^reasoning-with-tools: /);
    expect(bodyOf(house.asked[0])).toMatchObject({ stop: ["###"], reasoning_effort: "none" });
  });
});

describe("stop sequences, which OpenAI's first reasoning models refuse", () => {
  it("are asked of the next target that takes them, without asking the first", async () => {
    await using house = await openHouse({ targets: ["openai/o3", "claude/claude-opus-4-6"] });
    const { data, response } = await house.chat.chat.completions
      .create({ model: "main", messages, stop: ["###"] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe("Green.");
    expect(response.headers.get("x-hedgerow-provider")).toBe("claude");
    expect(house.asked.map(({ path }) => path)).toEqual(["/v1/messages"]);
    expect(bodyOf(house.asked[0])).toMatchObject({ stop_sequences: ["###"] });
  });

  it("are refused where no target takes them, with the field's name", async () => {
    await using house = await openHouse({ targets: ["openai/o3"] });
    const error = await failureOf(house.chat.chat.completions.create({ model: "main", messages, stop: "###" }));
    expect(error).toMatchObject({ status: 400, param: "stop", code: "invalid_request" });
    expect(house.asked).toEqual([]);
  });
});

describe("sampling parameters, which reasoning models refuse", () => {
  const refuses: Capabilities = { reasoning: true, sampling: false };

  it.each([
    ["openai/o3", "o3"],
    ["claude/claude-opus-4-8", "claude-opus-4-8"],
  ])("are not sent to %s, and the caller is told", async (target, model) => {
    await using house = await openHouse({ targets: [target], models: { [model]: refuses } });
    const body = { model: "main", messages, temperature: 0.2, top_p: 0.9 };
    const { data, response } = await house.chat.chat.completions.create(body).withResponse();
    expect(data.choices[0]?.message.content).toBe("Green.");
    expect(response.headers.get("x-hedgerow-warning")).toMatch(/sampling: /);
    expect(Object.keys(bodyOf(house.asked[0])).filter((name) => name.startsWith("t"))).toEqual([]);
  });

  it("are not relayed in Responses or Messages either", async () => {
    const models = { o3: refuses, "claude-opus-4-8": refuses };
    await using house = await openHouse({ targets: ["openai/o3"], models });
    const responses = await house.chat.responses.create({ model: "main", input: "hi", temperature: 0.2 });
    expect(responses.output_text).toBe("Green.");
    expect(bodyOf(house.asked[0])).not.toHaveProperty("temperature");
    await using other = await openHouse({ targets: ["claude/claude-opus-4-8"], models });
    const answered = await fetch(`${new URL(other.chat.baseURL).origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": "any", "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "main", max_tokens: 50, messages, temperature: 0.2, top_k: 5 }),
    });
    expect(answered.status).toBe(200);
    expect(answered.headers.get("x-hedgerow-warning")).toMatch(/^sampling: /);
    expect(bodyOf(other.asked[0])).toEqual({ model: "claude-opus-4-8", max_tokens: 50, messages });
  });

  it("make Anthropic be asked in the version of its API that takes them", async () => {
    await using house = await openHouse({ targets: ["claude/claude-sonnet-4-5"] });
    await house.chat.chat.completions.create({ model: "main", messages, temperature: 0.2 });
    expect(bodyOf(house.asked[0])).toMatchObject({ temperature: 0.2 });
    expect(house.asked[0]?.headers).toMatchObject({ "anthropic-version": "2023-06-01" });
  });
});

describe("a sealed thought that a provider's account cannot open", () => {
  it("makes the next target be asked, which is told the rest", async () => {
    // Only what it sealed itself is opened by the simulated provider.
    const upstream = await startUpstream(ok("Green."));
    const openai = { ...providerAt("openai", "openai", upstream.url), dialects: ["openai-responses"] as const };
    const claude = providerAt("claude", "anthropic", upstream.url);
    await using gateway = await startGateway(
      [openai, claude],
      [sampleRoute("main", ["openai/gpt-5", "claude/claude-opus-4-6"])],
    );
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
    const input = [
      { role: "user" as const, content: "How are the hedges?" },
      { type: "reasoning" as const, id: "rs_1", summary: [], encrypted_content: "gAAAAAother" },
      { role: "assistant" as const, content: "Fine." },
      { role: "user" as const, content: "Sure?" },
    ];
    const response = await client.responses.create({ model: "main", input, store: false });
    expect(response.output_text).toBe("Green.");
    expect(upstream.log.entries.map(({ path }) => path)).toEqual(["/v1/responses", "/v1/messages"]);
    expect(upstream.log.entries[0]?.refused).toContain("could not be verified");
    expect(upstream.log.last?.body.toString()).not.toContain("gAAAAAother");
    const [record] = await gateway.recorded(1);
    expect(record?.attempts[0]).toMatchObject({ failure: "foreign_state" });
    await upstream.close();
  });
});
