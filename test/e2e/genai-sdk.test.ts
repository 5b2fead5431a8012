import {
  ApiError,
  FunctionCallingConfigMode,
  GoogleGenAI,
  ThinkingLevel,
  type Content,
  type FunctionCall,
  type GenerateContentConfig,
  type GenerateContentResponse,
  type Part,
} from "@google/genai";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "#domain/snapshot";
import { cutAfter, fails, ok, says, stalls } from "../upstream/start-upstream.ts";
import {
  abortLatencies,
  anthropicUpstream,
  assistant,
  everyUpstream,
  failureOf,
  gather,
  lacks,
  openaiUpstream,
  openHouse,
  type House,
} from "./upstream-languages.ts";

const question = "How are the hedges?";
const usage = { input: 90, cacheRead: 10, output: 7 };
const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weather = { name: "weather", description: "Tells the weather.", parametersJsonSchema: schema };
const tools = [{ functionDeclarations: [weather] }];
const both = [false, true];

function client({ url }: { readonly url: string }, apiKey = "any"): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
}

/** An answer as its parts, and its last chunk. */
interface Answer {
  readonly parts: readonly Part[];
  readonly last: GenerateContentResponse | undefined;
}

async function ask(house: House, config: GenerateContentConfig = {}, streamed = false): Promise<Answer> {
  return await askWith(house, { contents: question, config }, streamed);
}

async function askWith(
  house: House,
  given: { readonly contents: Content[] | string; readonly config?: GenerateContentConfig },
  streamed: boolean,
): Promise<Answer> {
  const { models } = client(house);
  const request = { model: "main", ...given };
  const chunks = streamed
    ? await gather(await models.generateContentStream(request))
    : [await models.generateContent(request)];
  return { parts: chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []), last: chunks.at(-1) };
}

function textOf({ parts }: Answer): string {
  return parts.map(({ text, thought }) => (thought === true ? "" : (text ?? ""))).join("");
}

function callsOf({ parts }: Answer): readonly FunctionCall[] {
  return parts.flatMap(({ functionCall }) => functionCall ?? []);
}

function endOf({ last }: Answer): string | undefined {
  return last?.candidates?.[0]?.finishReason;
}

