import { hash } from "node:crypto";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { defaultLimits, type Snapshot } from "#domain/snapshot";
import type { Memory } from "#domain/ports";
import { processMemory } from "#pipeline/process-memory";
import type { Behaviour } from "#simulation/behaviour";
import type { LoggedRequest } from "#simulation/request-log";
import { fails, ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";
import { failureOf } from "./upstream-languages.ts";

const day = 24 * 60 * 60 * 1000;

/** `store: true` is said nowhere: it is what leaving it out means. */
const model = "main";

const twoKeys = ["a", "b"].map((id) => ({ id, secret: new Secret(`sk-${id}`) }));

interface Wanted {
  readonly memory?: Memory;
  readonly targets?: readonly string[];
  readonly answers?: readonly Behaviour[];
  readonly more?: Partial<Snapshot>;
}

/** An OpenAI that has Responses, one that has chat alone, and an Anthropic, all answering in turn from one list. */
async function openHouse({ targets = ["chat/gpt-4.1"], answers = [ok("Green.")], more = {}, memory }: Wanted = {}) {
  const upstream = await startUpstream([...answers]);
  const chat = providerAt("chat", "openai", upstream.url);
  let nowMs = 0;
  const gateway = await startGateway(
    [
      { ...chat, dialects: ["openai-chat"] },
      { ...chat, id: "openai", dialects: ["openai-responses"] },
      { ...chat, id: "two-keys", dialects: ["openai-responses"], credentials: twoKeys },
      providerAt("claude", "anthropic", upstream.url),
    ],
    [sampleRoute("main", targets)],
    { ...more, memory: memory ?? processMemory(() => nowMs) },
  );
  return {
    client: (key = "any") => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 }),
    asked: upstream.log.entries,
    pass: (ms: number) => (nowMs += ms),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

function bodyOf(request: LoggedRequest | undefined): Record<string, unknown> {
  return JSON.parse(request?.body.toString() ?? "{}") as Record<string, unknown>;
}

/** What the provider was told, as `role: text`, whatever its language. */
function told(request: LoggedRequest | undefined): readonly string[] {
  const body = bodyOf(request);
  const messages = (body["messages"] ?? body["input"]) as readonly Record<string, unknown>[];
  return messages.map(({ role, type, content, output }) => {
    const text = Array.isArray(content)
      ? (content as readonly { readonly text?: string }[]).map((part) => part.text ?? "").join("")
      : (content ?? output);
    return `${String(role ?? type)}: ${String(text)}`;
  });
}

const upstreams = [
  ["a chat upstream", "chat/gpt-4.1"],
  ["an Anthropic upstream", "claude/claude-opus-4-6"],
  ["a Responses upstream", "openai/gpt-4.1"],
] as const;

describe.each(upstreams)("a thread over %s", (_, target) => {
  it.each([
    ["whole", false],
    ["streamed", true],
  ])("goes on from an answer by its id, and from that one's, %s", async (_title, streamed) => {
    const answers = [ok("My name is Ivy."), ok("I said Ivy."), ok("Twice.")];
    await using house = await openHouse({ targets: [target], answers });
    const ask = async (input: string, previous?: string): Promise<OpenAI.Responses.Response> => {
      const named = previous === undefined ? {} : { previous_response_id: previous };
      const body = { model, input, instructions: "Be brief.", ...named };
      if (!streamed) return await house.client().responses.create(body);
      return await house.client().responses.stream(body).finalResponse();
    };
    const first = await ask("Who are you?");
    const second = await ask("What did you say?", first.id);
    const third = await ask("How often?", second.id);
    expect([first.output_text, second.output_text, third.output_text]).toEqual([
      "My name is Ivy.",
      "I said Ivy.",
      "Twice.",
    ]);
    const last = house.asked.at(-1);
    expect([second.previous_response_id, third.previous_response_id]).toEqual([first.id, second.id]);
    if (bodyOf(last)["previous_response_id"] === undefined) {
      expect(told(last).filter((line) => !line.startsWith("system"))).toEqual([
        "user: Who are you?",
        "assistant: My name is Ivy.",
        "user: What did you say?",
        "assistant: I said Ivy.",
        "user: How often?",
      ]);
    } else {
      // Who holds the thread itself is asked in the caller's own words.
      expect(bodyOf(last)).toMatchObject({ previous_response_id: second.id, input: "How often?" });
    }
    // Instructions are of one call alone.
    expect(JSON.stringify(bodyOf(last)).split("Be brief.")).toHaveLength(2);
  });

  it("keeps an answer that can be read, listed and deleted", async () => {
    await using house = await openHouse({ targets: [target] });
    const { responses } = house.client();
    const input = [
      { role: "user" as const, content: "one" },
      { role: "user" as const, content: "two" },
    ];
    const made = await responses.create({ model, input, metadata: { topic: "hedges" } });
    expect(await responses.retrieve(made.id)).toMatchObject({
      id: made.id,
      output_text: "Green.",
      status: "completed",
    });
    const newest = await responses.inputItems.list(made.id);
    expect(newest.data).toMatchObject([{ content: "two" }, { content: "one" }]);
    const paged: unknown[] = [];
    for await (const item of responses.inputItems.list(made.id, { order: "asc", limit: 1 })) paged.push(item);
    expect(paged).toMatchObject([{ content: "one" }, { content: "two" }]);
    await responses.delete(made.id);
    expect(await failureOf(responses.retrieve(made.id))).toMatchObject({
      status: 404,
      type: "invalid_request_error",
      message: expect.stringContaining(`Response with id '${made.id}' not found.`) as string,
    });
    expect(await failureOf(responses.delete(made.id))).toMatchObject({ status: 404 });
  });
});

describe("a thread", () => {
  it("is kept nowhere where the caller says so", async () => {
    await using house = await openHouse();
    const { responses } = house.client();
    const made = await responses.create({ model, input: "hi", store: false });
    expect(made).toMatchObject({ store: false });
    expect(await failureOf(responses.retrieve(made.id))).toMatchObject({ status: 404 });
    const next = responses.create({ model, input: "and?", previous_response_id: made.id });
    expect(await failureOf(next)).toMatchObject({ status: 400 });
    expect(house.asked).toHaveLength(1);
  });

  it("that cannot be kept is given all the same, with a word about it", async () => {
    const full: Memory = { get: () => undefined, put: () => false, change: () => false, delete: () => false };
    const broken: Memory = {
      ...full,
      put: () => {
        throw new Error("the memory has a bug");
      },
    };
    for (const memory of [full, broken]) {
      await using house = await openHouse({ memory });
      const { data, response } = await house.client().responses.create({ model, input: "hi" }).withResponse();
      expect(data.output_text).toBe("Green.");
      expect(response.headers.get("x-hedgerow-warning")).toContain("not-stored");
    }
  });

  it("that is not known is refused in OpenAI's own shape, before anybody is asked", async () => {
    await using house = await openHouse();
    const next = house.client().responses.create({ model, input: "and?", previous_response_id: "resp_nobody" });
    expect(await failureOf(next)).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      code: "previous_response_not_found",
      param: "previous_response_id",
      message: expect.stringContaining("Previous response with id 'resp_nobody' not found") as string,
    });
    expect(house.asked).toEqual([]);
  });

  it("belongs to the key that made it", async () => {
    const keys = ["alice", "bob"].map((name) => ({ name, sha256: hash("sha256", `key-${name}`, "hex") }));
    await using house = await openHouse({ targets: ["openai/gpt-4.1"], more: { keys } });
    const alice = house.client("key-alice").responses;
    const bob = house.client("key-bob").responses;
    const made = await alice.create({ model, input: "hi" });
    expect(await failureOf(bob.retrieve(made.id))).toMatchObject({ status: 404 });
    expect(await failureOf(bob.delete(made.id))).toMatchObject({ status: 404 });
    expect(await failureOf(Promise.resolve(bob.inputItems.list(made.id)))).toMatchObject({ status: 404 });
    const next = bob.create({ model, input: "and?", previous_response_id: made.id });
    expect(await failureOf(next)).toMatchObject({ status: 400, code: "previous_response_not_found" });
    const item = made.output[0]?.id ?? "";
    const named = bob.create({
      model,
      input: [
        { type: "item_reference", id: item },
        { role: "user", content: "?" },
      ],
    });
    expect(await failureOf(named)).toMatchObject({ status: 400, param: "input" });
    expect(house.asked).toHaveLength(1);
    expect(await alice.retrieve(made.id)).toMatchObject({ id: made.id });
  });

  it("is said whole to a provider with several keys, of which one may be another account's", async () => {
    const targets = ["two-keys/gpt-4.1"];
    await using house = await openHouse({ targets });
    const { responses } = house.client();
    const first = await responses.create({ model, input: "hi" });
    await responses.create({ model, input: "and?", previous_response_id: first.id });
    expect(bodyOf(house.asked[1])).not.toHaveProperty("previous_response_id");
    expect(told(house.asked[1])).toEqual(["user: hi", "assistant: Green.", "user: and?"]);
  });

  it("expires thirty days after it was last used", async () => {
    await using house = await openHouse();
    const { responses } = house.client();
    const used = await responses.create({ model, input: "hi" });
    const left = await responses.create({ model, input: "hi" });
    house.pass(20 * day);
    await responses.retrieve(used.id);
    house.pass(20 * day);
    expect(await responses.retrieve(used.id)).toMatchObject({ id: used.id });
    expect(await failureOf(responses.retrieve(left.id))).toMatchObject({ status: 404 });
  });

  it("may not grow longer than a request may be", async () => {
    const limits = { ...defaultLimits, maxBodyBytes: 3000 };
    await using house = await openHouse({ more: { limits } });
    const { responses } = house.client();
    const long = "x".repeat(2000);
    const first = await responses.create({ model, input: long });
    const second = await responses.create({ model, input: "short", previous_response_id: first.id });
    const third = responses.create({ model, input: long, previous_response_id: second.id });
    expect((await third).id).toMatch(/^resp_/u);
    const fourth = responses.create({ model, input: "over", previous_response_id: (await third).id });
    expect(await failureOf(fourth)).toMatchObject({ status: 413, param: "previous_response_id" });
  });

  it("outlives a failover to a provider of another language, and back", async () => {
    const answers = [ok("Ivy."), fails(503), ok("You asked my name."), ok("Ivy, as I said.")];
    await using house = await openHouse({ targets: ["openai/gpt-4.1", "claude/claude-opus-4-6"], answers });
    const { responses } = house.client();
    const first = await responses.create({ model, input: "Your name?" });
    const second = await responses.create({ model, input: "What did I ask?", previous_response_id: first.id });
    expect(second.output_text).toBe("You asked my name.");
    expect(house.asked.map(({ path }) => path)).toEqual(["/v1/responses", "/v1/responses", "/v1/messages"]);
    expect(bodyOf(house.asked[1])).toMatchObject({ previous_response_id: first.id });
    expect(told(house.asked[2])).toEqual(["user: Your name?", "assistant: Ivy.", "user: What did I ask?"]);
    const third = await responses.create({ model, input: "Again?", previous_response_id: second.id });
    expect(third.output_text).toBe("Ivy, as I said.");
    // OpenAI has never seen the second answer, so that it is told everything.
    expect(bodyOf(house.asked[3])).not.toHaveProperty("previous_response_id");
    expect(third.previous_response_id).toBe(second.id);
    expect(await responses.retrieve(third.id)).toMatchObject({ previous_response_id: second.id });
    expect(told(house.asked[3])).toEqual([
      "user: Your name?",
      "assistant: Ivy.",
      "user: What did I ask?",
      "assistant: You asked my name.",
      "user: Again?",
    ]);
  });

  it("carries tool calls and their results, the calls by their ids alone", async () => {
    const call = { toolCalls: [{ name: "weather", arguments: '{"city":"Kiel"}' }] };
    await using house = await openHouse({
      targets: ["claude/claude-opus-4-6"],
      answers: [{ answer: call }, ok("Wet.")],
    });
    const { responses } = house.client();
    const tools = [{ type: "function" as const, name: "weather", parameters: { type: "object" }, strict: false }];
    const first = await responses.create({ model, input: "Weather?", tools });
    const called = first.output.find((item) => item.type === "function_call");
    if (called === undefined) throw new Error("no call");
    const result = { type: "function_call_output" as const, call_id: called.call_id, output: "rain" };
    const next = { model, input: [result], tools, previous_response_id: first.id };
    expect((await responses.create(next)).output_text).toBe("Wet.");
    expect(bodyOf(house.asked[1])["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ type: "tool_use", name: "weather", input: { city: "Kiel" } }] },
      { role: "user", content: [{ type: "tool_result", content: "rain" }] },
    ]);
  });

  it("may name single items of earlier answers, as the AI SDK does", async () => {
    await using house = await openHouse({ targets: ["chat/gpt-4.1"], answers: [ok("Ivy."), ok("Ivy, I said.")] });
    const { responses } = house.client();
    const first = await responses.create({ model, input: "Your name?" });
    const input = [
      { role: "user" as const, content: "Your name?" },
      { type: "item_reference" as const, id: first.output[0]?.id ?? "" },
      { role: "user" as const, content: "Again?" },
    ];
    const second = await responses.create({ model, input });
    expect(told(house.asked[1])).toEqual(["user: Your name?", "assistant: Ivy.", "user: Again?"]);
    const third = await responses.create({ model, input: "And again?", previous_response_id: second.id });
    expect(third.output_text).toBe("Ivy, I said.");
    expect(told(house.asked[2]).slice(0, 3)).toEqual(told(house.asked[1]));
    const unknown = responses.create({ model, input: [{ type: "item_reference", id: "msg_nobody" }] });
    expect(await failureOf(unknown)).toMatchObject({ status: 400, param: "input" });
  });

  it("leaves to who holds it what only the holder can read", async () => {
    const thought = { answer: { reasoning: "Hm.", text: "Ivy." } };
    const targets = ["openai/gpt-5.4", "chat/gpt-4.1"];
    await using house = await openHouse({ targets, answers: [thought, ok("Ivy."), fails(503), ok("Ivy.")] });
    const { responses } = house.client();
    const first = await responses.create({ model, input: "Your name?" });
    expect(first.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    const second = await responses.create({ model, input: "Again?", previous_response_id: first.id });
    expect(bodyOf(house.asked[1])).toMatchObject({ previous_response_id: first.id, input: "Again?" });
    await responses.create({ model, input: "Once more?", previous_response_id: second.id });
    expect(house.asked[3]?.path).toBe("/v1/chat/completions");
    expect(JSON.stringify(bodyOf(house.asked[3]))).not.toContain("Hm.");
  });
});
