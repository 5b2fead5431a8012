import { afterEach, describe, expect, it } from "vitest";
import type { AnswerScript } from "#simulation/behaviour";
import { startSimulator, type Simulator } from "#simulation/server";
import { ask, at, voiceSamples, type VoiceSample } from "./voice-samples.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

type Json = Readonly<Record<string, unknown>>;

async function provider(answer: AnswerScript): Promise<Simulator> {
  const simulator = await startSimulator({ script: [{ behaviour: { answer } }], issuer: "mine" });
  started.push(simulator);
  return simulator;
}

function voice(title: string): VoiceSample {
  const sample = voiceSamples.find((one) => one.title === title);
  if (sample === undefined) throw new Error(`no voice ${title}`);
  return sample;
}

async function whole(answer: AnswerScript, title: string, fields: Json = {}): Promise<Json> {
  const { body } = await ask(await provider(answer), voice(title), { streamed: false, fields });
  return JSON.parse(body.toString()) as Json;
}

async function streamed(answer: AnswerScript, title: string, fields: Json = {}): Promise<readonly Json[]> {
  const { body } = await ask(await provider(answer), voice(title), { fields });
  return voice(title).events(body);
}

const usage = { input: 10, cacheRead: 3, cacheWrite: 2, output: 5, reasoning: 4 };

/** What each vendor says of the same tokens, and where in a stream. */
const counts: readonly (readonly [string, Json, readonly string[]])[] = [
  [
    "OpenAI Responses",
    {
      input_tokens: 15,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      output_tokens: 9,
      output_tokens_details: { reasoning_tokens: 4 },
      total_tokens: 24,
    },
    ["response", "usage"],
  ],
  [
    "Gemini",
    {
      promptTokenCount: 15,
      cachedContentTokenCount: 3,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 4,
      totalTokenCount: 24,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 15 }],
    },
    ["usageMetadata"],
  ],
  [
    "Bedrock Converse",
    { inputTokens: 10, cacheReadInputTokens: 3, cacheWriteInputTokens: 2, outputTokens: 9, totalTokens: 24 },
    ["usage"],
  ],
  [
    "Cohere Chat",
    {
      billed_units: { input_tokens: 14, output_tokens: 5 },
      tokens: { input_tokens: 15, output_tokens: 9 },
      cached_tokens: 3,
    },
    ["delta", "usage"],
  ],
];

describe.each(counts)("%s", (title, told, path) => {
  it("counts on its own base, the same whole and streamed", async () => {
    const answer = await whole({ text: "ok", usage }, title);
    expect(answer["usage"] ?? answer["usageMetadata"]).toEqual(told);
    const events = await streamed({ text: "ok", usage }, title);
    expect(at(events.at(-1), ...path)).toEqual(told);
  });
});

describe("why an answer ended", () => {
  const finishes = ["stop", "length", "tools", "policy", "stop-sequence", "odd"] as const;
  it.each<[string, (answer: Json) => unknown, readonly unknown[]]>([
    [
      "OpenAI Responses",
      (answer) => answer["incomplete_details"] ?? answer["status"],
      ["completed", { reason: "max_output_tokens" }, "completed", { reason: "content_filter" }, "completed", "odd"],
    ],
    [
      "Gemini",
      (answer) => at(answer, "candidates", 0, "finishReason"),
      ["STOP", "MAX_TOKENS", "STOP", "SAFETY", "STOP", "odd"],
    ],
    [
      "Bedrock Converse",
      (answer) => answer["stopReason"],
      ["end_turn", "max_tokens", "tool_use", "guardrail_intervened", "stop_sequence", "odd"],
    ],
    [
      "Cohere Chat",
      (answer) => answer["finish_reason"],
      ["COMPLETE", "MAX_TOKENS", "TOOL_CALL", "ERROR", "STOP_SEQUENCE", "odd"],
    ],
  ])("is said in the words of %s", async (title, read, words) => {
    const said: unknown[] = [];
    for (const finish of finishes) said.push(read(await whole({ text: "ok", finish }, title)));
    expect(said).toEqual(words);
  });

  it("is found out by Gemini where arguments are no JSON", async () => {
    const answer = await whole({ toolCalls: [{ name: "f", arguments: '{"a"' }] }, "Gemini");
    expect(at(answer, "candidates", 0)).toMatchObject({
      content: { role: "model" },
      finishReason: "MALFORMED_FUNCTION_CALL",
    });
    expect(at(answer, "candidates", 0, "content", "parts")).toBeUndefined();
  });

  it("names the stop sequence on Bedrock to who asks for it, at the place asked for", async () => {
    const answer = { text: "ok", stopSequence: "##" };
    const fields = { additionalModelResponseFieldPaths: ["/delta/stop_sequence"] };
    expect(await whole(answer, "Bedrock Converse", fields)).toMatchObject({
      stopReason: "stop_sequence",
      additionalModelResponseFields: { delta: { stop_sequence: "##" } },
    });
    expect(await whole(answer, "Bedrock Converse")).not.toHaveProperty("additionalModelResponseFields");
  });
});

