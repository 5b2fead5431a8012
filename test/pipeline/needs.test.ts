import { describe, expect, it } from "vitest";
import type { Capabilities } from "#domain/model";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { completion, PipelineWorld } from "./pipeline-world.ts";

const able = (id: string, capabilities: Capabilities, contextTokens = 1_000_000) =>
  sampleProvider(id, { models: new Map([["m", { ...sampleTraits("v/m", contextTokens), capabilities }]]) });

const plain = able("plain", { inputs: ["text"], tools: false, structuredOutput: false }, 1_000);
const whole = able("whole", { inputs: ["text", "image"], tools: true, structuredOutput: true });
const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };

describe("the body of a call", () => {
  it.each<[string, object, string]>([
    ["an image", { messages: [{ role: "user", content: [picture] }] }, "takes no image (test, 2026-11-21)"],
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }, "calls no tools (test, 2026-11-21)"],
    [
      "a schema",
      { response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" } } } },
      "obeys no JSON schema (test, 2026-11-21)",
    ],
    [
      "a long prompt",
      { messages: [{ role: "user", content: "word ".repeat(2000) }] },
      "has room for 1000 tokens, and the prompt is estimated at 1671 to 5015",
    ],
  ])("with %s goes to a target that takes it, and the record says who does not", async (_what, body, why) => {
    const world = new PipelineWorld([plain, whole], [sampleRoute("main", ["plain/m", "whole/m"])]);
    const { exchange, done } = await world.chat(body);
    world.request(0).json(completion("hi"));
    await done;
    expect(exchange.fields["x-hedgerow-provider"]).toBe("whole");
    expect(world.records[0]?.plan?.skipped).toEqual([{ target: "plain/m", why }]);
  });

  it("goes where the order says when it needs nothing, and to a sole target whatever it needs", async () => {
    const world = new PipelineWorld([plain, whole], [sampleRoute("main", ["plain/m", "whole/m"])]);
    const simple = await world.chat();
    world.request(0).json(completion("hi"));
    await simple.done;
    expect(simple.exchange.fields["x-hedgerow-provider"]).toBe("plain");
    const pinned = await world.chat({ model: "plain/m", messages: [{ role: "user", content: [picture] }] });
    world.request(1).json(completion("hi"));
    await pinned.done;
    expect(pinned.exchange.fields["x-hedgerow-provider"]).toBe("plain");
  });

  it("is refused with 403 and the reasons where no target may take it", async () => {
    const route = sampleRoute("main", ["plain/m"], { constraints: { jurisdictions: ["EU"] } });
    const world = new PipelineWorld([plain], [route]);
    const { exchange, done } = await world.chat();
    await done;
    expect(exchange.status).toBe(403);
    expect(exchange.text).toContain("its jurisdiction is not declared");
    expect(world.sent).toHaveLength(0);
    expect(world.records).toMatchObject([{ decision: "refused", attempts: [] }]);
  });
});
