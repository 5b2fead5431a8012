import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { GatewayKey, KeyFacts } from "#domain/gateway-key";
import { fails, ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const secret = (name: string): string => `secret-of-the-key-${name}`;
const key = (name: string, facts: Partial<KeyFacts>): GatewayKey => ({
  name,
  sha256: hash("sha256", secret(name)),
  ...facts,
});

/** Two providers that serve the same model, and keys that are good for parts of it. */
async function scoped(first = ok("from the first")) {
  const [one, two] = [await startUpstream(first), await startUpstream(ok("from the second"))];
  const models = new Map([["m", sampleTraits("vendor/model-1", 100_000)]]);
  const at = (id: string, url: string) => ({ ...providerAt(id, "openai-compatible", url), basePath: "", models });
  const gateway = await startGateway(
    [at("one", one.url), at("two", two.url)],
    [sampleRoute("main", ["one/m", "two/m"]), sampleRoute("other", ["two/n"])],
    {
      keys: [
        key("all", {}),
        key("second", { providers: ["two"] }),
        key("exact", { models: ["two/m"] }),
        key("canonical", { models: ["vendor/*"] }),
        key("neither", { providers: ["one"], models: ["n"] }),
        key("embeds", { endpoints: ["embed"] }),
        key("looks", { role: "viewer" }),
      ],
    },
  );
  const ask = async (as: string, model: string) => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret(as)}`, "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const list = async (as: string) => {
    const answer = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${secret(as)}` } });
    const { data = [] } = (await answer.json()) as { data?: readonly { id: string }[] };
    return { status: answer.status, ids: data.map(({ id }) => id) };
  };
  return {
    ask,
    list,
    asked: () => one.log.entries.length + two.log.entries.length,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([one.close(), two.close()]);
    },
  };
}

describe("a key that is good for some targets", () => {
  it.each([
    ["all", "main", "from the first"],
    ["second", "main", "from the second"],
    ["exact", "main", "from the second"],
    ["canonical", "main", "from the first"],
    ["second", "two/anything", "from the second"],
  ])("%s asks %s: %s", async (as, model, text) => {
    await using world = await scoped();
    expect(await world.ask(as, model)).toMatchObject({ status: 200, text: expect.stringContaining(text) });
  });

  it.each([
    ["second", "one/m"],
    ["exact", "two/n"],
    ["exact", "other"],
    ["canonical", "other"],
    ["neither", "main"],
    ["embeds", "main"],
    ["looks", "main"],
  ])("%s may not ask %s, and nobody is asked for it", async (as, model) => {
    await using world = await scoped();
    const { status, text } = await world.ask(as, model);
    expect(status).toBe(403);
    expect(text).toContain(as);
    expect(world.asked()).toBe(0);
  });

  it("does not fail over to the others", async () => {
    await using world = await scoped(fails(500));
    expect((await world.ask("all", "main")).text).toContain("from the second");
    const before = world.asked();
    expect((await world.ask("second", "one/m")).status).toBe(403);
    expect(world.asked()).toBe(before);
  });

  it("lists those alone", async () => {
    await using world = await scoped();
    expect((await world.list("all")).ids).toEqual(["main", "other", "one/m", "two/m"]);
    expect((await world.list("second")).ids).toEqual(["main", "other", "two/m"]);
    expect((await world.list("exact")).ids).toEqual(["main", "two/m"]);
    expect((await world.list("neither")).ids).toEqual([]);
    expect((await world.list("embeds")).status).toBe(403);
  });
});
