import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Issuer } from "#simulation/issuer";
import { startSimulator, type Simulator } from "#simulation/server";

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

async function ask(
  fields: Fields,
  { to = strict, path = "/model/anthropic.claude-sonnet-4-v1%3A0/converse" } = {},
): Promise<{ status: number; message: string; json: Fields }> {
  const body = JSON.stringify({ messages: [user], ...fields });
  const answer = await fetch(to.url + path, { method: "POST", body });
  const json = (await answer.json()) as Fields & { message?: string };
  return { status: answer.status, message: json.message ?? "", json };
}

const own = new Issuer("mine");
const user = { role: "user", content: [{ text: "hi" }] };
const uses = (...ids: readonly string[]): Fields => ({
  role: "assistant",
  content: ids.map((toolUseId) => ({ toolUse: { toolUseId, name: "f", input: {} } })),
});
const results = (...ids: readonly string[]): Fields => ({
  role: "user",
  content: ids.map((toolUseId) => ({ toolResult: { toolUseId, content: [{ text: "done" }] } })),
});
const spec = (more: Fields = {}): Fields => ({
  toolSpec: { name: "f", inputSchema: { json: { type: "object" } }, ...more },
});
const toolConfig = { tools: [spec()] };
const withTools = (...messages: readonly unknown[]): Fields => ({ toolConfig, messages: [user, ...messages] });
const says = (...content: readonly unknown[]): Fields => ({ messages: [{ role: "user", content }] });
const thinks = (reasoningContent: Fields): Fields => ({
  messages: [user, { role: "assistant", content: [{ reasoningContent }, { text: "so" }] }, user],
});
const document = (name: string): Fields => ({ document: { format: "txt", name, source: { bytes: "aGk=" } } });

