import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { AnswerScript } from "#simulation/behaviour";
import { eventsIn, missingFields, missingInResponse } from "../conformance/responses-events.ts";
import { cutAfter } from "../upstream/start-upstream.ts";
import { everyUpstream, failureOf, openHouse, type House } from "./upstream-languages.ts";

const parameters = { type: "object", properties: { city: { type: "string" } }, additionalProperties: false };
const tools = [{ type: "function" as const, name: "weather", parameters, strict: false }];
const ask = { model: "main", input: "How are the hedges?", tools };

const answers: Readonly<Record<string, AnswerScript>> = {
  text: { chunks: ["Green", " and", " täll", " 🌿."] },
  "a tool call": { text: "Let me see.", toolCalls: [{ name: "weather", arguments: '{"city":"Kiel"}' }] },
  "two tool calls, one without arguments": {
    toolCalls: [{ name: "weather", arguments: '{"city":"Kiel"}' }, { name: "weather" }],
  },
  "a thought and a text": { reasoning: "The hedges, then.", text: "Green." },
  "an answer that was cut off": { text: "Green and", finish: "length" },
  "a refusal": { refusal: "I cannot say." },
};

function client(house: House): OpenAI {
  return new OpenAI({ baseURL: `${house.url}/v1`, apiKey: "any", maxRetries: 0 });
}

async function post(house: House, body: object): Promise<string> {
  const headers = { "content-type": "application/json" };
  return (await fetch(`${house.url}/v1/responses`, { method: "POST", headers, body: JSON.stringify(body) })).text();
}

/** What an answer says, without ids and times. */
function meaning(response: { readonly output: readonly object[]; readonly status?: unknown }): unknown {
  const output = response.output.map((item) => {
    const { type, content, summary, name, arguments: args } = item as Readonly<Record<string, unknown>>;
    const parts = [content, summary].flatMap((list) =>
      Array.isArray(list) ? (list as Record<string, unknown>[]) : [],
    );
    return { type, said: parts.map(({ text, refusal }) => text ?? refusal).join(""), name, args };
  });
  return { status: response.status, output };
}

describe.each(everyUpstream)("a streamed response over $title", (language) => {
  describe.each(Object.entries(answers))("of %s", (_, answer) => {
    it("has every field the official package's types demand, in every event", async () => {
      await using house = await openHouse(language, { answer });
      const stream = await post(house, { ...ask, stream: true });
      const events = eventsIn(stream);
      expect(events.at(-1)?.type).toMatch(/^response\.(?:completed|incomplete)$/u);
      if (language.dialect !== "openai-responses") expect(missingFields(events)).toEqual([]);
      const whole = JSON.parse(await post(house, ask)) as unknown;
      if (language.dialect !== "openai-responses") expect(missingInResponse(whole)).toEqual([]);
    });

    it("is gathered by the package to what a whole answer says", async () => {
      await using house = await openHouse(language, { answer });
      const whole = await client(house).responses.create(ask);
      const types: string[] = [];
      const gathered = client(house).responses.stream(ask);
      gathered.on("event", ({ type }) => void types.push(type));
      const response = await gathered.finalResponse();
      expect(meaning(response)).toEqual(meaning(whole));
      expect(types.slice(0, 2)).toEqual(["response.created", "response.in_progress"]);
    });
  });

  it("that is cut ends in an error and no completion", async () => {
    await using house = await openHouse(language, cutAfter(2));
    const stream = await post(house, { ...ask, stream: true });
    expect(stream).not.toMatch(/response\.completed|\[DONE\]/u);
    expect(eventsIn(stream).slice(-2)).toMatchObject([{ type: "error" }, { type: "response.failed" }]);
    await failureOf(client(house).responses.stream(ask).finalResponse());
  });
});
