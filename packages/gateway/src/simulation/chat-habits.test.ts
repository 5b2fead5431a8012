import { afterEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "./server.ts";
import type { ChatHabits } from "./voice.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

type Fields = Readonly<Record<string, unknown>>;
const user = { role: "user", content: "hi" };
const tools = [{ type: "function", function: { name: "f" } }];

async function provider(habits: ChatHabits): Promise<(fields: Fields) => Promise<{ status: number; text: string }>> {
  const simulator = await startSimulator({
    script: [{ behaviour: { answer: { toolCalls: [{ name: "f" }] } } }],
    habits,
  });
  started.push(simulator);
  return async (fields) => {
    const body = JSON.stringify({ model: "m", messages: [user], tools, ...fields });
    const answer = await fetch(`${simulator.url}/v1/chat/completions`, { method: "POST", body });
    return { status: answer.status, text: await answer.text() };
  };
}

function turn(id: string, more: Fields = {}): Fields {
  const call = { id, type: "function", function: { name: "f", arguments: "{}" } };
  return {
    messages: [
      user,
      { role: "assistant", ...more, tool_calls: [call] },
      { role: "tool", tool_call_id: id, content: "x" },
    ],
  };
}

describe("a provider that wants reasoning back", () => {
  it("refuses a turn with calls that brings none, unless thinking is off", async () => {
    const ask = await provider({ reasoningEcho: true });
    const refused = await ask(turn("c1"));
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("Missing `reasoning_content` field in the assistant message at message index 1");
    expect((await ask(turn("c1", { reasoning_content: "" }))).status).toBe(200);
    expect((await ask({ messages: [user, { role: "assistant", content: "x" }, user] })).status).toBe(200);
  });
});

describe("a provider with ids of nine characters", () => {
  it("makes such ids, and takes no other", async () => {
    const ask = await provider({ nineCharacterIds: true });
    const { text } = await ask({});
    const id = /"tool_calls":\[\{"id":"([^"]+)"/.exec(text)?.[1] ?? "";
    expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect((await ask(turn(id))).status).toBe(200);
    expect((await ask(turn("call_sim000001_0"))).text).toContain("must be a-z, A-Z, 0-9, with a length of 9");
  });
});

describe("a provider that forbids extras", () => {
  it("says 422 in its own shape to what it does not know, and knows what it has of its own", async () => {
    const ask = await provider({ extraForbidden: true });
    for (const field of ["seed", "max_completion_tokens", "stream_options"]) {
      const { status, text } = await ask({ [field]: 1 });
      expect(status).toBe(422);
      expect(JSON.parse(text)).toMatchObject({
        message: { detail: [{ type: "extra_forbidden", loc: ["body", field] }] },
      });
    }
    const named = await ask({ messages: [{ ...user, name: "Ann" }] });
    expect(JSON.parse(named.text)).toMatchObject({
      message: { detail: [{ loc: ["body", "messages", 0, "user", "name"] }] },
    });
    const { messages } = turn("c1") as { readonly messages: readonly Fields[] };
    expect((await ask({ messages: [...messages, user] })).text).toContain("Unexpected role 'user' after role 'tool'");
    expect((await ask({ random_seed: 1, max_tokens: 9, safe_prompt: true })).status).toBe(200);
    const prefilled = { messages: [user, { role: "assistant", content: "So" }] };
    expect((await ask(prefilled)).text).toContain("Expected last role User or Tool");
    expect((await ask({ messages: [user, { role: "assistant", content: "So", prefix: true }] })).status).toBe(200);
  });
});

describe("OpenAI's newer models on Chat", () => {
  it.each<[string, Fields, number]>([
    ["gpt-5.4", {}, 200],
    ["gpt-5.4", { reasoning_effort: "low" }, 400],
    ["gpt-5.4-mini", { reasoning_effort: "none" }, 200],
    ["gpt-5.6", {}, 400],
    ["gpt-5.6", { reasoning_effort: "none" }, 200],
    ["gpt-5.6", { reasoning_effort: "low", tools: undefined }, 200],
    ["gpt-5.6", { reasoning_effort: "minimal", tools: undefined }, 400],
    ["gpt-5", { reasoning_effort: "low" }, 200],
    ["gpt-4.1", {}, 200],
  ])("answer for %s with tools and %j: %i", async (model, fields, status) => {
    const ask = await provider({});
    const answer = await ask({ model, ...fields });
    expect(answer.status).toBe(status);
    if (status === 400 && !("tools" in fields))
      expect(answer.text).toContain("Function tools with reasoning_effort are not supported");
  });
});