describe("thoughts", () => {
  const thinking = { reasoning: "hm", text: "so" };

  it("are signed by Bedrock, whole and in pieces, and taken back only as they were", async () => {
    const answer = await whole(thinking, "Bedrock Converse");
    const thought = at(answer, "output", "message", "content", 0, "reasoningContent", "reasoningText") as Json;
    expect(thought["text"]).toBe("hm");
    const deltas = (await streamed(thinking, "Bedrock Converse")).map((event) =>
      at(event, "delta", "reasoningContent"),
    );
    expect(deltas.filter(Boolean)).toEqual([{ text: "hm" }, { signature: thought["signature"] }]);
    const again = (reasoningText: Json): Promise<Json> => {
      const content = [{ reasoningContent: { reasoningText } }, { text: "so" }];
      const user = { role: "user", content: [{ text: "hi" }] };
      return whole(thinking, "Bedrock Converse", { messages: [user, { role: "assistant", content }, user] });
    };
    expect(await again(thought)).toHaveProperty("output");
    expect(await again({ ...thought, text: "hm " })).toHaveProperty("message");
  });

  it("are sealed by Bedrock where they are not to be read", async () => {
    const sealed = { reasoning: { text: "hm", seal: "redacted" }, text: "so" } as const;
    const redacted = at(
      await whole(sealed, "Bedrock Converse"),
      "output",
      "message",
      "content",
      0,
      "reasoningContent",
      "redactedContent",
    );
    expect(redacted).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const events = await streamed(sealed, "Bedrock Converse");
    expect(at(events[1], "delta", "reasoningContent")).toEqual({ redactedContent: redacted });
  });

  it("are marked by Gemini, and signed on the answer's last text where nothing is called", async () => {
    const parts = at(await whole(thinking, "Gemini"), "candidates", 0, "content", "parts") as readonly Json[];
    expect(parts).toMatchObject([{ text: "hm", thought: true }, { text: "so" }]);
    const signature = parts[1]?.["thoughtSignature"];
    const events = await streamed(thinking, "Gemini");
    expect(events.map((event) => at(event, "candidates", 0, "content", "parts", 0))).toEqual([
      { text: "hm", thought: true },
      { text: "so" },
      { text: "", thoughtSignature: signature },
    ]);
    const user = { role: "user", parts: [{ text: "hi" }] };
    const again = (part: Json): Promise<Json> =>
      whole(thinking, "Gemini", { contents: [user, { role: "model", parts: [{ text: "so" }, part] }, user] });
    expect(await again({ text: "", thoughtSignature: signature })).toHaveProperty("candidates");
    expect(await again({ text: "", thoughtSignature: `A${String(signature).slice(1)}` })).toHaveProperty("error");
  });

  it("are signed by Gemini on the first call alone, whole and streamed", async () => {
    const calling = { reasoning: { text: "", seal: "signature" }, toolCalls: [{ name: "f" }, { name: "g" }] } as const;
    const answer = { ...calling, toolCalls: [...calling.toolCalls] };
    const parts = at(await whole(answer, "Gemini"), "candidates", 0, "content", "parts") as readonly Json[];
    expect(parts.map((part) => [at(part, "functionCall", "name"), "thoughtSignature" in part])).toEqual([
      ["f", true],
      ["g", false],
    ]);
    const events = await streamed(answer, "Gemini");
    expect(events.slice(0, 2).map((event) => at(event, "candidates", 0, "content", "parts", 0))).toEqual(parts);
  });

  it("are content of their own kind at Cohere", async () => {
    expect(at(await whole(thinking, "Cohere Chat"), "message", "content")).toEqual([
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "so" },
    ]);
    const events = await streamed(thinking, "Cohere Chat");
    expect(events.map(({ type }) => type)).toEqual([
      "message-start",
      "content-start",
      "content-delta",
      "content-end",
      "content-start",
      "content-delta",
      "content-end",
      "message-end",
    ]);
  });
});

describe("calls of tools in streams", () => {
  const calling = {
    toolCalls: [
      { name: "f", arguments: { city: "Berlin" }, id: "c1" },
      { name: "g", id: "c2" },
    ],
  };

  it("begin with their names at Bedrock, and go on in pieces of their text", async () => {
    const events = await streamed(calling, "Bedrock Converse");
    expect(events.flatMap((event) => at(event, "start", "toolUse") ?? [])).toEqual([
      { toolUseId: "c1", name: "f" },
      { toolUseId: "c2", name: "g" },
    ]);
    const inputs = events
      .filter((event) => event["contentBlockIndex"] === 0)
      .map((event) => at(event, "delta", "toolUse", "input"))
      .filter((input) => typeof input === "string");
    expect(inputs.join("")).toBe('{"city":"Berlin"}');
  });

  it("are objects and no lists at Cohere", async () => {
    const events = await streamed(calling, "Cohere Chat");
    const starts = events.filter(({ type }) => type === "tool-call-start");
    expect(starts.map((event) => [event["index"], at(event, "delta", "message", "tool_calls", "id")])).toEqual([
      [0, "c1"],
      [1, "c2"],
    ]);
    const first = events.filter(({ type, index }) => type === "tool-call-delta" && index === 0);
    const pieces = first.map((event) => at(event, "delta", "message", "tool_calls", "function", "arguments"));
    expect(pieces.join("")).toBe('{"city":"Berlin"}');
  });

  it("are whole at Gemini, under an id only where one was scripted", async () => {
    const calls = async (answer: AnswerScript): Promise<unknown[]> =>
      (await streamed(answer, "Gemini")).flatMap(
        (event) => at(event, "candidates", 0, "content", "parts", 0, "functionCall") ?? [],
      );
    expect(await calls(calling)).toEqual([
      { id: "c1", name: "f", args: { city: "Berlin" } },
      { id: "c2", name: "g", args: {} },
    ]);
    expect(await calls({ toolCalls: [{ name: "f" }] })).toEqual([{ name: "f", args: {} }]);
  });
});
