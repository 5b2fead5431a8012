import { createHash } from "node:crypto";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "#domain/snapshot";
import { cutAfter, fails, ok, stalls } from "../upstream/start-upstream.ts";
import {
  abortLatencies,
  anthropicUpstream,
  failureOf,
  openHouse,
  upstreamLanguages,
  type House,
} from "./upstream-languages.ts";

const asked = { model: "main", messages: [{ role: "user" as const, content: "How are the hedges?" }] };

function client(house: House, more: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI {
  return new OpenAI({ baseURL: `${house.url}/v1`, apiKey: "any", maxRetries: 0, ...more });
}

interface Case {
  readonly upstream: number;
  readonly kind: new (...args: never) => Error;
  readonly status: number;
  readonly code: string;
}

const cases: readonly Case[] = [
  { upstream: 400, kind: OpenAI.BadRequestError, status: 400, code: "invalid_request" },
  // Our own standing with the provider is not the caller's.
  { upstream: 401, kind: OpenAI.InternalServerError, status: 502, code: "upstream_error" },
  { upstream: 402, kind: OpenAI.InternalServerError, status: 503, code: "no_capacity" },
  { upstream: 404, kind: OpenAI.InternalServerError, status: 502, code: "upstream_error" },
  { upstream: 413, kind: OpenAI.APIError, status: 413, code: "request_too_large" },
  { upstream: 429, kind: OpenAI.RateLimitError, status: 429, code: "rate_limited" },
  { upstream: 500, kind: OpenAI.InternalServerError, status: 502, code: "upstream_error" },
  { upstream: 503, kind: OpenAI.InternalServerError, status: 503, code: "overloaded" },
];

describe.each(upstreamLanguages)("the official openai package over $title", (language) => {
  it.each(cases)("raises its own error for a provider's $upstream", async ({ upstream, kind, status, code }) => {
    await using house = await openHouse(language, fails(upstream));
    const { completions } = client(house).chat;
    for (const stream of [false, true]) {
      const failed = await failureOf(completions.create({ ...asked, stream }));
      expect(failed).toBeInstanceOf(kind);
      expect(failed).toMatchObject({ status, requestID: expect.stringMatching(/^req_[0-9a-f]{24}$/) as string });
      expect(failed).toMatchObject({ error: { code, metadata: { code } } });
    }
  });

  it("raises its own errors for what the gateway refuses", async () => {
    const limits = { ...defaultLimits, maxBodyBytes: 2000 };
    await using house = await openHouse(language, ok(), { limits });
    const { completions } = client(house).chat;
    const ask = (more: object): Promise<unknown> => failureOf(completions.create({ ...asked, ...more }));
    const unknown = await ask({ model: "mani" });
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(unknown).toMatchObject({ code: "model_not_found", message: expect.stringContaining("main") as string });
    expect(await ask({ hedgerow: { rout: "main" } })).toBeInstanceOf(OpenAI.BadRequestError);
    const large = await ask({ user: "u".repeat(3000) });
    expect(large).toMatchObject({ status: 413, code: "request_too_large" });
    expect(await failureOf(Promise.resolve(client(house).models.retrieve("nobody")))).toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    expect(house.asked).toEqual([]);
  });

  it("is told at once what another language cannot give: several answers, log-probabilities", async () => {
    await using house = await openHouse(anthropicUpstream, ok());
    const { completions } = client(house).chat;
    for (const more of [{ n: 2 }, { logprobs: true }]) {
      const failed = await failureOf(completions.create({ ...asked, ...more }));
      expect(failed).toBeInstanceOf(OpenAI.BadRequestError);
      expect(failed).toMatchObject({ code: "invalid_request" });
    }
    expect(house.asked).toEqual([]);
  });

  it("is told by a 401 that its gateway key is wrong, and its right key never reaches the provider", async () => {
    const key = "hr-0123456789abcdef";
    const keys = [{ name: "team", sha256: createHash("sha256").update(key).digest("hex") }];
    await using house = await openHouse(language, ok("hello"), { keys });
    const stranger = client(house, { apiKey: "hr-wrong" });
    expect(await failureOf(stranger.chat.completions.create(asked))).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(await failureOf(Promise.resolve(stranger.models.list()))).toBeInstanceOf(OpenAI.AuthenticationError);
    const known = client(house, { apiKey: key });
    expect((await known.chat.completions.create(asked)).choices[0]?.message.content).toBe("hello");
    expect(house.asked).toHaveLength(1);
    expect(JSON.stringify(house.asked[0]?.headers)).not.toContain(key);
    expect((await house.gateway.recorded(1)).at(-1)?.caller).toBe("team");
  });

  it.each([
    ["a cut", cutAfter(2)],
    ["a reset", cutAfter(2, "rst")],
    ["a transport that ends cleanly too early", cutAfter(2, "clean-end")],
    ["an error inside the stream", ok("one two three", { errorEvent: { after: { chunk: 2 }, kind: "overloaded" } })],
  ] as const)("raises an error after the pieces that came before %s", async (_what, behaviour) => {
    await using house = await openHouse(language, behaviour);
    const { completions } = client(house).chat;
    let text = "";
    const failed = await failureOf(
      (async () => {
        const stream = await completions.create({ ...asked, stream: true });
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta.content ?? "";
          expect(chunk.choices[0]?.finish_reason ?? null).toBeNull();
        }
      })(),
    );
    expect(text).toBe("one two");
    expect(failed).toBeInstanceOf(OpenAI.APIError);
    await expect(completions.stream(asked).finalMessage()).rejects.toThrow();
  });

  it.each([true, false])("cancels the provider within 50 ms when its signal aborts (streamed: %s)", async (stream) => {
    const behaviour = stream ? stalls({ chunk: 2 }) : ok("late", { delayMs: 30_000 });
    await using house = await openHouse(language, behaviour);
    const { completions } = client(house).chat;
    const latencies = await abortLatencies(house, async (signal, seen) => {
      const answer = await completions.create({ ...asked, stream }, { signal });
      if ("controller" in answer) for await (const chunk of answer) if (chunk.choices.length > 0) seen();
    });
    expect(latencies.median).toBeLessThanOrEqual(50);
    expect(latencies.errors.every((error) => error === undefined || error instanceof OpenAI.APIUserAbortError)).toBe(
      true,
    );
    const records = await house.gateway.recorded(latencies.count);
    expect(records.map(({ decision }) => decision)).toEqual(records.map(() => "aborted"));
  });
});

