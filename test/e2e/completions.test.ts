import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { cutAfter, fails, ok, says } from "../upstream/start-upstream.ts";
import { openRow, type ProviderRow } from "./provider-row.ts";
import { failureOf, gather } from "./upstream-languages.ts";

const usage = { input: 90, output: 7 };
const counted = { prompt_tokens: 90, completion_tokens: 7, total_tokens: 97 };
const asChat = "completion-as-chat";

function openai({ url }: ProviderRow): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
}

/** Those that have completions, and those that are asked for an answer to a chat instead. */
const kinds = [
  { kind: "sim", path: "/v1/completions" },
  { kind: "openai-compatible", path: "/v1/completions" },
  { kind: "openai", path: "/v1/chat/completions" },
  { kind: "anthropic", path: "/v1/messages" },
  { kind: "sim-responses", path: "/v1/responses" },
  { kind: "cohere", path: "/v2/chat" },
] as const;

describe.each(kinds)("completions by $kind", ({ kind, path }) => {
  const isChat = path !== "/v1/completions";

  it("reach the official package whole, with usage and cost", async () => {
    await using world = await openRow([kind], [ok("there was a hedge.", { answer: { usage } })]);
    const asked = { model: "main", prompt: "Once upon a time", max_tokens: 20 };
    const { data, response } = await openai(world).completions.create(asked).withResponse();
    expect(data).toMatchObject({
      object: "text_completion",
      choices: [{ index: 0, text: "there was a hedge.", finish_reason: "stop", logprobs: null }],
      usage: counted,
    });
    expect(world.upstreams[0]?.log.last?.path).toBe(path);
    const warning = response.headers.get("x-hedgerow-warning");
    if (isChat) expect(warning).toContain(asChat);
    else expect(warning).toBeNull();
    expect((await world.gateway.recorded(1))[0]).toMatchObject({
      operation: "complete",
      decision: "answered",
      usage: { inputUncached: 90, output: 7 },
      // Cohere bills other numbers than it reports.
      costNanoUsd: kind === "cohere" ? expect.any(Number) : 90 * 20 + 7 * 40,
    });
  });

  it.each([false, true])("stream piece by piece (usage asked for: %s)", async (include) => {
    const pieces = ["there", " wäs", " a hedge 🌿."];
    await using world = await openRow([kind], [says(pieces, { answer: { usage } })]);
    const stream = await openai(world).completions.create({
      model: "main",
      prompt: "Once upon a time",
      stream: true,
      ...(include ? { stream_options: { include_usage: true } } : {}),
    });
    const chunks = await gather(stream);
    const texts = chunks.map((chunk) => chunk.choices[0]?.text ?? "").filter((text) => text !== "");
    expect(texts).toEqual(pieces);
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
    const told = chunks.flatMap((chunk) => chunk.usage ?? []);
    if (include) expect(told).toMatchObject([counted]);
    else expect(told).toEqual([]);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ streamed: true, usage: { inputUncached: 90 } });
  });

  it("that are cut end in an error, never in a finish", async () => {
    await using world = await openRow([kind], [cutAfter(2)]);
    const seen: OpenAI.Completion[] = [];
    const read = async (): Promise<void> => {
      const stream = await openai(world).completions.create({ model: "main", prompt: "Once", stream: true });
      for await (const chunk of stream) seen.push(chunk);
    };
    expect(await failureOf(read())).toBeInstanceOf(Error);
    expect(seen.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual([]);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ decision: "broken", code: "upstream_truncated" });
  });
});

describe("completions", () => {
  it("come from the next provider where the first fails", async () => {
    await using world = await openRow(["sim", "anthropic"], [fails(500), ok("at last")]);
    const answer = await openai(world).completions.create({ model: "main", prompt: "Once" });
    expect(answer.choices[0]?.text).toBe("at last");
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ decision: "recovered" });
  });

  it("that only a completion can do go past those asked as a chat", async () => {
    await using world = await openRow(["anthropic", "sim"], [ok("no"), ok("yes")]);
    const answer = await openai(world).completions.create({ model: "main", prompt: "def f(", suffix: ")" });
    expect(answer.choices[0]?.text).toBe("yes");
    expect(world.upstreams[0]?.log.entries).toEqual([]);
    expect(world.sent(1)).toMatchObject({ prompt: "def f(", suffix: ")", model: "m" });
  });

  it.each([
    [{ prompt: ["one", "two"] }, "prompt"],
    [{ prompt: "a", echo: true }, "echo"],
  ])("are refused by name where nobody can: %j", async (body, param) => {
    await using world = await openRow(["anthropic"]);
    const error = await failureOf(openai(world).completions.create({ model: "main", ...body }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param, message: expect.stringContaining("/v1/completions") });
  });

  it("show no thoughts, since a completion has no place for them", async () => {
    await using world = await openRow(["anthropic"], [ok("said", { answer: { reasoning: "thought" } })]);
    const { json } = await world.post("/v1/completions", { prompt: "Once", hedgerow: { metadata: true } });
    expect(JSON.stringify(json)).not.toContain("thought");
    expect(json).toMatchObject({ choices: [{ text: "said" }], hedgerow: { provider: "anthropic-0" } });
  });
});
