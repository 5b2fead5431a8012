import { hash } from "node:crypto";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "#domain/snapshot";
import { fails, ok } from "../upstream/start-upstream.ts";
import { everyUpstream, failureOf, openHouse, openaiUpstream, type House } from "./upstream-languages.ts";

function client(house: House, apiKey = "any"): OpenAI {
  return new OpenAI({ baseURL: `${house.url}/v1`, apiKey, maxRetries: 0 });
}

/** Those whose requests hold what was said in one list. */
const told: ReadonlySet<string> = new Set(["openai-chat", "anthropic-messages", "openai-responses"]);

const hello = { type: "message" as const, role: "user" as const, content: "Hello." };

const upstreams = everyUpstream.filter(({ dialect }) => told.has(dialect));

describe.each(upstreams)("a conversation over $title", (language) => {
  it("holds what was said in it, and every answer goes on from that", async () => {
    await using house = await openHouse(language, [ok("I am Ivy."), ok("Ivy, still.")]);
    const { conversations, responses } = client(house);
    const { id } = await conversations.create({ items: [hello], metadata: { topic: "names" } });
    const first = await responses.create({ model: "main", input: "Who are you?", conversation: id });
    expect(first.conversation).toEqual({ id });
    const second = await responses.stream({ model: "main", input: "And now?", conversation: { id } }).finalResponse();
    expect(second).toMatchObject({ output_text: "Ivy, still.", conversation: { id } });
    const items = await conversations.items.list(id, { order: "asc" });
    expect(items.data.map((item) => (item.type === "message" ? item.role : item.type))).toEqual([
      "user",
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    const { messages, input } = house.lastBody();
    expect(JSON.stringify(messages ?? input)).toMatch(/Hello\..*Who are you\?.*I am Ivy\..*And now\?/u);
  });
});

describe("a conversation", () => {
  it("is made, read, changed and deleted with the official package", async () => {
    await using house = await openHouse(openaiUpstream, ok());
    const { conversations } = client(house);
    const made = await conversations.create({ metadata: { topic: "a" } });
    expect(made).toMatchObject({ object: "conversation", metadata: { topic: "a" } });
    expect(made.id).toMatch(/^conv_/u);
    expect(await conversations.retrieve(made.id)).toEqual(made);
    expect(await conversations.update(made.id, { metadata: { topic: "b" } })).toEqual({
      ...made,
      metadata: { topic: "b" },
    });
    expect(await conversations.delete(made.id)).toEqual({
      id: made.id,
      object: "conversation.deleted",
      deleted: true,
    });
    expect(await failureOf(Promise.resolve(conversations.retrieve(made.id)))).toMatchObject({ status: 404 });
    expect(house.asked).toEqual([]);
  });

  it("has items that are added, read, listed page by page and deleted", async () => {
    await using house = await openHouse(openaiUpstream, ok());
    const { conversations } = client(house);
    const { id } = await conversations.create({});
    const texts = ["one", "two", "three"];
    const added = await conversations.items.create(id, { items: texts.map((content) => ({ ...hello, content })) });
    expect(added.data).toHaveLength(3);
    const paged: unknown[] = [];
    for await (const item of conversations.items.list(id, { order: "asc", limit: 2 })) paged.push(item);
    expect(paged).toMatchObject(texts.map((content) => ({ type: "message", role: "user", content })));
    const second = added.data[1]?.id ?? "";
    expect(await conversations.items.retrieve(second, { conversation_id: id })).toMatchObject({ content: "two" });
    expect(await conversations.items.delete(second, { conversation_id: id })).toMatchObject({ id });
    const left = await conversations.items.list(id);
    expect(left.data).toMatchObject([{ content: "three" }, { content: "one" }]);
    const gone = conversations.items.retrieve(second, { conversation_id: id });
    expect(await failureOf(Promise.resolve(gone))).toMatchObject({ status: 404 });
    const many = Array.from({ length: 21 }, () => hello);
    expect(await failureOf(conversations.items.create(id, { items: many }))).toMatchObject({
      status: 400,
      param: "items",
    });
  });

  it("belongs to the key that made it", async () => {
    const keys = ["alice", "bob"].map((name) => ({ name, sha256: hash("sha256", `key-${name}`, "hex") }));
    const more: Partial<Snapshot> = { keys };
    await using house = await openHouse(openaiUpstream, ok(), more);
    const alice = client(house, "key-alice");
    const bob = client(house, "key-bob");
    const { id } = await alice.conversations.create({ items: [hello] });
    expect(await failureOf(Promise.resolve(bob.conversations.retrieve(id)))).toMatchObject({ status: 404 });
    expect(await failureOf(bob.conversations.update(id, { metadata: {} }))).toMatchObject({ status: 404 });
    expect(await failureOf(Promise.resolve(bob.conversations.delete(id)))).toMatchObject({ status: 404 });
    const asked = bob.responses.create({ model: "main", input: "hi", conversation: id });
    expect(await failureOf(asked)).toMatchObject({ status: 400, param: "conversation" });
    expect(house.asked).toEqual([]);
    expect(await alice.conversations.retrieve(id)).toMatchObject({ id });
  });

  it("keeps nothing of a call that failed, and no response where that was not to be stored", async () => {
    await using house = await openHouse(openaiUpstream, [fails(400), ok("Yes.")]);
    const { conversations, responses } = client(house);
    const { id } = await conversations.create({});
    await failureOf(responses.create({ model: "main", input: "one", conversation: id }));
    expect((await conversations.items.list(id)).data).toEqual([]);
    const made = await responses.create({ model: "main", input: "two", conversation: id, store: false });
    expect((await conversations.items.list(id)).data).toHaveLength(2);
    expect(await failureOf(responses.retrieve(made.id))).toMatchObject({ status: 404 });
  });

  it("cannot be combined with an earlier answer", async () => {
    await using house = await openHouse(openaiUpstream, ok());
    const body = { model: "main", input: "hi", conversation: "conv_1", previous_response_id: "resp_1" };
    expect(await failureOf(client(house).responses.create(body))).toMatchObject({ status: 400, param: "conversation" });
  });
});