describe.each(everyUpstream)("Google's official client over $title", (language) => {
  it.each(both)("gets a plain answer, with usage in Google's sums (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const answer = await ask(house, {}, streamed);
    expect(textOf(answer)).toBe("Green and tall.");
    expect(endOf(answer)).toBe("STOP");
    expect(answer.last).toMatchObject({
      responseId: expect.stringMatching(/./) as string,
      modelVersion: expect.stringMatching(/./) as string,
      usageMetadata: {
        promptTokenCount: 100,
        cachedContentTokenCount: 10,
        candidatesTokenCount: 7,
        totalTokenCount: 107,
      },
    });
    expect(house.asked[0]?.path + JSON.stringify(house.lastBody())).toContain(language.model);
  });

  it("iterates over a stream, piece by piece", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(language, says(pieces));
    const request = { model: "main", contents: question };
    const chunks = await gather(await client(house).models.generateContentStream(request));
    expect(chunks.map(({ text }) => text ?? "").filter((text) => text !== "")).toEqual(pieces);
    expect(chunks.map(({ candidates }) => candidates?.[0]?.finishReason).filter(Boolean)).toEqual(["STOP"]);
  });

  it.each(both)("takes a chat through a tool call to its final answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const chat = client(house).chats.create({ model: "main", config: { tools } });
    const send = async (message: string | Part[]): Promise<readonly GenerateContentResponse[]> =>
      streamed ? await gather(await chat.sendMessageStream({ message })) : [await chat.sendMessage({ message })];
    const [call] = (await send("Use weather, please")).flatMap(({ functionCalls }) => functionCalls ?? []);
    expect(call).toMatchObject({ name: "weather", args: { city: "simulated", days: 1 } });
    const functionResponse = { id: call!.id!, name: call!.name!, response: { output: "rain on day 1" } };
    const said = await send([{ functionResponse }]);
    expect(said.map(({ text }) => text ?? "").join("")).toContain("The tool answered: “rain on day 1”");
    // The chat kept every turn: a chunk without parts would have made it forget.
    expect(chat.getHistory(true).map(({ role }) => role)).toContain("model");
    const again = await send("And now?");
    expect(again.map(({ text }) => text ?? "").join("")).not.toBe("");
    expect(house.asked.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it.each(both)(
    "gets parallel calls, one without arguments, and gives all results (streamed: %s)",
    async (streamed) => {
      const toolCalls = [{ name: "weather", arguments: { city: "Ulm", days: 2 } }, { name: "clock" }];
      await using house = await openHouse(language, ({ toolResults }) =>
        toolResults.length === 0 ? { answer: { text: "Let me see.", toolCalls } } : ok(toolResults.join(" / ")),
      );
      const clock = { name: "clock" };
      const config = { tools: [{ functionDeclarations: [weather, clock] }] };
      const answer = await ask(house, config, streamed);
      expect(callsOf(answer).map(({ name, args }) => [name, args ?? {}])).toEqual([
        ["weather", { city: "Ulm", days: 2 }],
        ["clock", {}],
      ]);
      // Without ids, as many clients answer.
      const results = callsOf(answer).map(({ name }) => {
        return { functionResponse: { name: name!, response: { output: `${name} done` } } };
      });
      for (const { functionCall } of answer.parts) delete functionCall?.id;
      const contents: Content[] = [
        { role: "user", parts: [{ text: question }] },
        { role: "model", parts: [...answer.parts] },
        { role: "user", parts: results.toReversed() },
      ];
      const last = textOf(await askWith(house, { contents, config }, streamed));
      for (const done of ["weather done", "clock done"]) expect(last).toContain(done);
    },
  );

  it("is made to call the tool it must, and calls none where it may not", async () => {
    await using house = await openHouse(language, assistant);
    const calling = (mode: FunctionCallingConfigMode): GenerateContentConfig => ({
      tools,
      toolConfig: { functionCallingConfig: { mode } },
    });
    expect(callsOf(await ask(house, calling(FunctionCallingConfigMode.ANY)))).toMatchObject([{ name: "weather" }]);
    expect(callsOf(await ask(house, calling(FunctionCallingConfigMode.NONE)))).toEqual([]);
  });

  it.each(both)("is given an answer that keeps to a schema of either kind (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const json = { responseMimeType: "application/json" };
    const openapi = { type: "OBJECT", properties: { city: { type: "STRING" } }, required: ["city"] } as object;
    const answers = [
      await ask(house, { ...json, responseJsonSchema: schema }, streamed),
      await ask(house, { ...json, responseSchema: openapi }, streamed),
    ];
    const [first, second] = answers.map((answer) => JSON.parse(textOf(answer)) as unknown);
    expect(first).toEqual({ city: "simulated", days: 1 });
    expect(second).toEqual({ city: "simulated" });
  });

  it.each([
    ["stop", "STOP"],
    ["length", "MAX_TOKENS"],
    ["policy", "SAFETY"],
  ])("knows the end %s as %s, streamed and not", async (finish, word) => {
    if (finish === "policy" && lacks(language, "filtered answers")) return;
    await using house = await openHouse(language, ok("Green", { answer: { finish } }));
    expect([endOf(await ask(house)), endOf(await ask(house, {}, true))]).toEqual([word, word]);
  });

  it("has its stop sequences and its limit honoured", async () => {
    await using house = await openHouse(language, assistant);
    const stopping = ask(house, { stopSequences: ["No real"] });
    if (lacks(language, "stop sequences")) await expect(stopping).rejects.toMatchObject({ status: 400 });
    else expect(textOf(await stopping)).not.toContain("No real");
    expect(endOf(await ask(house, { maxOutputTokens: 5 }))).toBe("MAX_TOKENS");
  });

  it("has its system prompt, images and documents carried, or is refused what cannot be", async () => {
    await using house = await openHouse(language, ok("read"));
    const contents: Content[] = [
      {
        role: "user",
        parts: [{ inlineData: { mimeType: "application/pdf", data: "JVBERi0xLjQK" } }, { text: "Sum it up." }],
      },
    ];
    const asking = askWith(house, { contents, config: { systemInstruction: "Be brief." } }, false);
    if (lacks(language, "files")) return await expect(asking).rejects.toMatchObject({ status: 400 });
    expect(textOf(await asking)).toBe("read");
    const sent = JSON.stringify(house.lastBody());
    for (const piece of ["Be brief.", "JVBERi0xLjQK", "Sum it up."]) expect(sent).toContain(piece);
  });

  it("counts tokens: by the provider where it can, else by an estimate", async () => {
    await using house = await openHouse(language, ok("hello"));
    const { totalTokens } = await client(house).models.countTokens({ model: "main", contents: question });
    if (lacks(language, "token counts")) expect(totalTokens).toBeGreaterThan(0);
    else expect(totalTokens).toBe(5);
  });

  it("lists models and finds one", async () => {
    await using house = await openHouse(language, ok("hello"));
    const { models } = client(house);
    const names = (await gather(await models.list())).map(({ name }) => name);
    expect(names).toContain("models/main");
    expect(await models.get({ model: "main" })).toMatchObject({ name: "models/main", displayName: "main" });
  });

  it.each([
    [400, 400, "INVALID_ARGUMENT"],
    // Our own standing with the provider is not the caller's.
    [401, 502, "UNAVAILABLE"],
    [429, 429, "RESOURCE_EXHAUSTED"],
    [500, 502, "UNAVAILABLE"],
    [503, 503, "UNAVAILABLE"],
  ])("raises its own error for a provider's %d", async (status, seen, word) => {
    await using house = await openHouse(language, fails(status));
    for (const streamed of both) {
      const failed = await failureOf(ask(house, {}, streamed));
      expect(failed).toBeInstanceOf(ApiError);
      expect(failed).toMatchObject({ status: seen, message: expect.stringContaining(`"${word}"`) as string });
    }
  });

  it("raises its own error in a stream that breaks off, and never sees an end", async () => {
    await using house = await openHouse(language, cutAfter(2));
    const seen: GenerateContentResponse[] = [];
    const reading = async (): Promise<void> => {
      const stream = await client(house).models.generateContentStream({ model: "main", contents: question });
      for await (const chunk of stream) seen.push(chunk);
    };
    expect(await failureOf(reading())).toMatchObject({ name: "ApiError", status: 502 });
    expect(seen.map(({ text }) => text ?? "").join("")).not.toBe("");
    expect(seen.flatMap(({ candidates }) => candidates?.[0]?.finishReason ?? [])).toEqual([]);
  });
});

