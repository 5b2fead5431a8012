import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkChat } from "./check-chat.ts";
import { checkMessages } from "./check-messages.ts";
import { Issuer } from "./issuer.ts";
import { startSimulator, type Simulator } from "./server.ts";

let strict: Simulator;
let lenient: Simulator;

beforeAll(async () => {
  const script = [{ behaviour: { answer: { text: "ok" } } }];
  strict = await startSimulator({ script, issuer: "mine", alternatingRoles: true });
  lenient = await startSimulator({ script, lenient: true });
});

afterAll(async () => {
  await strict.close();
  await lenient.close();
});

type Fields = Readonly<Record<string, unknown>>;
const user = { role: "user", content: "hi" };

async function chat(fields: Fields, to = strict): Promise<{ status: number; message: string }> {
  return post(to, "/v1/chat/completions", { body: { model: "m", messages: [user], ...fields } });
}

async function messages(
  fields: Fields,
  {
    to = strict,
    headers = { "anthropic-version": "2023-06-01" },
    path = "/v1/messages",
  }: {
    readonly to?: Simulator;
    readonly headers?: Readonly<Record<string, string>>;
    readonly path?: string;
  } = {},
): Promise<{ status: number; message: string }> {
  return post(to, path, { body: { model: "m", max_tokens: 100, messages: [user], ...fields }, headers });
}

async function post(
  to: Simulator,
  path: string,
  { body, headers = {} }: { readonly body: Fields; readonly headers?: Readonly<Record<string, string>> },
): Promise<{ status: number; message: string }> {
  const answer = await fetch(to.url + path, { method: "POST", body: JSON.stringify(body), headers });
  const json = (await answer.json()) as { error?: { message: string } };
  return { status: answer.status, message: json.error?.message ?? "" };
}

const chatCall = {
  role: "assistant",
  content: null,
  tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
};
const toolUse = { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "f", input: {} }] };
const toolResult = { type: "tool_result", tool_use_id: "t1", content: "done" };

describe("a strict OpenAI Chat request", () => {
  it.each<[string, Fields, RegExp]>([
    ["our own options", { hedgerow: { route: "r" } }, /Unrecognized request argument supplied: hedgerow/],
    ["a chain of models", { models: ["a"] }, /: models/],
    ["fallbacks", { fallbacks: ["a"] }, /: fallbacks/],
    ["another dialect's field", { stop_sequences: ["x"] }, /: stop_sequences/],
    ["stream options without a stream", { stream_options: { include_usage: true } }, /only allowed when 'stream'/],
    ["no messages", { messages: [] }, /'messages'/],
    ["a role nobody knows", { messages: [{ role: "model", content: "x" }] }, /messages\[0\]\.role/],
    [
      "a tool message without its call",
      { messages: [user, { role: "tool", tool_call_id: "c1", content: "x" }] },
      /must be a response/,
    ],
    [
      "a result under another id",
      { messages: [user, chatCall, { role: "tool", tool_call_id: "c2", content: "x" }] },
      /must be a response/,
    ],
    ["a call without its result", { messages: [user, chatCall, user] }, /did not have response messages: c1/],
    ["a call without its result at the end", { messages: [user, chatCall] }, /did not have response messages: c1/],
    [
      "an assistant turn that says nothing",
      { messages: [user, { role: "assistant", content: null }, user] },
      /got null/,
    ],
    ["a tool choice without tools", { tool_choice: "auto" }, /'tool_choice' is only allowed/],
    ["no tools in a list of tools", { tools: [] }, /empty array/],
    ["a tool name with a dot", { tools: [{ type: "function", function: { name: "a.b" } }] }, /function\.name/],
    ["a schema without a name", { response_format: { type: "json_schema", json_schema: {} } }, /json_schema\.name/],
    ["two output limits", { max_tokens: 5, max_completion_tokens: 5 }, /at the same time/],
    ["a temperature out of range", { temperature: 3 }, /temperature/],
    ["several answers", { n: 2 }, /one answer per request/],
  ])("is refused with %s", async (_what, fields, message) => {
    expect(await chat(fields)).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(strict.log.last?.refused).toMatch(message);
    expect(await chat(fields, lenient)).toMatchObject({ status: 200 });
  });

  it("is answered where every call has its result", async () => {
    const result = { role: "tool", tool_call_id: "c1", content: "x" };
    expect(await chat({ messages: [user, chatCall, result, user] })).toMatchObject({ status: 200 });
    expect(strict.log.last?.refused).toBeUndefined();
  });

  it("may have every field the official package knows", () => {
    const fields: Record<keyof OpenAI.ChatCompletionCreateParams, true> = chatFields;
    const issues = Object.keys(fields).map(
      (field) => checkChat({ [field]: undefined }, { allowFields: new Set(), habits: {} })?.message ?? "",
    );
    expect(issues.filter((message) => message.includes("Unrecognized"))).toEqual([]);
  });
});

