import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChatChunk } from "./chat-response.ts";
import { HedgerowError } from "./errors.ts";
import { Hedgerow, type HedgerowOptions } from "./hedgerow.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown> | undefined;
}

type Answer = (response: ServerResponse, seen: Seen, count: number) => void;

const servers: Server[] = [];

/** A gateway that answers as the test says, and what it was asked. */
async function gateway(answer: Answer, options: Partial<HedgerowOptions> = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const { method, url, headers } = request;
      const one: Seen = { method, url, headers, body: body === "" ? undefined : JSON.parse(body) };
      seen.push(one);
      answer(response, one, seen.length);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { baseURL, seen, hedgerow: new Hedgerow({ baseURL, ...options }) };
}

afterEach(() => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const messages = [{ role: "user", content: "Hello" }] as const;
const asked = { model: "default", messages } as const;

const facts = {
  "x-request-id": "req_0123456789abcdef01234567",
  "x-hedgerow-provider": "anthropic",
  "x-hedgerow-model": "anthropic/claude-3-5-sonnet",
  "x-hedgerow-route": "default",
  "x-hedgerow-attempts": "2",
  "x-hedgerow-decision": "recovered",
};

const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "claude-3-5-sonnet",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

interface Reply {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

function json(response: ServerResponse, { status = 200, body, headers = {} }: Reply): void {
  response.writeHead(status, { "content-type": "application/json", ...facts, ...headers });
  response.end(JSON.stringify(body));
}

function refusal(code: string, more: object = {}) {
  return { error: { message: "no", type: "error", param: null, code, metadata: { code, ...more } } };
}

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices, ...more })}\n\n`;
}

const wholeStream = [
  ": waiting\n\n",
  chunk({ role: "assistant", content: "Grüß" }),
  chunk({ content: " dich" }),
  chunk({}, "stop", { hedgerow: { attempts: 3, cost_usd: 0.25, warnings: ["lost: top_k"] } }),
  "data: [DONE]\n\n",
].join("");

function stream(response: ServerResponse, text: string, then: "end" | "cut" | "stay" = "end"): void {
  response.writeHead(200, { "content-type": "text/event-stream", ...facts });
  if (then === "end") response.end(text);
  else if (then === "stay") response.write(text);
  else response.write(text, () => response.destroy());
}

async function raised(promise: Promise<unknown>): Promise<HedgerowError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!HedgerowError.isInstance(error)) throw new Error(`expected a HedgerowError, got ${String(error)}`);
  return error;
}

async function chunksOf(stream: AsyncIterable<ChatChunk>): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const one of stream) chunks.push(one);
  return chunks;
}

describe("create", () => {
  it("serves the example of the documentation", async () => {
    const { hedgerow, seen } = await gateway((response) => json(response, { body: completion }), { apiKey: "hk-1" });
    const response = await hedgerow.chat.completions.create({
      model: ["xai/grok-2", "anthropic/claude-3-5-sonnet"],
      messages: [{ role: "user", content: "Analyze this data: 1, 2" }],
      timeoutMs: 10_000,
      minConfidence: 0.85,
      temperature: 0,
    });
    expect(response.text).toBe("Hi");
    expect(response.confidence_score).toBeUndefined();
    expect(response.choices[0]?.finish_reason).toBe("stop");
    expect(response.hedgerow).toEqual({
      requestId: "req_0123456789abcdef01234567",
      provider: "anthropic",
      model: "anthropic/claude-3-5-sonnet",
      route: "default",
      attempts: 2,
      decision: "recovered",
      warnings: [],
    });
    expect(seen[0]).toMatchObject({ method: "POST", url: "/v1/chat/completions" });
    expect(seen[0]?.headers.authorization).toBe("Bearer hk-1");
    expect(seen[0]?.body).toEqual({
      model: ["xai/grok-2", "anthropic/claude-3-5-sonnet"],
      messages: [{ role: "user", content: "Analyze this data: 1, 2" }],
      temperature: 0,
      hedgerow: { timeout_ms: expect.toSatisfy((ms: number) => ms > 9_000 && ms <= 10_000), min_confidence: 0.85 },
    });
  });

  it("gives the confidence and the late facts where the gateway tells them", async () => {
    const body = {
      ...completion,
      confidence_score: 0.91,
      confidence: { score: 0.91, estimator: "logprobs", decision: "accepted" },
      hedgerow: { attempts: [{}, {}, {}], cost_usd: 0.002 },
    };
    const { hedgerow } = await gateway((response) =>
      json(response, { body, headers: { "x-hedgerow-warning": "lost: seed, top_k" } }),
    );
    const response = await hedgerow.chat.completions.create(asked);
    expect(response.confidence_score).toBe(0.91);
    expect(response.confidence?.estimator).toBe("logprobs");
    expect(response.hedgerow).toMatchObject({ attempts: 3, costUsd: 0.002, warnings: ["lost: seed, top_k"] });
  });

  it("sends every field, ours never outside the hedgerow object", async () => {
    const { hedgerow, seen } = await gateway((response) => json(response, { body: completion }));
    const signal = new AbortController().signal;
    const hedgerowOptions = { tags: ["night"], metadata: true };
    await hedgerow.chat.completions.create({
      ...asked,
      signal,
      hedgerow: hedgerowOptions,
      extraBody: { top_k: 4, model: "x" },
    });
    expect(seen[0]?.body).toEqual({ model: "default", messages, top_k: 4, hedgerow: hedgerowOptions });
  });

  it("takes a base address with its version, and headers that win over its own", async () => {
    const { baseURL, seen } = await gateway((response) => json(response, { body: completion }));
    const hedgerow = new Hedgerow({
      baseURL: `${baseURL}/v1/`,
      apiKey: "",
      headers: { Authorization: "Basic x", "x-team": "a" },
    });
    await hedgerow.chat.completions.create(asked);
    expect(seen[0]).toMatchObject({
      url: "/v1/chat/completions",
      headers: { authorization: "Basic x", "x-team": "a" },
    });
  });

  it("refuses options that cannot work", async () => {
    expect(() => new Hedgerow({ baseURL: "localhost:4000" })).toThrow(/address like http:/);
    expect(() => new Hedgerow({ baseURL: "http://x", maxRetries: -1 })).toThrow(/maxRetries/);
    expect(() => new Hedgerow({ baseURL: "http://x", timeoutMs: 0 })).toThrow(/timeoutMs/);
    const hedgerow = new Hedgerow({ baseURL: "http://x" });
    await expect(hedgerow.chat.completions.create({ ...asked, timeoutMs: Infinity })).rejects.toThrow(/timeoutMs/);
  });

  it("says who is to blame when something else answers at the address", async () => {
    const { hedgerow } = await gateway((response) => response.end("<html>hello</html>"));
    const error = await raised(hedgerow.chat.completions.create(asked));
    expect(error).toMatchObject({ name: "UpstreamFailed", code: "bad_response", retryable: false });
    expect((await raised(hedgerow.chat.completions.create({ ...asked, stream: true }))).code).toBe("bad_response");
  });

  it("raises Truncated where a whole answer breaks off", async () => {
    const { hedgerow } = await gateway((response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "500", ...facts });
      response.write('{"id":', () => response.destroy());
    });
    expect(await raised(hedgerow.chat.completions.create(asked))).toMatchObject({
      name: "Truncated",
      requestId: facts["x-request-id"],
    });
  });

  it("raises ConnectionFailed with the reason, and does not try again", async () => {
    const { hedgerow, seen } = await gateway((response) => response.destroy());
    expect(await raised(hedgerow.chat.completions.create(asked))).toMatchObject({ name: "ConnectionFailed" });
    expect(seen).toHaveLength(1);
    const nobody = new Hedgerow({ baseURL: "http://127.0.0.1:1" });
    expect((await raised(nobody.chat.completions.create(asked))).message).toContain("http://127.0.0.1:1/v1");
  });
});

/** Busy at first, then an answer. */
function busy(should: string, after = "0"): Answer {
  const headers = { "x-should-retry": should, "retry-after-ms": after };
  return (response, _seen, count) =>
    json(response, count === 1 ? { status: 503, body: refusal("overloaded"), headers } : { body: completion });
}

describe("trying again", () => {
  it("happens once where the gateway says that it can help", async () => {
    const { hedgerow, seen } = await gateway(busy("true"));
    expect((await hedgerow.chat.completions.create({ ...asked, timeoutMs: 5_000 })).text).toBe("Hi");
    expect(seen).toHaveLength(2);
  });

  it("stops at maxRetries", async () => {
    const { hedgerow, seen } = await gateway((response) =>
      json(response, {
        status: 503,
        body: refusal("overloaded"),
        headers: { "x-should-retry": "true", "retry-after-ms": "1" },
      }),
    );
    expect(await raised(hedgerow.chat.completions.create(asked))).toMatchObject({
      name: "NoCapacity",
      retryable: true,
    });
    expect(seen).toHaveLength(2);
  });

  it.each([
    ["the gateway says no", busy("false"), {}],
    ["maxRetries is 0", busy("true"), { maxRetries: 0 }],
    ["the wait is longer than what is left", busy("true", "3000"), { timeoutMs: 2_000 }],
    ["the wait is longer than a minute", busy("true", "61000"), {}],
  ])("does not happen where %s", async (_why, answer, options) => {
    const { hedgerow, seen } = await gateway(answer, options);
    expect((await raised(hedgerow.chat.completions.create(asked))).code).toBe("overloaded");
    expect(seen).toHaveLength(1);
  });
});

/** A gateway that never answers. */
function silence(_url: string, init: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => {
    init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
  });
}

describe("ending early", () => {
  it("raises Aborted for a signal, before, during and between tries", async () => {
    const { hedgerow, seen } = await gateway((response) =>
      json(response, {
        status: 429,
        body: refusal("rate_limited"),
        headers: { "x-should-retry": "true", "retry-after-ms": "30000" },
      }),
    );
    const before = await raised(hedgerow.chat.completions.create({ ...asked, signal: AbortSignal.abort("bored") }));
    expect(before).toMatchObject({ name: "Aborted", cause: "bored" });
    expect(seen).toHaveLength(0);
    const between = new AbortController();
    const call = raised(hedgerow.chat.completions.create({ ...asked, signal: between.signal }));
    await expect.poll(() => seen.length).toBe(1);
    between.abort();
    expect(await call).toMatchObject({ name: "Aborted" });
  });

  it("raises TimedOut when the gateway misses the deadline by more than the grace", async () => {
    vi.useFakeTimers();
    const hedgerow = new Hedgerow({ baseURL: "http://gateway", fetch: silence });
    const call = raised(hedgerow.chat.completions.create({ ...asked, timeoutMs: 1_000 }));
    const settled = vi.fn();
    void call.then(settled);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toMatchObject({ name: "TimedOut", message: "No complete answer within 1000 ms." });
  });
});

describe("streaming", () => {
  it("gives typed chunks, the text, and the facts early and late", async () => {
    const { hedgerow, seen } = await gateway((response) => stream(response, wholeStream));
    const answer = await hedgerow.chat.completions.create({ ...asked, stream: true });
    expect(answer.hedgerow).toMatchObject({ provider: "anthropic", attempts: 2, warnings: [] });
    const chunks = await chunksOf(answer);
    expect(chunks.map((one) => one.choices[0]?.delta.content)).toEqual(["Grüß", " dich", undefined]);
    expect(answer.hedgerow).toMatchObject({ attempts: 3, costUsd: 0.25, warnings: ["lost: top_k"] });
    expect(seen[0]?.body).toMatchObject({ stream: true });
  });

  it("gives the same chunks when every byte comes alone", async () => {
    const bytes = new TextEncoder().encode(wholeStream);
    const fetch = async () => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
    };
    const hedgerow = new Hedgerow({ baseURL: "http://gateway", fetch });
    const answer = await hedgerow.chat.completions.create({ ...asked, stream: true });
    expect(await answer.text()).toBe("Grüß dich");
  });

  it("never ends quietly when the stream is cut, at whatever byte", async () => {
    const bytes = new TextEncoder().encode(wholeStream);
    for (let length = 0; length < bytes.length; length += 1) {
      const part = new Response(bytes.slice(0, length), { headers: { "content-type": "text/event-stream" } });
      const hedgerow = new Hedgerow({ baseURL: "http://gateway", fetch: async () => part });
      const answer = await hedgerow.chat.completions.create({ ...asked, stream: true });
      const error = await raised(answer.text());
      expect(error.name, `cut after ${length} bytes`).toBe("Truncated");
    }
  });

  it.each([
    [
      "an in-band error",
      chunk({ content: "Gr" }) + 'data: {"error":{"message":"gone","code":"upstream_timeout"}}\n\n',
      "end",
    ],
    ["a terminator before any finish", `${chunk({ content: "Gr" })}data: [DONE]\n\n`, "end"],
    ["a lost connection", chunk({ content: "Gr" }), "cut"],
    ["something that is no JSON", `${chunk({ content: "Gr" })}data: {"choices":[\n\n`, "end"],
  ] as const)("raises Truncated with the text so far on %s", async (_what, text, then) => {
    const { hedgerow } = await gateway((response) => stream(response, text, then));
    const answer = await hedgerow.chat.completions.create({ ...asked, stream: true });
    const error = await raised(chunksOf(answer));
    expect(error).toMatchObject({ name: "Truncated", partialText: "Gr", requestId: facts["x-request-id"] });
  });

  it("raises what fails before the stream as an error of its class", async () => {
    const { hedgerow } = await gateway((response) => json(response, { status: 404, body: refusal("model_not_found") }));
    expect((await raised(hedgerow.chat.completions.create({ ...asked, stream: true }))).name).toBe("ModelNotFound");
  });

  it("aborts the call when the loop is left", async () => {
    let gone = false;
    const { hedgerow } = await gateway((response) => {
      response.on("close", () => (gone = true));
      stream(response, chunk({ content: "Gr" }), "stay");
    });
    const answer = await hedgerow.chat.completions.create({ ...asked, stream: true });
    for await (const one of answer) {
      expect(one.choices[0]?.delta.content).toBe("Gr");
      break;
    }
    await expect.poll(() => gone).toBe(true);
    await expect(answer.text()).rejects.toThrow(/read once/);
  });

  it("raises Aborted in the loop when the signal fires", async () => {
    const { hedgerow } = await gateway((response) => stream(response, chunk({ content: "Gr" }), "stay"));
    const controller = new AbortController();
    const answer = await hedgerow.chat.completions.create({ ...asked, stream: true, signal: controller.signal });
    const loop = (async () => {
      for await (const _one of answer) controller.abort();
    })();
    expect(await raised(loop)).toMatchObject({ name: "Aborted" });
  });
});

describe("models.list", () => {
  it("lists what the gateway offers", async () => {
    const list = { object: "list", data: [{ id: "default", object: "model", created: 0, owned_by: "hedgerow" }] };
    const { hedgerow, seen } = await gateway((response) => json(response, { body: list }));
    expect(await hedgerow.models.list()).toEqual(list);
    expect(seen[0]).toMatchObject({ method: "GET", url: "/v1/models", body: undefined });
  });
});