describe("thoughts of another vendor", () => {
  const thinkingConfig = { includeThoughts: true, thinkingLevel: ThinkingLevel.HIGH };

  it.each(both)("come back with their signature through a chat with tools (streamed: %s)", async (streamed) => {
    await using house = await openHouse(anthropicUpstream, assistant);
    const chat = client(house).chats.create({ model: "main", config: { tools, thinkingConfig } });
    const message = "Use weather, please";
    const chunks = streamed
      ? await gather(await chat.sendMessageStream({ message }))
      : [await chat.sendMessage({ message })];
    const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    expect(parts[0]).toMatchObject({ thought: true });
    const [call] = chunks.flatMap(({ functionCalls }) => functionCalls ?? []);
    const functionResponse = { name: call!.name!, response: { output: "rain" } };
    const answer = await chat.sendMessage({ message: [{ functionResponse }] });
    expect(answer.text).toContain("The tool answered: “rain”");
    const turns = house.lastBody()["messages"] as { content: { type: string; signature?: string }[] }[];
    expect(turns[1]?.content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
    expect(turns[1]?.content[0]?.signature).toMatch(/.{40}/);
  });

  it.each(both)("that nobody asked to see are kept for the turn that needs them (streamed: %s)", async (streamed) => {
    await using house = await openHouse(anthropicUpstream, assistant);
    const hidden = { thinkingLevel: ThinkingLevel.HIGH };
    const asked: Content[] = [{ role: "user", parts: [{ text: "Use weather, please" }] }];
    const config = { tools, thinkingConfig: hidden };
    const { parts } = await askWith(house, { contents: asked, config }, streamed);
    expect(parts.some(({ thought }) => thought === true)).toBe(false);
    const [call] = callsOf({ parts, last: undefined });
    const functionResponse = { id: call!.id!, name: call!.name!, response: { output: "rain" } };
    const contents = [...asked, { role: "model", parts: [...parts] }, { role: "user", parts: [{ functionResponse }] }];
    await askWith(house, { contents, config }, streamed);
    const turns = house.lastBody()["messages"] as { content: { type: string; signature?: string }[] }[];
    expect(turns[1]?.content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
  });

  it.each(both)("never reach Google (streamed: %s)", async (streamed) => {
    const gemini = everyUpstream.find(({ dialect }) => dialect === "gemini") ?? anthropicUpstream;
    for (const model of [gemini.model, "gemini-3-pro-preview"]) {
      await using foreign = await openHouse(anthropicUpstream, assistant);
      await using native = await openHouse({ ...gemini, model }, assistant);
      const asked: Content[] = [{ role: "user", parts: [{ text: "Use weather, please" }] }];
      const config = { tools, thinkingConfig: { includeThoughts: true } };
      const { parts } = await askWith(foreign, { contents: asked, config }, streamed);
      expect(JSON.stringify(parts)).toMatch(/"thoughtSignature":"aGVkZ2Vyb3c6/);
      const [call] = callsOf({ parts, last: undefined });
      const functionResponse = { id: call!.id!, name: call!.name!, response: { output: "rain" } };
      const contents = [
        ...asked,
        { role: "model", parts: [...parts] },
        { role: "user", parts: [{ functionResponse }] },
      ];
      const answer = await askWith(native, { contents, config }, false);
      expect(textOf(answer)).toContain("The tool answered: “rain”");
      const sent = JSON.stringify(native.lastBody());
      expect(sent).not.toContain("aGVkZ2Vyb3c6");
      expect(sent).not.toContain('"thought":true');
    }
  });

  it("are not shown to who did not ask for them", async () => {
    await using house = await openHouse(openaiUpstream, ok("Green.", { answer: { reasoning: "Hedges are plants." } }));
    for (const streamed of both) {
      expect(JSON.stringify((await ask(house, {}, streamed)).parts)).not.toContain("Hedges");
      const shown = await ask(house, { thinkingConfig: { includeThoughts: true } }, streamed);
      expect(shown.parts[0]).toMatchObject({ text: "Hedges are plants.", thought: true });
      expect(textOf(shown)).toBe("Green.");
    }
  });
});

describe("the gateway's key and refusals", () => {
  const key = "hr-key-of-this-test";
  const keys = [{ name: "tester", sha256: createHash("sha256").update(key).digest("hex") }];

  it("comes as Google's clients send theirs", async () => {
    await using house = await openHouse(anthropicUpstream, ok(), { keys });
    const asked = { model: "main", contents: question };
    await expect(client(house, "wrong").models.generateContent(asked)).rejects.toMatchObject({ status: 401 });
    expect((await client(house, key).models.generateContent(asked)).text).toBe("ok");
    expect(house.gateway.records.at(-1)).toMatchObject({ caller: "tester", dialect: "gemini" });
  });

  it("are said in Google's words", async () => {
    await using house = await openHouse(anthropicUpstream, ok(), { limits: { ...defaultLimits, maxBodyBytes: 2000 } });
    const { models } = client(house);
    const unknown = await failureOf(models.generateContent({ model: "mani", contents: question }));
    expect(unknown).toMatchObject({ status: 404, message: expect.stringMatching(/NOT_FOUND|main/) as string });
    const large = await failureOf(models.generateContent({ model: "main", contents: "x".repeat(3000) }));
    expect(large).toMatchObject({ status: 413 });
  });

  it.each(both)("are no matter where a caller left: its call is cancelled (streamed: %s)", async (streamed) => {
    await using house = await openHouse(
      anthropicUpstream,
      streamed ? stalls({ chunk: 2 }) : ok("late", { delayMs: 30_000 }),
    );
    const { models } = client(house);
    const { median } = await abortLatencies(house, async (abortSignal, seen) => {
      const request = { model: "main", contents: question, config: { abortSignal } };
      if (!streamed) return await models.generateContent(request);
      for await (const chunk of await models.generateContentStream(request)) if (chunk.text) seen();
      return undefined;
    });
    expect(median).toBeLessThan(50);
  });
});
