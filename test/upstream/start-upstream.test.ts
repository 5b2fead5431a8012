import { expect, it } from "vitest";
import { calls, cutAfter, fails, inTurn, ok, on, says, stalls, startUpstream } from "./start-upstream.ts";
import type { Upstream } from "./start-upstream.ts";

async function ask(upstream: Upstream, fields: object = {}): Promise<Response> {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...fields });
  return fetch(`${upstream.url}/v1/chat/completions`, { method: "POST", body });
}

it("gives each request the next behaviour, and keeps the last", async () => {
  await using upstream = await startUpstream([fails(503), fails(429), ok("hello")]);
  const statuses = [];
  for (let times = 0; times < 4; times += 1) statuses.push((await ask(upstream)).status);
  expect(statuses).toEqual([503, 429, 200, 200]);
});

it("builds answers, tool calls, cuts and stalls", async () => {
  const rules = [
    on({ model: "says" }, says(["a", "b"])),
    on({ model: "calls" }, calls("f", { x: 1 })),
    on({ model: "cut" }, cutAfter(1)),
    on({ model: "stalls" }, stalls("head", { stall: { after: "head", forMs: 1 } })),
    ...inTurn(ok("rest")),
  ];
  await using upstream = await startUpstream({ rules });
  expect(await (await ask(upstream, { model: "says" })).text()).toContain('"content":"ab"');
  expect(await (await ask(upstream, { model: "calls" })).text()).toContain('"arguments":"{\\"x\\":1}"');
  await expect((await ask(upstream, { model: "cut", stream: true })).text()).rejects.toThrow();
  expect(await (await ask(upstream, { model: "stalls", stream: true })).text()).toContain("[DONE]");
  expect(await (await ask(upstream)).text()).toContain('"content":"rest"');
});