describe("the official openai package with its retries on", () => {
  const retrying = (house: House): OpenAI => new OpenAI({ baseURL: `${house.url}/v1`, apiKey: "any" });

  it.each([400, 401, 402, 413])("asks once where the provider says %i: asking again cannot help", async (status) => {
    await using house = await openHouse(anthropicUpstream, fails(status));
    await failureOf(retrying(house).chat.completions.create(asked));
    expect(house.asked).toHaveLength(1);
    expect(house.gateway.records).toHaveLength(1);
  });

  it("waits as long as a 429 asks, then gets its answer", async () => {
    // Longer than the gateway itself would wait for a sole target.
    const limited = fails(429, { headers: { "retry-after": "11" } });
    const waits: number[] = [];
    await using house = await openHouse(anthropicUpstream, [limited, ok("hello")]);
    let lastMs = 0;
    const openai = new OpenAI({
      baseURL: `${house.url}/v1`,
      apiKey: "any",
      async fetch(...args) {
        const nowMs = performance.now();
        if (lastMs > 0) waits.push(nowMs - lastMs);
        const reply = await fetch(...args);
        lastMs = performance.now();
        return reply;
      },
    });
    expect((await openai.chat.completions.create(asked)).choices[0]?.message.content).toBe("hello");
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(10_500);
    expect(house.asked.map(({ status }) => status)).toEqual([429, 200]);
  }, 30_000);

  it("asks no provider more often than its own retries and the gateway's allow", async () => {
    await using house = await openHouse(anthropicUpstream, fails(500));
    await failureOf(retrying(house).chat.completions.create(asked));
    expect(house.gateway.records).toHaveLength(3);
    expect(house.gateway.records.every(({ attempts }) => attempts.length <= 2)).toBe(true);
    expect(house.asked.length).toBe(house.gateway.records.flatMap(({ attempts }) => attempts).length);
  });
});
