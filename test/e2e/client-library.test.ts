import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  Aborted,
  Hedgerow,
  InvalidRequest,
  ManualInterventionRequired,
  ModelNotFound,
  NoCapacity,
  RateLimited,
  Truncated,
  Unauthenticated,
  UpstreamFailed,
  UpstreamTimeout,
} from "@hedgerow/client";
import { cutAfter, fails, ok, says, stalls, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";
import {
  abortLatencies,
  failureOf,
  openaiUpstream,
  openHouse,
  upstreamLanguages,
  type House,
} from "./upstream-languages.ts";

const messages = [{ role: "user" as const, content: "How are the hedges?" }];
const asked = { model: "main", messages };

function client(house: House, apiKey?: string): Hedgerow {
  return new Hedgerow({ baseURL: house.url, apiKey, maxRetries: 0 });
}

describe("the example of the contract", () => {
  const telemetry = "t=1 v=2";
  const example = {
    model: ["xai/grok-2", "anthropic/claude-3-5-sonnet"],
    messages: [{ role: "user" as const, content: `Analyze this data: ${telemetry}` }],
    timeoutMs: 10_000,
    minConfidence: 0.85,
  };
  const openRivals = async (xai: Upstream, anthropic: Upstream) =>
    startGateway([providerAt("xai", "xai", xai.url), providerAt("anthropic", "anthropic", anthropic.url)], []);

  it("gives an answer that is sure, and says how sure it is", async () => {
    await using xai = await startUpstream(ok("The telemetry is fine.", { answer: { confidence: 0.99999 } }));
    await using anthropic = await startUpstream(ok("It is not."));
    await using gateway = await openRivals(xai, anthropic);
    const hedgerow = new Hedgerow({ baseURL: gateway.url, apiKey: undefined });
    const response = await hedgerow.chat.completions.create(example);
    expect(response.text).toBe("The telemetry is fine.");
    expect(response.hedgerow).toMatchObject({ provider: "xai", model: "grok-2", attempts: 1, decision: "answered" });
    expect(response.confidence_score).toBeGreaterThanOrEqual(0.85);
    expect(anthropic.log.entries).toEqual([]);
  });

  it("asks the models in the order they are written, and a person has to decide where nobody is known to be sure", async () => {
    await using xai = await startUpstream(fails(500));
    await using anthropic = await startUpstream(ok("The telemetry is fine."));
    await using gateway = await openRivals(xai, anthropic);
    const hedgerow = new Hedgerow({ baseURL: gateway.url, apiKey: undefined });
    await expect(hedgerow.chat.completions.create(example)).rejects.toBeInstanceOf(ManualInterventionRequired);
    const { minConfidence: _, ...anyhow } = example;
    const response = await hedgerow.chat.completions.create(anyhow);
    expect(response.text).toBe("The telemetry is fine.");
    expect(response.hedgerow).toMatchObject({
      provider: "anthropic",
      model: "claude-3-5-sonnet",
      attempts: 2,
      decision: "recovered",
    });
    // No confidence gate ran, and none is pretended.
    expect(response.confidence_score).toBeUndefined();
    expect(response.confidence).toBeUndefined();
    expect(xai.log.entries.map(({ model }) => model)).toEqual(["grok-2", "grok-2"]);
    for (const { body } of [...xai.log.entries, ...anthropic.log.entries]) {
      expect(body.toString()).not.toMatch(/hedgerow|min_confidence|timeout_ms/);
    }
  });

  it("does not ask the second model where the first answers", async () => {
    await using first = await startUpstream(ok("first"));
    await using second = await startUpstream(ok("second"));
    await using gateway = await startGateway(
      [providerAt("xai", "xai", first.url), providerAt("anthropic", "anthropic", second.url)],
      [],
    );
    const hedgerow = new Hedgerow({ baseURL: gateway.url });
    for (const model of [
      ["anthropic/claude-sonnet-5", "xai/grok-4"],
      ["xai/grok-4", "anthropic/claude-sonnet-5"],
    ]) {
      const { hedgerow: facts } = await hedgerow.chat.completions.create({ model, messages });
      expect(`${facts.provider}/${facts.model}`).toBe(model[0]);
    }
    expect([first.log.entries.length, second.log.entries.length]).toEqual([1, 1]);
  });
});

describe.each(upstreamLanguages)("@hedgerow/client over $title", (language) => {
  it("streams, and ends quietly only on a whole answer", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(language, says(pieces));
    const stream = await client(house).chat.completions.create({ ...asked, stream: true });
    const texts: string[] = [];
    for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content ?? "");
    expect(texts.filter((text) => text !== "")).toEqual(pieces);
    expect(stream.hedgerow).toMatchObject({ provider: "up", attempts: 1, decision: "answered" });
  });

  it.each(["fin", "rst", "clean-end"] as const)("raises Truncated for a stream that breaks by %s", async (how) => {
    await using house = await openHouse(language, cutAfter(2, how));
    const stream = await client(house).chat.completions.create({ ...asked, stream: true });
    const failed = await failureOf(stream.text());
    expect(failed).toBeInstanceOf(Truncated);
    expect(failed).toMatchObject({ partialText: "one two", requestId: expect.stringMatching(/^req_/) as string });
  });

  it("gives the late facts where they are asked for, whole and streamed", async () => {
    await using house = await openHouse(language, ok("Green."));
    const request = { ...asked, hedgerow: { metadata: true } };
    const { completions } = client(house).chat;
    const facts = { provider: "up", model: language.model, route: "main", attempts: 1, decision: "answered" };
    const whole = await completions.create(request);
    expect(whole.hedgerow).toMatchObject(facts);
    expect(whole.hedgerow.costUsd).toBeGreaterThan(0);
    const stream = await completions.create({ ...request, stream: true });
    expect(stream.hedgerow.costUsd).toBeUndefined();
    await stream.text();
    expect(stream.hedgerow).toMatchObject(facts);
    expect(stream.hedgerow.costUsd).toBeGreaterThan(0);
  });

  it.each([true, false])("cancels the provider within 50 ms when its signal aborts (streamed: %s)", async (stream) => {
    await using house = await openHouse(language, stream ? stalls({ chunk: 2 }) : ok("late", { delayMs: 30_000 }));
    const { completions } = client(house).chat;
    const latencies = await abortLatencies(house, async (signal, seen) => {
      const answer = await completions.create({ ...asked, stream, signal });
      if ("abort" in answer) for await (const chunk of answer) if (chunk.choices.length > 0) seen();
    });
    expect(latencies.median).toBeLessThanOrEqual(50);
    expect(latencies.errors.map((error) => Aborted.isInstance(error))).toEqual(latencies.errors.map(() => true));
  });

  it("stops the provider when a caller leaves its loop early", async () => {
    await using house = await openHouse(language, stalls({ chunk: 2 }));
    for await (const chunk of await client(house).chat.completions.create({ ...asked, stream: true })) {
      if (chunk.choices[0]?.delta.content === "one") break;
    }
    await house.upstream.log.until(([only]) => only?.state === "aborted");
  });

  it.each([
    [400, InvalidRequest],
    [401, UpstreamFailed],
    [402, NoCapacity],
    [413, InvalidRequest],
    [429, RateLimited],
    [500, UpstreamFailed],
    [503, NoCapacity],
  ])("raises a typed error for a provider's %i", async (status, kind) => {
    await using house = await openHouse(language, fails(status));
    for (const stream of [false, true]) {
      const failed = await failureOf(client(house).chat.completions.create({ ...asked, stream }));
      expect(failed).toBeInstanceOf(kind);
      expect(failed).toMatchObject({ requestId: expect.stringMatching(/^req_/) as string });
    }
    expect(await failureOf(client(house).chat.completions.create({ ...asked, model: "mani" }))).toBeInstanceOf(
      ModelNotFound,
    );
  });
});

