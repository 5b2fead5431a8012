import { describe, expect, it } from "vitest";
import type { RouteTarget } from "#domain/snapshot";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

function world(more: (target: RouteTarget) => object = () => ({})): PipelineWorld {
  const route = sampleRoute("main", ["a/m", "b/m", "c/m"]);
  const targets = route.targets.map((target) => Object.assign({}, target, more(target)));
  return new PipelineWorld([sampleProvider("a"), sampleProvider("b"), sampleProvider("c")], [{ ...route, targets }]);
}

/** The provider that answers a chat, where all answer but those that fail. */
async function served(at: PipelineWorld, body: object, failing: readonly string[] = []): Promise<string> {
  const from = at.sent.length;
  const { exchange, done } = await at.chat(body);
  for (let next = from; next < at.sent.length; next += 1) {
    const record = at.request(next);
    const provider = record.request.headers["authorization"]?.replace("Bearer sk-", "") ?? "";
    if (failing.includes(provider)) record.json({ error: { message: "x" } }, 500);
    else record.json(completion("hello"));
    await at.settle();
  }
  await done;
  return String(exchange.fields["x-hedgerow-provider"]);
}

describe("a session", () => {
  it("stays with whoever answered it last, and others do not follow", async () => {
    const at = world();
    expect(await served(at, { session_id: "s" }, ["a"])).toBe("b");
    expect(await served(at, { session_id: "s" })).toBe("b");
    expect(await served(at, { session_id: "t" })).toBe("a");
    expect(await served(at, {})).toBe("a");
  });

  it("moves on when that fails, and begins anew after an hour", async () => {
    const at = world();
    await served(at, { hedgerow: { session: "s" } }, ["a"]);
    expect(await served(at, { hedgerow: { session: "s" } }, ["b"])).toBe("a");
    await served(at, { hedgerow: { session: "s" } }, ["a"]);
    await at.advance(60 * 60_000);
    expect(await served(at, { hedgerow: { session: "s" } })).toBe("a");
  });
});

describe("weights", () => {
  it("draw by call, and once for a session", async () => {
    const at = world(() => ({ weight: 1 }));
    const calls = new Set<string>();
    for (let call = 0; call < 20; call += 1) calls.add(await served(at, {}));
    expect([...calls].toSorted()).toEqual(["a", "b", "c"]);
    const sessions = new Set<string>();
    for (let call = 0; call < 10; call += 1)
      sessions.add(
        await served(
          world(() => ({ weight: 1 })),
          { session_id: "s" },
        ),
      );
    expect(sessions.size).toBe(1);
  });

  it("give way to a warm cache while it lasts: the next turns of a long conversation stay", async () => {
    const at = world(() => ({ weight: 1 }));
    const messages = [{ role: "system", content: "rules ".repeat(1200) }];
    const home = await served(at, { messages });
    for (let turn = 0; turn < 12; turn += 1) {
      messages.push({ role: "user", content: `turn ${turn} ${"word ".repeat(100)}` });
      expect(await served(at, { messages })).toBe(home);
    }
    const short = new Set<string>();
    for (let call = 0; call < 20; call += 1) short.add(await served(at, {}));
    expect(short.size).toBeGreaterThan(1);
  });

  it("are not bent by a warm cache where there are none", async () => {
    const at = world();
    const messages = [{ role: "system", content: "rules ".repeat(1200) }];
    expect(await served(at, { messages }, ["a"])).toBe("b");
    expect(await served(at, { messages })).toBe("a");
  });
});
