import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { anthropicUpstream, openaiUpstream, openHouse, upstreamLanguages } from "../e2e/upstream-languages.ts";
import { ok } from "../upstream/start-upstream.ts";

const messages = [{ role: "user" as const, content: "How are the hedges?" }];
const more = { apiKey: "any", maxRetries: 0 };

describe.each(upstreamLanguages)("the request's id, over $title", (language) => {
  it("is ours where the official anthropic package looks for it", async () => {
    await using house = await openHouse(language, ok("Green."));
    const client = new Anthropic({ baseURL: house.url, ...more });
    const asked = { model: "main", max_tokens: 100, messages };
    const whole = await client.messages.create(asked).withResponse();
    const streamed = await client.messages.create({ ...asked, stream: true }).withResponse();
    const listed = await client.models.list().withResponse();
    for (const { request_id: id, response } of [whole, streamed, listed]) {
      expect(id).toMatch(/^req_[0-9a-f]{24}$/u);
      expect(response.headers.get("x-request-id")).toBe(id);
    }
    streamed.data.controller.abort();
    const refused: unknown = await client.messages
      .create({ ...asked, model: "nobody" })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 404, requestID: expect.stringMatching(/^req_/u) as string });
  });

  it("is ours where the official openai package looks for it", async () => {
    await using house = await openHouse(language, ok("Green."));
    const client = new OpenAI({ baseURL: `${house.url}/v1`, ...more });
    const { request_id: id } = await client.chat.completions.create({ model: "main", messages }).withResponse();
    expect(id).toMatch(/^req_[0-9a-f]{24}$/u);
    const refused: unknown = await client.chat.completions
      .create({ model: "nobody", messages })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 404, requestID: expect.stringMatching(/^req_/u) as string });
  });
});

describe("a caller's betas", () => {
  const ask = { model: "main", max_tokens: 100, messages, betas: ["context-1m-2025-08-07", "another-2026-01-01"] };

  it("reach a provider of the same language as they came", async () => {
    await using house = await openHouse(anthropicUpstream, ok("Green."));
    await new Anthropic({ baseURL: house.url, ...more }).beta.messages.create(ask);
    expect(house.asked[0]?.headers["anthropic-beta"]).toBe(ask.betas.join(","));
  });

  it("are named as lost where the provider speaks another", async () => {
    await using house = await openHouse(openaiUpstream, ok("Green."));
    const { response } = await new Anthropic({ baseURL: house.url, ...more }).beta.messages.create(ask).withResponse();
    expect(house.asked[0]?.headers).not.toHaveProperty("anthropic-beta");
    expect(response.headers.get("x-hedgerow-warning")).toContain("anthropic-beta");
  });
});

describe("what an answer in one piece loses", () => {
  it("is named in the headers that go before it", async () => {
    const block = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} };
    const answer = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [block, { type: "text", text: "Green." }],
      stop_reason: "pause_turn",
      usage: { input_tokens: 1, output_tokens: 1 },
    };
    const body = JSON.stringify(answer);
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    await using house = await openHouse(anthropicUpstream, { raw: head + body });
    const client = new OpenAI({ baseURL: `${house.url}/v1`, ...more });
    const { data, response } = await client.chat.completions.create({ model: "main", messages }).withResponse();
    expect(data.choices[0]).toMatchObject({ message: { content: "Green." }, finish_reason: "stop" });
    const warnings = response.headers.get("x-hedgerow-warning") ?? "";
    expect(warnings).toContain("foreign-event: ");
    expect(warnings).toContain("answer-paused: ");
  });
});