describe("deadlines", () => {
  it("of a call are the gateway's too: it gives up in time, tells so and lets the provider go", async () => {
    await using house = await openHouse(openaiUpstream, stalls("request"));
    const startedMs = performance.now();
    const failed = await failureOf(client(house).chat.completions.create({ ...asked, timeoutMs: 300 }));
    expect(failed).toBeInstanceOf(UpstreamTimeout);
    expect(failed).toMatchObject({ status: 504, code: "upstream_timeout" });
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await house.upstream.log.until((entries) => entries.every(({ state }) => state === "aborted"));
  });

  it("that end a stream halfway are told inside it", async () => {
    await using house = await openHouse(openaiUpstream, stalls({ chunk: 2 }));
    const stream = await client(house).chat.completions.create({ ...asked, stream: true, timeoutMs: 300 });
    const failed = await failureOf(stream.text());
    expect(failed).toBeInstanceOf(Truncated);
    expect(failed).toMatchObject({ code: "upstream_timeout", partialText: "one two" });
  });
});

it("is let in by its gateway key alone", async () => {
  const keys = [{ name: "team", sha256: createHash("sha256").update("hr-right-key").digest("hex") }];
  await using house = await openHouse(openaiUpstream, ok("hello"), { keys });
  expect(await failureOf(client(house, "hr-wrong-key").chat.completions.create(asked))).toBeInstanceOf(Unauthenticated);
  expect((await client(house, "hr-right-key").chat.completions.create(asked)).text).toBe("hello");
  expect((await client(house, "hr-right-key").models.list()).data.map(({ id }) => id)).toEqual(["main"]);
});
