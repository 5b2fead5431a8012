import { createHash } from "node:crypto";
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "#domain/snapshot";
import { cutAfter, fails, ok, stalls } from "../upstream/start-upstream.ts";
import {
  abortLatencies,
  failureOf,
  openaiUpstream,
  openHouse,
  upstreamLanguages,
  type House,
} from "./upstream-languages.ts";

const asked = { model: "main", max_tokens: 100, messages: [{ role: "user" as const, content: "How are the hedges?" }] };

function client(house: House, more: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic {
  return new Anthropic({ baseURL: house.url, apiKey: "any", maxRetries: 0, ...more });
}

interface Case {
  readonly upstream: number;
  readonly kind: new (...args: never) => Error;
  readonly status: number;
  readonly type: string;
}

const cases: readonly Case[] = [
  { upstream: 400, kind: Anthropic.BadRequestError, status: 400, type: "invalid_request_error" },
  // Our own standing with the provider is not the caller's.
  { upstream: 401, kind: Anthropic.InternalServerError, status: 502, type: "api_error" },
  { upstream: 402, kind: Anthropic.InternalServerError, status: 503, type: "api_error" },
  { upstream: 404, kind: Anthropic.InternalServerError, status: 502, type: "api_error" },
  { upstream: 413, kind: Anthropic.APIError, status: 413, type: "request_too_large" },
  { upstream: 429, kind: Anthropic.RateLimitError, status: 429, type: "rate_limit_error" },
  { upstream: 500, kind: Anthropic.InternalServerError, status: 502, type: "api_error" },
  { upstream: 503, kind: Anthropic.InternalServerError, status: 529, type: "overloaded_error" },
  { upstream: 529, kind: Anthropic.InternalServerError, status: 529, type: "overloaded_error" },
];

describe.each(upstreamLanguages)("the official anthropic package over $title", (language) => {
  it.each(cases)("raises its own error for a provider's $upstream", async ({ upstream, kind, status, type }) => {
    await using house = await openHouse(language, fails(upstream));
    const { messages } = client(house);
    for (const stream of [false, true]) {
      const failed = await failureOf(messages.create({ ...asked, stream }));
      expect(failed).toBeInstanceOf(kind);
      expect(failed).toMatchObject({ status, type, requestID: expect.stringMatching(/^req_[0-9a-f]{24}$/) as string });
    }
    await expect(messages.stream(asked).finalMessage()).rejects.toBeInstanceOf(kind);
  });

  it("raises its own errors for what the gateway refuses", async () => {
    const limits = { ...defaultLimits, maxBodyBytes: 2000 };
    await using house = await openHouse(language, ok(), { limits });
    const { messages, models } = client(house);
    const ask = (more: object): Promise<unknown> => failureOf(messages.create({ ...asked, ...more }));
    expect(await ask({ model: "mani" })).toBeInstanceOf(Anthropic.NotFoundError);
    expect(await ask({ hedgerow: { rout: "main" } })).toBeInstanceOf(Anthropic.BadRequestError);
    expect(await ask({ system: "s".repeat(3000) })).toMatchObject({ status: 413, type: "request_too_large" });
    expect(await failureOf(Promise.resolve(models.retrieve("nobody")))).toBeInstanceOf(Anthropic.NotFoundError);
    expect(house.asked).toEqual([]);
  });

  it.each(["bearer token", "x-api-key"])(
    "has its gateway key checked as %s and kept from the provider",
    async (place) => {
      const key = "hr-0123456789abcdef";
      const keys = [{ name: "team", sha256: createHash("sha256").update(key).digest("hex") }];
      await using house = await openHouse(language, ok("hello"), { keys });
      const withKey = (value: string): Anthropic =>
        client(
          house,
          place === "x-api-key"
            ? { apiKey: null, defaultHeaders: { "x-api-key": value, authorization: null } }
            : { apiKey: value },
        );
      expect(await failureOf(withKey("hr-wrong").messages.create(asked))).toBeInstanceOf(Anthropic.AuthenticationError);
      expect((await withKey(key).messages.create(asked)).content).toMatchObject([{ text: "hello" }]);
      expect(house.asked).toHaveLength(1);
      expect(JSON.stringify(house.asked[0]?.headers)).not.toContain(key);
    },
  );

  it.each([
    ["a cut", cutAfter(2)],
    ["a reset", cutAfter(2, "rst")],
    ["a transport that ends cleanly too early", cutAfter(2, "clean-end")],
    ["an error inside the stream", ok("one two three", { errorEvent: { after: { chunk: 2 }, kind: "overloaded" } })],
  ] as const)("raises an error after the pieces that came before %s", async (_what, behaviour) => {
    await using house = await openHouse(language, behaviour);
    const kinds: string[] = [];
    let text = "";
    const stream = client(house).messages.stream(asked);
    stream.on("text", (delta) => void (text += delta));
    stream.on("streamEvent", (event) => void kinds.push(event.type));
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
    expect(text).toBe("one two");
    expect(kinds).not.toContain("message_stop");
    expect(kinds).not.toContain("message_delta");
  });

  it.each([true, false])("cancels the provider within 50 ms when its signal aborts (streamed: %s)", async (stream) => {
    const behaviour = stream ? stalls({ chunk: 2 }) : ok("late", { delayMs: 30_000 });
    await using house = await openHouse(language, behaviour);
    const { messages } = client(house);
    const latencies = await abortLatencies(house, async (signal, seen) => {
      const answer = await messages.create({ ...asked, stream }, { signal });
      if ("controller" in answer) {
        for await (const event of answer) if (event.type === "content_block_delta") seen();
      }
    });
    expect(latencies.median).toBeLessThanOrEqual(50);
    const records = await house.gateway.recorded(latencies.count);
    expect(records.map(({ decision }) => decision)).toEqual(records.map(() => "aborted"));
  });
});

describe("the official anthropic package with its retries on", () => {
  const retrying = (house: House): Anthropic => new Anthropic({ baseURL: house.url, apiKey: "any" });

  it.each([400, 401, 402, 413])("asks once where the provider says %i: asking again cannot help", async (status) => {
    await using house = await openHouse(openaiUpstream, fails(status));
    await failureOf(retrying(house).messages.create(asked));
    expect(house.asked).toHaveLength(1);
    expect(house.gateway.records).toHaveLength(1);
  });

  it("tries again after overload, and gets the answer", async () => {
    await using house = await openHouse(openaiUpstream, [fails(503), fails(503), ok("hello")]);
    expect((await retrying(house).messages.create(asked)).content).toMatchObject([{ text: "hello" }]);
    expect(house.asked.map(({ status }) => status)).toEqual([503, 503, 200]);
  });
});
