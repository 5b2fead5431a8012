import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";

let strict: Simulator;
let lenient: Simulator;

beforeAll(async () => {
  const script = [{ behaviour: { answer: { text: "ok" } } }];
  strict = await startSimulator({ script });
  lenient = await startSimulator({ script, lenient: true });
});

afterAll(async () => {
  await strict.close();
  await lenient.close();
});

type Fields = Readonly<Record<string, unknown>>;

async function ask(
  fields: Fields,
  { to = strict, path = "/v2/chat" } = {},
): Promise<{ status: number; message: string; json: Fields }> {
  const answer = await fetch(to.url + path, { method: "POST", body: JSON.stringify({ model: "m", ...fields }) });
  const json = (await answer.json()) as Fields & { message?: unknown };
  return { status: answer.status, message: typeof json.message === "string" ? json.message : "", json };
}

const user = { role: "user", content: "hi" };
const call = {
  role: "assistant",
  tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
};
const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];

describe("a strict Cohere request", () => {
  it.each<[string, Fields, RegExp]>([
    ["OpenAI's limit", { max_completion_tokens: 5 }, /unknown field: parameter 'max_completion_tokens'/],
    ["OpenAI's stop", { stop: ["x"] }, /unknown field: parameter 'stop'/],
    ["a temperature out of range", { temperature: 1.5 }, /temperature must be between 0 and 1/],
    ["a certain p", { p: 1 }, /p must be between/],
    ["six stop sequences", { stop_sequences: "a b c d e f".split(" ") }, /at most 5/],
    ["OpenAI's format", { response_format: { type: "json_schema", json_schema: {} } }, /response_format\.type/],
    ["no messages", { messages: [] }, /messages must not be empty/],
    ["a developer", { messages: [{ role: "developer", content: "x" }] }, /role must be one of/],
    ["an empty text", { messages: [{ role: "user", content: "" }] }, /at least 1 token/],
    ["nothing to say", { messages: [user, { role: "assistant" }] }, /content is required/],
    ["a call without its result", { tools, messages: [user, call, user] }, /tool calls without tool results: c1/],
    [
      "a result without its call",
      { messages: [user, { role: "tool", tool_call_id: "c1", content: "x" }] },
      /tool_call_id/,
    ],
    ["OpenAI's choice", { tools, tool_choice: "auto" }, /one of REQUIRED and NONE/],
    ["a choice without tools", { tool_choice: "REQUIRED" }, /only be specified with tools/],
    ["a tool without parameters", { tools: [{ type: "function", function: { name: "f" } }] }, /parameters must be/],
  ])("is refused with %s", async (_what, fields, message) => {
    const body = { messages: [user], ...fields };
    expect(await ask(body)).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(await ask(body, { to: lenient })).toMatchObject({ status: 200 });
  });

  it("is answered where calls have their results", async () => {
    const result = { role: "tool", tool_call_id: "c1", content: [{ type: "document", document: { data: "done" } }] };
    expect(await ask({ tools, messages: [user, call, result] })).toMatchObject({ status: 200 });
  });
});

describe("Cohere's judgements", () => {
  it("embed what says what it is for", async () => {
    const path = "/v2/embed";
    const body = { texts: ["a", "b"], input_type: "search_query", embedding_types: ["float"], output_dimension: 4 };
    const { json } = await ask(body, { path });
    const { float } = json["embeddings"] as { float: number[][] };
    expect(float.map(({ length }) => length)).toEqual([4, 4]);
    expect(await ask({ texts: ["a"] }, { path })).toMatchObject({
      status: 400,
      message: "invalid request: input_type is required",
    });
    expect(await ask({ ...body, texts: [] }, { path })).toMatchObject({ status: 400 });
    expect(await ask({ ...body, dimensions: 4 }, { path })).toMatchObject({ status: 400 });
  });

  it("rank by the words of the query", async () => {
    const documents = ["roses", "a hedge of roses", "hedge"];
    const { json } = await ask({ query: "hedge roses", documents, top_n: 2 }, { path: "/v2/rerank" });
    expect(json["results"]).toEqual([
      { index: 1, relevance_score: 1 },
      { index: 0, relevance_score: 0.5 },
    ]);
    expect(await ask({ query: "x", documents: [{ text: "a" }] }, { path: "/v2/rerank" })).toMatchObject({
      status: 400,
    });
  });
});