describe("a strict Converse request", () => {
  it.each<[string, Fields, RegExp]>([
    ["our own options", { hedgerow: {} }, /extraneous key \[hedgerow\] is not permitted/],
    ["a model in the body", { model: "m" }, /extraneous key \[model\]/],
    ["another dialect's limit", { inferenceConfig: { max_tokens: 5 } }, /inferenceConfig\.max_tokens/],
    ["a temperature out of range", { inferenceConfig: { temperature: 1.5 } }, /inferenceConfig\.temperature/],
    ["no output allowed", { inferenceConfig: { maxTokens: 0 } }, /greater than or equal to 1/],
    ["no messages", { messages: [] }, /must start with a user message/],
    [
      "an assistant who begins",
      { messages: [{ role: "assistant", content: [{ text: "x" }] }] },
      /must start with a user message/,
    ],
    [
      "a system role",
      { messages: [{ role: "system", content: [{ text: "x" }] }] },
      /enum value set: \[user, assistant\]/,
    ],
    ["two turns of one role", { messages: [user, user] }, /must alternate/],
    [
      "content as a string",
      { messages: [{ role: "user", content: "hi" }] },
      /content field in the Message object at messages\.0 is empty/,
    ],
    [
      "a blank text",
      says({ text: " \n" }),
      /text field in the ContentBlock object at messages\.0\.content\.0 is blank/,
    ],
    ["a blank system text", { system: [{ text: "" }] }, /blank/],
    ["a block that is two things", says({ text: "a", cachePoint: { type: "default" } }), /exactly one of its members/],
    ["another dialect's block", says({ type: "text" }), /extraneous key \[messages\.0\.content\.0\.type\]/],
    [
      "a history with tools and none declared",
      { messages: [user, uses("t1"), results("t1")] },
      /toolConfig field must be defined/,
    ],
    ["tools that are none", { toolConfig: { tools: [] } }, /toolConfig\.tools/],
    ["an empty description", { toolConfig: { tools: [spec({ description: "" })] } }, /description' failed to satisfy/],
    ["a name with a dot", { toolConfig: { tools: [spec({ name: "a.b" })] } }, /pattern: \[a-zA-Z0-9_-\]\+/],
    [
      "a schema of no object",
      { toolConfig: { tools: [spec({ inputSchema: { json: {} } })] } },
      /must be one of the following: object/,
    ],
    ["a name twice", { toolConfig: { tools: [spec(), spec()] } }, /already defined/],
    [
      "a choice of none",
      { toolConfig: { ...toolConfig, toolChoice: { none: {} } } },
      /exactly one of auto, any and tool/,
    ],
    [
      "a choice of another tool",
      { toolConfig: { ...toolConfig, toolChoice: { tool: { name: "g" } } } },
      /g at toolConfig\.toolChoice/,
    ],
    [
      "a use without its result",
      withTools(uses("t1"), user),
      /Expected toolResult blocks at messages\.2\.content for the following Ids: t1/,
    ],
    ["a use without its result at the end", withTools(uses("t1")), /Expected toolResult blocks/],
    ["one result of two", withTools(uses("t1", "t2"), results("t1")), /following Ids: t2/],
    ["more results than uses", withTools(uses("t1"), results("t1", "t2")), /exceeds the number of toolUse blocks/],
    ["an id that is no id", withTools(uses("a b"), results("a b")), /toolUse\.toolUseId/],
    [
      "arguments as text",
      withTools(
        { role: "assistant", content: [{ toolUse: { toolUseId: "t1", name: "f", input: "{}" } }] },
        results("t1"),
      ),
      /Provide a json object/,
    ],
    [
      "a result of another shape",
      withTools(uses("t1"), { role: "user", content: [{ toolResult: { toolUseId: "t1", content: [{ json: [1] }] } }] }),
      /Provide a json object/,
    ],
    [
      "an image by address",
      says({ image: { format: "png", source: { url: "https://x" } } }, { text: "a" }),
      /exactly one of bytes/,
    ],
    ["an image of a media type", says({ image: { format: "image/png", source: { bytes: "AA==" } } }), /enum value set/],
    ["a document's bad name", says(document("a.txt"), { text: "x" }), /document file name/],
    ["a document alone", says(document("a")), /text block must be included/],
    ["two documents of one name", says(document("a"), document("a"), { text: "x" }), /unique/],
    [
      "a schema that is no text",
      { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema: {} } } } } },
      /must be a string/,
    ],
    ["a thought without its signature", thinks({ reasoningText: { text: "hm" } }), /signature: Field required/],
    [
      "a foreign thought",
      thinks({ reasoningText: { text: "hm", signature: new Issuer("x").sign("hm") } }),
      /Invalid `signature`/,
    ],
    [
      "a thought that was changed",
      thinks({ reasoningText: { text: "Hm", signature: own.sign("hm") } }),
      /Invalid `signature`/,
    ],
    ["a foreign sealed thought", thinks({ redactedContent: "YWJj" }), /Invalid `data`/],
  ])("is refused with %s", async (_what, fields, message) => {
    expect(await ask(fields)).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(strict.log.last?.refused).toMatch(message);
    expect(await ask(fields, { to: lenient })).toMatchObject({ status: 200 });
  });

  it("is answered where all is whole, thoughts of its own among it", async () => {
    const sealed = Buffer.from(own.seal("hm")).toString("base64");
    const content = [
      { reasoningContent: { reasoningText: { text: "hm", signature: own.sign("hm") } } },
      { reasoningContent: { redactedContent: sealed } },
      { text: " " },
      ...(uses("t1")["content"] as readonly unknown[]),
    ];
    const messages = [user, { role: "assistant", content }, results("t1")];
    expect(await ask({ toolConfig, messages })).toMatchObject({ status: 200 });
  });

  it("is counted for models, and not for profiles", async () => {
    const input = { input: { converse: { messages: [user] } } };
    const count = (model: string, body: Fields) =>
      ask({ messages: undefined, ...body }, { path: `/model/${model}/count-tokens` });
    expect((await count("m", input)).json).toEqual({ inputTokens: 1 });
    expect(await count("us.m", input)).toMatchObject({
      status: 400,
      message: "The provided model doesn't support counting tokens.",
    });
    const invoked = Buffer.from(JSON.stringify({ messages: [{ role: "user", content: [{ text: "hi there" }] }] }));
    const body = { input: { invokeModel: { body: invoked.toString("base64") } } };
    expect((await count("m", body)).json).toEqual({ inputTokens: 2 });
    expect(await count("m", {})).toMatchObject({ status: 400 });
  });
});
