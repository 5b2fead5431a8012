import { expect, it } from "vitest";
import { fails, ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

it("answers from the second provider when the first fails, and records both attempts", async () => {
  await using first = await startUpstream(fails(500));
  await using second = await startUpstream(ok("hello"));
  await using gateway = await startGateway(
    [providerAt("one", "openai", first.url), providerAt("two", "anthropic", second.url)],
    [sampleRoute("main", ["one/gpt-x", "two/claude-x"])],
  );
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "main", messages: [{ role: "user", content: "hi" }] }),
  });
  expect(reply.status).toBe(200);
  expect(reply.headers.get("x-hedgerow-decision")).toBe("recovered");
  expect(await reply.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  expect(gateway.records).toMatchObject([
    { decision: "recovered", attempts: [{ outcome: "failed", failure: "upstream_failed" }, { outcome: "answered" }] },
  ]);
});
