import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Issuer } from "#simulation/issuer";
import { startSimulator, type Simulator } from "#simulation/server";
import { checkResponses } from "./check-responses.ts";

let strict: Simulator;
let lenient: Simulator;

beforeAll(async () => {
  const script = [{ behaviour: { answer: { text: "ok" } } }];
  strict = await startSimulator({ script, issuer: "mine" });
  lenient = await startSimulator({ script, lenient: true });
});

afterAll(async () => {
  await strict.close();
  await lenient.close();
});

type Fields = Readonly<Record<string, unknown>>;

async function ask(fields: Fields, to = strict, path = "/v1/responses"): Promise<{ status: number; message: string }> {
  const body = JSON.stringify({ model: "m", input: "hi", ...fields });
  const answer = await fetch(to.url + path, { method: "POST", body });
  const json = (await answer.json()) as { error?: { message: string } | null };
  return { status: answer.status, message: json.error?.message ?? "" };
}

const own = new Issuer("mine");
const user = { role: "user", content: "hi" };
const call = { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: "{}" };
const output = { type: "function_call_output", call_id: "c1", output: "done" };
const said = { role: "assistant", content: [{ type: "output_text", text: "so" }] };
const thought = (id = "rs_resp_sim1", by = own, sealedId = id): Fields => ({
  type: "reasoning",
  id,
  summary: [],
  encrypted_content: by.seal(`${sealedId}\0hm`, "encrypted-reasoning"),
});
const { encrypted_content: _, ...bare } = thought();
const tool = (more: Fields = {}): Fields => ({ type: "function", name: "f", parameters: { type: "object" }, ...more });

