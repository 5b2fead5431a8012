import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";

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

async function post(
  to: Simulator,
  path: string,
  body: Fields,
): Promise<{ status: number; message: string; json: Fields }> {
  const answer = await fetch(to.url + path, { method: "POST", body: JSON.stringify(body) });
  const json = (await answer.json()) as Fields & { error?: { message: string } };
  return { status: answer.status, message: json.error?.message ?? "", json };
}

const user = { role: "user", parts: [{ text: "hi" }] };
const call = { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] };
const result = { role: "user", parts: [{ functionResponse: { name: "f", response: { ok: true } } }] };

function ask(fields: Fields, { to = strict, model = "gemini-2.5-flash" } = {}): ReturnType<typeof post> {
  return post(to, `/v1beta/models/${model}:generateContent`, { contents: [user], ...fields });
}

const declared = (more: Fields = {}): Fields => ({ tools: [{ functionDeclarations: [{ name: "f", ...more }] }] });
const parameters = (schema: Fields): Fields => declared({ parameters: { type: "object", ...schema } });
const config = (more: Fields): Fields => ({ generationConfig: more });

describe("a strict Gemini request", () => {
  it.each<[string, Fields, RegExp]>([
    ["our own options", { hedgerow: {} }, /Unknown name "hedgerow": Cannot find field/],
    ["a configuration nobody knows", config({ max_tokens: 5 }), /Unknown name "max_tokens" at 'generation_config'/],
    ["nothing said", { contents: [] }, /contents is not specified/],
    [
      "an assistant's role",
      { contents: [user, { role: "assistant", parts: [{ text: "x" }] }] },
      /valid role: user, model/,
    ],
    ["a system role", { contents: [{ role: "system", parts: [{ text: "x" }] }, user] }, /valid role: user, model/],
    ["no parts", { contents: [{ role: "user", parts: [] }] }, /must not be empty/],
    ["a part that is nothing", { contents: [{ role: "user", parts: [{}] }] }, /must have one initialized field/],
    [
      "a part that is two things",
      { contents: [{ role: "user", parts: [{ text: "a", fileData: {} }] }] },
      /already set/,
    ],
    [
      "another dialect's part",
      { contents: [{ role: "user", parts: [{ type: "text", text: "a" }] }] },
      /Unknown name "type"/,
    ],
    ["a call without its result", { contents: [user, call] }, /number of function response parts is equal/],
    ["a call answered by words", { contents: [user, call, user] }, /number of function response parts is equal/],
    [
      "fewer results than calls",
      { contents: [user, { role: "model", parts: [...call.parts, ...call.parts] }, result] },
      /number of function response parts is equal/,
    ],
    [
      "a result without its call",
      { contents: [user, { role: "model", parts: [{ text: "x" }] }, result] },
      /immediately after a function call turn/,
    ],
    [
      "a result under another name",
      { contents: [user, call, { role: "user", parts: [{ functionResponse: { name: "g", response: {} } }] }] },
      /names of the function calls/,
    ],
    [
      "a result that is no object",
      { contents: [user, call, { role: "user", parts: [{ functionResponse: { name: "f", response: "ok" } }] }] },
      /function_response\.response' \(type\.googleapis\.com\/google\.protobuf\.Struct\)/,
    ],
    [
      "a result without a name",
      { contents: [user, call, { role: "user", parts: [{ functionResponse: { response: {} } }] }] },
      /Name cannot be empty/,
    ],
    [
      "arguments as text",
      { contents: [user, { role: "model", parts: [{ functionCall: { name: "f", args: "{}" } }] }, result] },
      /Struct/,
    ],
    [
      "bytes that are no base64",
      { contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "%" } }] }] },
      /Base64/,
    ],
    [
      "a media type with a star",
      { contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/*", data: "AA==" } }] }] },
      /media type/,
    ],
    [
      "a foreign signature",
      { contents: [user, { role: "model", parts: [{ text: "x", thoughtSignature: "YWJj" }] }, user] },
      /Corrupted thought signature/,
    ],
    ["additionalProperties", parameters({ additionalProperties: false }), /Unknown name "additionalProperties"/],
    ["a schema's address", parameters({ $schema: "x" }), /Unknown name "\$schema"/],
    [
      "a reference inside",
      parameters({ properties: { a: { $ref: "#/x" } } }),
      /Unknown name "\$ref" at .*properties\[a\]/,
    ],
    ["several types", parameters({ properties: { a: { type: ["string", "null"] } } }), /cannot start list/],
    ["numbers to choose from", parameters({ properties: { a: { type: "integer", enum: [1] } } }), /enum/],
    ["a list of nothing", parameters({ properties: { a: { type: "array" } } }), /items: missing field/],
    ["a requirement nobody defines", parameters({ required: ["a"] }), /property is not defined/],
    ["both kinds of parameters", declared({ parameters: {}, parametersJsonSchema: {} }), /only one of/],
    ["a name with a space", declared({ name: "a b" }), /Invalid function name/],
    [
      "a name twice",
      { tools: [{ functionDeclarations: [{ name: "f" }, { name: "f" }] }] },
      /Duplicate function declaration/,
    ],
    [
      "a mode nobody knows",
      { ...declared(), toolConfig: { functionCallingConfig: { mode: "REQUIRED" } } },
      /"REQUIRED"/,
    ],
    [
      "a forced call of nothing declared",
      { ...declared(), toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["g"] } } },
      /g is not among/,
    ],
    [
      "allowed names without force",
      { ...declared(), toolConfig: { functionCallingConfig: { mode: "AUTO", allowedFunctionNames: ["f"] } } },
      /should only be set when function calling mode is ANY/,
    ],
    ["six stop sequences", config({ stopSequences: "a b c d e f".split(" ") }), /at most 5/],
    ["a temperature out of range", config({ temperature: 2.1 }), /temperature/],
    ["several candidates", config({ candidateCount: 2 }), /Multiple candidates/],
    ["a schema without its media type", config({ responseSchema: { type: "object" } }), /response_mime_type/],
    [
      "two schemas",
      config({ responseMimeType: "application/json", responseSchema: {}, responseJsonSchema: {} }),
      /only one of response_schema/,
    ],
    [
      "JSON Schema in Google's own",
      config({ responseMimeType: "application/json", responseSchema: { type: "object", additionalProperties: false } }),
      /Unknown name "additionalProperties" at 'generation_config\.response_schema'/,
    ],
    [
      "tools and JSON on 2.x",
      { ...declared(), ...config({ responseMimeType: "application/json" }) },
      /Function calling with a response mime type/,
    ],
    ["a level on 2.x", config({ thinkingConfig: { thinkingLevel: "LOW" } }), /Thinking level is not supported/],
    ["level and budget", config({ thinkingConfig: { thinkingLevel: "LOW", thinkingBudget: 1 } }), /only set only one/],
    ["a cache and tools", { cachedContent: "cachedContents/1", ...declared() }, /CachedContent can not be used/],
  ])("is refused with %s", async (_what, fields, message) => {
    const refused = await ask(fields);
    expect(refused).toMatchObject({ status: 400, message: expect.stringMatching(message) as string });
    expect(refused.json).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
    expect(await ask(fields, { to: lenient })).toMatchObject({ status: 200 });
  });

  it("is answered where a turn comes in pieces, as Google's own client keeps a stream", async () => {
    const closing = { role: "model", parts: [{ text: "" }] };
    expect(await ask({ contents: [user, call, closing, result] })).toMatchObject({ status: 200 });
    expect(await ask({ contents: [user, call, closing, user] })).toMatchObject({ status: 400 });
    expect(await ask({ contents: [user, user] })).toMatchObject({ status: 200 });
  });

  it("is refused by Gemma with a system instruction", async () => {
    const fields = { systemInstruction: { parts: [{ text: "be kind" }] } };
    expect(await ask(fields, { model: "gemma-3-27b-it" })).toMatchObject({ status: 400 });
    expect(await ask(fields)).toMatchObject({ status: 200 });
  });

  it("is answered with JSON Schema where JSON Schema belongs", async () => {
    const schema = {
      type: "object",
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: {} },
      additionalProperties: false,
    };
    expect(await ask(declared({ parametersJsonSchema: schema }))).toMatchObject({ status: 200 });
    expect(await ask(config({ responseMimeType: "application/json", responseJsonSchema: schema }))).toMatchObject({
      status: 200,
    });
  });
});

describe("thought signatures", () => {
  const asked = { contents: [user], ...declared() };
  const script = [
    { behaviour: { answer: { toolCalls: [{ name: "f", arguments: { b: 1, a: [2] } }, { name: "f" }] } } },
  ];

  interface Part {
    readonly functionCall: { readonly name: string; readonly args: unknown };
    readonly thoughtSignature?: string;
  }

  async function step(simulator: Simulator, model: string): Promise<readonly Part[]> {
    const { json } = await post(simulator, `/v1beta/models/${model}:generateContent`, asked);
    return (json as { candidates: [{ content: { parts: Part[] } }] }).candidates[0].content.parts;
  }

  it("stand on the first call of a step on Gemini 3, and must come back on it, unchanged", async () => {
    const simulator = await startSimulator({ script });
    const path = "/v1beta/models/gemini-3-pro:generateContent";
    const parts = await step(simulator, "gemini-3-pro");
    expect(parts.map(({ thoughtSignature }) => thoughtSignature !== undefined)).toEqual([true, false]);
    const [first, second] = parts as [Part, Part];
    const results = { role: "user", parts: [...result.parts, ...result.parts] };
    const again = (...given: readonly unknown[]): ReturnType<typeof post> =>
      post(simulator, path, { ...asked, contents: [user, { role: "model", parts: given }, results] });
    expect(await again(first, second)).toMatchObject({ status: 200 });
    const { thoughtSignature, ...unsigned } = first;
    expect(await again(unsigned, second)).toMatchObject({
      status: 400,
      message: expect.stringMatching(/missing a thought_signature in functionCall parts/) as string,
    });
    const corrupted = { status: 400, message: "Corrupted thought signature." };
    expect(await again({ ...first, functionCall: { name: "f", args: { b: 2, a: [2] } } }, second)).toMatchObject(
      corrupted,
    );
    expect(await again({ ...first, thoughtSignature: `${thoughtSignature?.slice(0, -4)}AAAA` }, second)).toMatchObject(
      corrupted,
    );
    // The order of keys is not the call's meaning; the sentinel is Google's own way out.
    const reordered = { ...first, functionCall: { name: "f", args: { a: [2], b: 1 } } };
    expect(await again(reordered, second)).toMatchObject({ status: 200 });
    const skipped = { ...unsigned, thoughtSignature: "skip_thought_signature_validator" };
    expect(await again(skipped, second)).toMatchObject({ status: 200 });
    await simulator.close();
  });

  it("may be missing in turns that are over, and on older models", async () => {
    const over = { contents: [user, call, result, { role: "model", parts: [{ text: "done" }] }, user], ...declared() };
    expect(await ask(over, { model: "gemini-3-pro" })).toMatchObject({ status: 200 });
    expect(await ask({ contents: [user, call, result], ...declared() })).toMatchObject({ status: 200 });
  });
});

describe("Gemini's other methods", () => {
  it("count what they are given, alone or as a whole request", async () => {
    const path = "/v1beta/models/m:countTokens";
    const counted = await post(strict, path, { contents: [user] });
    expect(counted.json).toEqual({ totalTokens: 1, promptTokensDetails: [{ modality: "TEXT", tokenCount: 1 }] });
    const whole = { model: "models/m", contents: [user], systemInstruction: { parts: [{ text: "be kind" }] } };
    expect((await post(strict, path, { generateContentRequest: whole })).json).toMatchObject({ totalTokens: 3 });
    expect(await post(strict, path, { generateContentRequest: { ...whole, model: "m" } })).toMatchObject({
      status: 400,
    });
  });

  it("embed one text or several, each with its model's name", async () => {
    const content = { parts: [{ text: "a" }] };
    const one = await post(strict, "/v1beta/models/m:embedContent", { content, outputDimensionality: 3 });
    const values = (one.json as { embedding: { values: number[] } }).embedding.values;
    expect(values).toHaveLength(3);
    const request = { model: "models/m", content, outputDimensionality: 3 };
    const batch = await post(strict, "/v1beta/models/m:batchEmbedContents", { requests: [request, request] });
    expect(batch.json).toEqual({ embeddings: [{ values }, { values }] });
    const wrong = await post(strict, "/v1beta/models/m:batchEmbedContents", { requests: [{ content }] });
    expect(wrong.message).toMatch(/must match the model/);
    expect(await post(strict, "/v1beta/models/m:embedContent", { content, taskType: "query" })).toMatchObject({
      status: 400,
    });
  });

  it("say without a candidate that a prompt was blocked", async () => {
    const simulator = await startSimulator({ script: [{ behaviour: { answer: { finish: "policy" } } }] });
    for (const method of ["generateContent", "streamGenerateContent"]) {
      const { json } = await post(simulator, `/v1beta/models/m:${method}`, { contents: [user] });
      const answer = (Array.isArray(json) ? (json as unknown[])[0] : json) as Fields;
      expect(answer).toMatchObject({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } });
      expect(answer["candidates"]).toBeUndefined();
    }
    await simulator.close();
  });
});