describe("a strict Anthropic Messages request", () => {
  const foreign = new Issuer("theirs");
  const own = new Issuer("mine");
  const thinking = (issuer: Issuer, text = "hm") => ({
    type: "thinking",
    thinking: text,
    signature: issuer.sign(text),
  });
  const after = (...content: readonly object[]) => ({ messages: [user, { role: "assistant", content }, user] });
  const say = { type: "text", text: "so" };

  it.each<[string, Fields, RegExp]>([
    ["our own options", { hedgerow: {} }, /^hedgerow: Extra inputs are not permitted/],
    ["fallbacks", { fallbacks: ["a"] }, /^fallbacks: Extra inputs/],
    ["another dialect's field", { stop: ["x"] }, /^stop: Extra inputs/],
    ["no max_tokens", { max_tokens: undefined }, /^max_tokens: Field required/],
    ["an empty text block", { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] }, /non-empty/],
    [
      "a blank text block",
      { messages: [{ role: "user", content: [{ type: "text", text: " \n" }] }] },
      /non-whitespace/,
    ],
    ["an empty system block", { system: [{ type: "text", text: "" }] }, /^system\.0: .*non-empty/],
    ["an empty turn", { messages: [{ role: "user", content: [] }] }, /non-empty content/],
    [
      "a budget where a model thinks adaptively",
      { model: "claude-opus-4-7", max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 2_000 } },
      /'enabled' is not supported for claude-opus-4-7/,
    ],
    [
      "a thoughtless turn of tools while it is to think",
      {
        max_tokens: 4_000,
        thinking: { type: "enabled", budget_tokens: 2_000 },
        messages: [user, toolUse, { role: "user", content: [toolResult] }],
      },
      /^messages\.1\.content\.0\.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`/,
    ],
    [
      "five marks of caching",
      {
        system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
        messages: [
          {
            role: "user",
            content: [1, 2, 3, 4].map((n) => ({ type: "text", text: `${n}`, cache_control: { type: "ephemeral" } })),
          },
        ],
      },
      /maximum of 4 blocks with cache_control may be provided\. Found 5/,
    ],
    ["two user turns in a row", { messages: [user, user] }, /roles must alternate/],
    [
      "an assistant turn first",
      { messages: [{ role: "assistant", content: "x" }, user] },
      /first message must use the "user" role/,
    ],
    [
      "a last assistant turn that ends in white space",
      { messages: [user, { role: "assistant", content: "x " }] },
      /trailing whitespace/,
    ],
    ["a tool message", { messages: [{ role: "tool", content: "x" }] }, /messages\.0\.role/],
    [
      "a call without its result",
      { messages: [user, toolUse, user] },
      /without `tool_result` blocks immediately after: t1/,
    ],
    ["a call without its result at the end", { messages: [user, toolUse] }, /without `tool_result`/],
    ["a result without its call", { messages: [{ role: "user", content: [toolResult] }] }, /unexpected `tool_use_id`/],
    [
      "a result behind text",
      { messages: [user, toolUse, { role: "user", content: [say, toolResult] }] },
      /must come first/,
    ],
    [
      "a tool schema that is no object",
      { tools: [{ name: "f", input_schema: { type: "string" } }] },
      /input_schema\.type/,
    ],
    ["a tool choice without tools", { tool_choice: { type: "auto" } }, /tool_choice may only/],
    ["a thought signed by another issuer", after(thinking(foreign), say), /Invalid `signature` in `thinking` block/],
    ["a thought without its signature", after({ type: "thinking", thinking: "hm" }, say), /signature: Field required/],
    [
      "a sealed thought of another issuer",
      after({ type: "redacted_thinking", data: foreign.seal("hm") }, say),
      /Invalid `data`/,
    ],
    [
      "a thinking budget over the limit",
      { thinking: { type: "enabled", budget_tokens: 2_000 } },
      /must be greater than/,
    ],
  ])("is refused with %s", async (_what, fields, message) => {
    expect(await messages(fields)).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(await messages(fields, { to: lenient })).toMatchObject({ status: 200 });
  });

  it("is refused without a version, or with one nobody knows", async () => {
    expect(await messages({}, { headers: {} })).toMatchObject({ message: "anthropic-version: header is required" });
    const headers = { "anthropic-version": "2020-01-01" };
    expect(await messages({}, { headers })).toMatchObject({ status: 400, message: /not a valid version/ });
  });

  it.each<[string, Fields]>([
    ["sampling", { temperature: 1 }],
    ["top_p", { top_p: 0.9 }],
    ["citations in a user's text", { messages: [{ role: "user", content: [{ ...say, citations: [{}] }] }] }],
    [
      "a document in an assistant turn",
      { messages: [user, { role: "assistant", content: [{ type: "document" }] }, user] },
    ],
  ])("with version 2026-10-21 is refused with %s, which the older version takes", async (_what, fields) => {
    const headers = { "anthropic-version": "2026-10-21" };
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      expect(await messages(fields, { headers, path })).toMatchObject({ status: 400 });
    }
    expect(await messages(fields)).toMatchObject({ status: 200 });
  });

  it("is answered with its own thoughts, with results behind their calls, and counted without max_tokens", async () => {
    const sealed = { type: "redacted_thinking", data: own.seal("hm") };
    expect(await messages(after(thinking(own), sealed, say))).toMatchObject({ status: 200 });
    const turns = [user, toolUse, { role: "user", content: [toolResult, say] }];
    expect(await messages({ messages: turns })).toMatchObject({ status: 200 });
    const path = "/v1/messages/count_tokens";
    expect(await messages({ max_tokens: undefined }, { path })).toMatchObject({ status: 200 });
  });

  it("may have every field the official package knows, and more under a beta", async () => {
    const fields: Record<keyof Anthropic.MessageCreateParams, true> = messagesFields;
    const rules = {
      headers: { "anthropic-version": "2023-06-01" },
      counting: false,
      issuer: own,
      allowFields: new Set<string>(),
      alternatingRoles: false,
      habits: {},
    };
    const issues = Object.keys(fields).map((field) => checkMessages({ [field]: undefined }, rules)?.message ?? "");
    expect(issues.filter((message) => message.includes("Extra inputs"))).toEqual([]);
    const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "context-management-2025-06-27" };
    expect(await messages({ context_management: {} }, { headers })).toMatchObject({ status: 200 });
    expect(await messages({ context_management: {} })).toMatchObject({ status: 400 });
  });
});

describe("credentials", () => {
  it("are checked where keys are given, and x-api-key is read before a bearer", async () => {
    const simulator = await startSimulator({ keys: ["right"] });
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${simulator.url}/v1/models`, { headers })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: "Bearer wrong" })).toBe(401);
    expect(await ask({ authorization: "Bearer right" })).toBe(200);
    expect(await ask({ "x-api-key": "right" })).toBe(200);
    expect(await ask({ "x-api-key": "wrong", authorization: "Bearer right" })).toBe(401);
    await simulator.close();
  });
});

const chatFields = {
  audio: true,
  frequency_penalty: true,
  function_call: true,
  functions: true,
  logit_bias: true,
  logprobs: true,
  max_completion_tokens: true,
  max_tokens: true,
  messages: true,
  metadata: true,
  modalities: true,
  model: true,
  moderation: true,
  n: true,
  parallel_tool_calls: true,
  prediction: true,
  presence_penalty: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning_effort: true,
  response_format: true,
  safety_identifier: true,
  seed: true,
  service_tier: true,
  stop: true,
  store: true,
  stream: true,
  stream_options: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  user: true,
  verbosity: true,
  web_search_options: true,
} as const;

const messagesFields = {
  cache_control: true,
  container: true,
  inference_geo: true,
  max_tokens: true,
  messages: true,
  metadata: true,
  model: true,
  output_config: true,
  service_tier: true,
  stop_sequences: true,
  stream: true,
  system: true,
  thinking: true,
  tool_choice: true,
  tools: true,
  diagnostics: true,
  speed: true,
  user_profile_id: true,
  workspace_id: true,
} as const;
