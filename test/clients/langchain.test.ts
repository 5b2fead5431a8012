import { AIMessageChunk, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { assistant, everyUpstream, gather, openaiUpstream, openHouse } from "../e2e/upstream-languages.ts";
import { ok, says } from "../upstream/start-upstream.ts";

/** Chat is what `ChatOpenAI` speaks by itself; Responses where it is told to. */
const speaks = [false, true];
const pairs = everyUpstream.flatMap((upstream) => speaks.map((useResponsesApi) => ({ useResponsesApi, upstream })));

const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
} as const;

function chat(url: string, useResponsesApi: boolean): ChatOpenAI {
  return new ChatOpenAI({
    model: "main",
    useResponsesApi,
    maxRetries: 0,
    apiKey: "any",
    configuration: { baseURL: `${url}/v1` },
  });
}

describe.each(pairs)(
  "LangChain (Responses: $useResponsesApi) over $upstream.title",
  ({ upstream, useResponsesApi }) => {
    it("gets an answer and its usage", async () => {
      const usage = { input: 90, cacheRead: 10, output: 7 };
      await using house = await openHouse(upstream, ok("Green and tall.", { answer: { usage } }));
      const answer = await chat(house.url, useResponsesApi).invoke("How are the hedges?");
      expect(answer.text).toBe("Green and tall.");
      expect(answer.usage_metadata).toMatchObject({ input_tokens: 100, output_tokens: 7, total_tokens: 107 });
    });

    it("streams", async () => {
      const pieces = ["Green", " and", " täll", " 🌿."];
      await using house = await openHouse(upstream, says(pieces));
      const chunks = await gather(await chat(house.url, useResponsesApi).stream("How are the hedges?"));
      expect(chunks.map(({ text }) => text).join("")).toBe(pieces.join(""));
      const whole = chunks.reduce((sum, chunk) => sum.concat(chunk), new AIMessageChunk(""));
      expect(whole.text).toBe(pieces.join(""));
    });

    it.each([false, true])("takes a tool's call to its result and a final answer (streamed: %s)", async (streamed) => {
      await using house = await openHouse(upstream, assistant);
      const given: unknown[] = [];
      const weather = tool(
        (input) => {
          given.push(input);
          return "sun";
        },
        { name: "weather", description: "Tells the weather.", schema },
      );
      const model = chat(house.url, useResponsesApi).bindTools([weather]);
      const asked = new HumanMessage("Use weather, please");
      const chunks = streamed ? await gather(await model.stream([asked])) : [await model.invoke([asked])];
      const answer = chunks.reduce((sum, chunk) => sum.concat(chunk));
      const [call] = answer.tool_calls ?? [];
      const result: unknown = await weather.invoke({
        ...call,
        name: "weather",
        args: call?.args ?? {},
        type: "tool_call",
      });
      expect(result).toBeInstanceOf(ToolMessage);
      const after = await model.invoke([asked, answer, result as ToolMessage]);
      expect(after.text).toContain("sun");
      expect(given).toEqual([{ city: "simulated", days: 1 }]);
    });

    it("gets an object that fits its schema", async () => {
      await using house = await openHouse(upstream, assistant);
      const model = chat(house.url, useResponsesApi).withStructuredOutput(schema, {
        name: "weather",
        method: "jsonSchema",
      });
      expect(await model.invoke("Where do hedges grow?")).toEqual({ city: "simulated", days: 1 });
    });
  },
);

it("gets vectors for its documents", async () => {
  await using house = await openHouse({ ...openaiUpstream, model: "text-embedding-3-small" }, assistant);
  const configuration = { baseURL: `${house.url}/v1` };
  const embeddings = new OpenAIEmbeddings({
    model: "main",
    maxRetries: 0,
    apiKey: "any",
    dimensions: 8,
    configuration,
  });
  const vectors = await embeddings.embedDocuments(["hedge", "row"]);
  expect(vectors.map(({ length }) => length)).toEqual([8, 8]);
  expect(vectors[0]).not.toEqual(vectors[1]);
});