describe("a strict Responses request", () => {
  it.each<[string, Fields, RegExp]>([
    ["our own options", { hedgerow: {} }, /Unknown parameter: 'hedgerow'/],
    ["a field of Chat", { messages: [user] }, /has moved to 'input'/],
    ["a stop sequence", { stop: ["x"] }, /Unknown parameter: 'stop'/],
    ["too small an output", { max_output_tokens: 5 }, /Expected a value >= 16, but got 5/],
    [
      "stream options without a stream",
      { stream_options: { include_obfuscation: false } },
      /only allowed when 'stream'/,
    ],
    ["a temperature out of range", { temperature: 3 }, /temperature/],
    ["an inclusion nobody knows", { include: ["reasoning"] }, /Invalid value: 'reasoning'/],
    ["a response nobody kept", { previous_response_id: "resp_1" }, /Previous response with id 'resp_1' not found/],
    ["a nested function tool", { tools: [{ type: "function", function: { name: "f" } }] }, /'tools\[0\]\.name'/],
    [
      "both forms of a tool",
      { tools: [tool({ function: { name: "f" } })] },
      /Unknown parameter: 'tools\[0\]\.function'/,
    ],
    ["a tool name with a dot", { tools: [tool({ name: "a.b" })] }, /Invalid 'tools\[0\]\.name'/],
    ["parameters that are no object", { tools: [tool({ parameters: { type: "string" } })] }, /type: "object"/],
    [
      "a strict tool with open objects",
      { tools: [tool({ strict: true })] },
      /Invalid schema for function 'f': In context=\(\), 'additionalProperties'/,
    ],
    [
      "a strict format with optional properties",
      {
        text: {
          format: {
            type: "json_schema",
            name: "n",
            strict: true,
            schema: { type: "object", properties: { a: { type: "string" } }, additionalProperties: false },
          },
        },
      },
      /Missing 'a'/,
    ],
    [
      "Chat's shape of a format",
      { text: { format: { type: "json_schema", json_schema: {} } } },
      /'text\.format\.name'/,
    ],
    ["a choice without tools", { tool_choice: "required" }, /must be specified with 'tools'/],
    [
      "a choice of another tool",
      { tools: [tool()], tool_choice: { type: "function", name: "g" } },
      /not found in 'tools'/,
    ],
    ["an input of no known type", { input: [{ type: "tool_result" }] }, /Invalid value: 'tool_result'/],
    ["a role nobody knows", { input: [{ role: "tool", content: "x" }] }, /Invalid value: 'tool'/],
    [
      "input text from the assistant",
      { input: [user, { role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
      /Invalid value: 'input_text'. Supported values are: 'output_text', 'refusal'/,
    ],
    [
      "Chat's text parts",
      { input: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
      /Invalid value: 'text'/,
    ],
    [
      "Chat's image parts",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: { url: "https://x" } }] }] },
      /expected an image URL, but got an object/,
    ],
    [
      "Chat's tool calls",
      { input: [user, { ...said, tool_calls: [] }] },
      /Unknown parameter: 'input\[1\]\.tool_calls'/,
    ],
    ["an id of another kind", { input: [user, { ...call, id: "call_1" }, output] }, /begins with 'fc'/],
    ["a call without its result", { input: [user, call] }, /No tool output found for function call c1/],
    ["a result without its call", { input: [user, output] }, /No tool call found for .* call_id c1/],
    ["a thought without its item", { input: [user, thought(), user] }, /without its required following item/],
    ["a thought at the end", { input: [user, thought()] }, /without its required following item/],
    [
      "a thought of another issuer",
      { input: [user, thought("rs_1", new Issuer("theirs")), said] },
      /could not be verified/,
    ],
    ["a thought under another id", { input: [user, thought("rs_2", own, "rs_1"), said] }, /item_id did not match/],
  ])("is refused with %s", async (_what, fields, message) => {
    expect(await ask(fields)).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(strict.log.last?.refused).toMatch(message);
    expect(await ask(fields, lenient)).toMatchObject({ status: 200 });
  });

  it("is refused with 404 where a thought that nobody kept comes without its seal", async () => {
    const input = [user, bare, said];
    expect(await ask({ input, store: false })).toMatchObject({
      status: 404,
      message: expect.stringMatching(/not persisted when `store` is set to false/) as string,
    });
    expect(await ask({ input })).toMatchObject({ status: 200 });
    expect(await ask({ input: [user, { ...bare, id: "rs_foreign" }, said] })).toMatchObject({ status: 404 });
  });

  it("is answered where thoughts, calls and results are whole", async () => {
    const input = [user, thought(), call, output, thought("rs_resp_sim2"), said, user];
    expect(await ask({ input, store: false })).toMatchObject({ status: 200 });
    const { id: _id, ...nameless } = thought();
    expect(await ask({ input: [user, nameless, said], store: false })).toMatchObject({ status: 200 });
  });

  it("may have every field the official package knows", () => {
    const fields: Record<keyof OpenAI.Responses.ResponseCreateParams, true> = responsesFields;
    const rules = { issuer: own, allowFields: new Set<string>(), alternatingRoles: false, habits: {}, counting: false };
    const issues = Object.keys(fields).map((field) => checkResponses({ [field]: undefined }, rules)?.message ?? "");
    expect(issues.filter((message) => message.includes("parameter: '") && !message.startsWith("Missing"))).toEqual([]);
  });

  it("may have the metadata that Codex sends beside them", async () => {
    expect(await ask({ client_metadata: { installation: "a" } })).toEqual({ status: 200, message: "" });
  });

  it("may go on from an answer that was given here", async () => {
    expect(await ask({ previous_response_id: "resp_sim000001" })).toEqual({ status: 200, message: "" });
  });

  it("is counted without what only an answer needs", async () => {
    const path = "/v1/responses/input_tokens";
    expect(await ask({}, strict, path)).toEqual({ status: 200, message: "" });
    expect(await ask({ stream: true }, strict, path)).toMatchObject({ status: 400 });
  });
});

const responsesFields = {
  access_programs: true,
  background: true,
  context_management: true,
  conversation: true,
  image: true,
  include: true,
  input: true,
  instructions: true,
  max_output_tokens: true,
  max_tool_calls: true,
  metadata: true,
  model: true,
  moderation: true,
  parallel_tool_calls: true,
  previous_response_id: true,
  prompt: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning: true,
  safety_identifier: true,
  service_tier: true,
  store: true,
  stream: true,
  stream_options: true,
  temperature: true,
  text: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  truncation: true,
  user: true,
} as const;
