import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import type { FirstLanguage } from "../world/first-languages.ts";
import { defaultLimits } from "#domain/snapshot";
import { ask, type Reply } from "../world/ask.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";

const mebibyte = 1024 * 1024;
const limits = { ...defaultLimits, maxAnswerBytes: 4 * mebibyte };
const dialects = ["openai-chat", "anthropic-messages"] as const;

interface Provider extends AsyncDisposable {
  readonly url: string;
  /** Bytes it could get rid of, and whether the other side hung up. */
  readonly seen: { written: number; cut: boolean };
}

/** A provider that answers every request in this way, once it has come whole. */
async function provider(answer: (response: ServerResponse, seen: Provider["seen"]) => void): Promise<Provider> {
  const seen = { written: 0, cut: false };
  const server = createServer((request, response) => {
    response.on("close", () => (seen.cut ||= !response.writableFinished));
    request.resume().on("end", () => answer(response, seen));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Says the same for as long as somebody listens. */
function forever(response: ServerResponse, seen: Provider["seen"], piece: string): void {
  const more = (): void => {
    while (!response.destroyed) {
      seen.written += piece.length;
      if (!response.write(piece)) return;
    }
  };
  response.on("drain", more);
  more();
}

function over(url: string, upstream: FirstLanguage = "openai-chat"): Promise<TestGateway> {
  const kind = upstream === "openai-chat" ? "openai" : "anthropic";
  return startGateway([providerAt("p1", kind, url)], [sampleRoute("main", ["p1/m"], { maxAttempts: 1 })], { limits });
}

const sse = { "content-type": "text/event-stream" };
const json = { "content-type": "application/json" };

function chatAnswer(message: string): string {
  return `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":${message},"finish_reason":"stop"}]}`;
}

function chatChunk(delta: string): string {
  return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":null}]}\n\n`;
}

const chatEnd = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;

describe("a provider that never comes to the point", () => {
  const preambles = [
    ["comments", `: ${"hello ".repeat(100)}\n\n`],
    ["roles without words", chatChunk('{"role":"assistant","content":""}')],
    ["events of no meaning", 'event: nothing\ndata: {"a":1}\n\n'],
    ["one line without an end", "data: ".padEnd(4096, "x")],
  ] as const;

  it.each(preambles.flatMap(([what, piece]) => dialects.map((dialect) => ({ what, piece, dialect }))))(
    "is given up on before it fills the memory: $what ($dialect)",
    async ({ piece, dialect }) => {
      await using talker = await provider((response, seen) => forever(response.writeHead(200, sse), seen, piece));
      await using gateway = await over(talker.url);
      const reply = await ask(gateway.url, { dialect, streamed: true });
      expect(reply).toMatchObject({ status: 502, code: "upstream_error" });
      // The system's own buffers take some megabytes on the way.
      expect(talker.seen.written).toBeLessThan(24 * mebibyte);
      await vi.waitUntil(() => talker.seen.cut, { timeout: 10_000 });
    },
  );

  it.each([200, 500])("is not listened to beyond the limit of a whole answer (status %d)", async (status) => {
    await using talker = await provider((response, seen) => {
      forever(response.writeHead(status, json), seen, " ".repeat(64 * 1024));
    });
    await using gateway = await over(talker.url);
    expect(await ask(gateway.url, { dialect: "openai-chat", streamed: false })).toMatchObject({ status: 502 });
    expect(talker.seen.written).toBeLessThan(32 * mebibyte);
    await vi.waitUntil(() => talker.seen.cut, { timeout: 10_000 });
  });
});

describe("a provider that compresses", () => {
  const plain = Buffer.from(chatAnswer('{"role":"assistant","content":"words"}'));
  const bomb = Buffer.concat([plain.subarray(0, -1), Buffer.alloc(100 * mebibyte, " "), Buffer.from("}")]);

  async function answered(encoding: string, body: Uint8Array, streamed = false): Promise<Reply> {
    await using sender = await provider((response) => {
      response.writeHead(200, { ...(streamed ? sse : json), "content-encoding": encoding }).end(body);
    });
    await using gateway = await over(sender.url);
    return await ask(gateway.url, { dialect: "openai-chat", streamed });
  }

  it.each([
    ["gzip", gzipSync(plain)],
    ["br", brotliCompressSync(plain)],
  ])("without being asked is understood all the same: %s", async (encoding, body) => {
    expect(await answered(encoding, body)).toMatchObject({ status: 200, text: "words" });
  });

  it.each([
    ["br", brotliCompressSync(bomb), false],
    ["gzip", gzipSync(bomb), false],
    ["br", brotliCompressSync(Buffer.alloc(100 * mebibyte, ":\n\n")), true],
  ] as const)("a bomb is given up on early: %s", async (encoding, body, streamed) => {
    const rssBefore = process.memoryUsage.rss();
    expect(await answered(encoding, body, streamed)).toMatchObject({ status: 502, code: "upstream_error" });
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(64 * mebibyte);
  });

  it.each([
    ["gzip", plain],
    ["br", plain],
    ["gzip, gzip", gzipSync(gzipSync(plain))],
    ["compress", plain],
  ])("in a way that cannot be read is a bad response: %s", async (encoding, body) => {
    expect(await answered(encoding, body)).toMatchObject({ status: 502, code: "upstream_error" });
  });

  it("that breaks off is a truncated answer", async () => {
    const half = gzipSync(plain).subarray(0, 40);
    expect(await answered("gzip", half)).toMatchObject({ status: 502, code: "upstream_truncated" });
  });
});

describe("a provider whose JSON is a trap", () => {
  const deep = `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`;
  const traps = [
    ["deep beside the answer", `{"x":${deep},${chatAnswer('{"role":"assistant","content":"words"}').slice(1)}`],
    ["deep in the message", chatAnswer(`{"role":"assistant","content":"words","x":${deep}}`)],
    ["deep in place of the text", chatAnswer(`{"role":"assistant","content":${deep}}`)],
    [
      "prototypes",
      chatAnswer(
        '{"role":"assistant","content":"words","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      ),
    ],
  ] as const;

  it.each(traps.flatMap(([what, body]) => dialects.map((dialect) => ({ what, body, dialect }))))(
    "is either answered or refused: $what ($dialect)",
    async ({ body, dialect }) => {
      await using sender = await provider((response) => response.writeHead(200, json).end(body));
      await using gateway = await over(sender.url);
      const reply = await ask(gateway.url, { dialect, streamed: false });
      expect([200, 502]).toContain(reply.status);
      expect(gateway.logs).toEqual([]);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  it.each(dialects)("is either answered or refused in a stream (%s)", async (dialect) => {
    await using sender = await provider((response) => {
      response.writeHead(200, sse);
      response.end(chatChunk('{"content":"words"}') + chatChunk(`{"content":"more","x":${deep}}`) + chatEnd);
    });
    await using gateway = await over(sender.url);
    const reply = await ask(gateway.url, { dialect, streamed: true });
    expect(reply.status).toBe(200);
    expect(reply.ending).not.toBe("silent");
    expect(gateway.logs).toEqual([]);
  });

  it.each(dialects)("is either answered or refused as the input of a tool (%s)", async (dialect) => {
    const body = `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":${deep}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`;
    await using sender = await provider((response) => response.writeHead(200, json).end(body));
    await using gateway = await over(sender.url, "anthropic-messages");
    const reply = await ask(gateway.url, { dialect, streamed: false });
    expect([200, 502]).toContain(reply.status);
    expect(gateway.logs).toEqual([]);
  });
});

describe("a provider whose tool calls are a trap", () => {
  const deep = `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`;
  const call = (json: string): string =>
    `{"role":"assistant","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":${json}}}]}`;
  const lanes = dialects.flatMap((dialect) => [deep, JSON.stringify(deep)].map((json) => ({ dialect, json })));

  it.each(lanes)("is either answered or told of, whole and streamed ($dialect)", async ({ dialect, json: text }) => {
    await using sender = await provider((response) => {
      response.writeHead(200, json).end(chatAnswer(call(text)).replace('"stop"}]', '"tool_calls"}]'));
    });
    await using streamer = await provider((response) => {
      response.writeHead(200, sse).end(chatChunk(call(text)) + chatEnd.replace('"stop"', '"tool_calls"'));
    });
    await using whole = await over(sender.url);
    await using streaming = await over(streamer.url);
    expect([200, 502]).toContain((await ask(whole.url, { dialect, streamed: false })).status);
    const reply = await ask(streaming.url, { dialect, streamed: true });
    expect(reply.ending).not.toBe("silent");
    expect([...whole.logs, ...streaming.logs]).toEqual([]);
  });
});

describe("a provider that talks past the gateway to its clients", () => {
  it.each([200, 500])("reaches them with no header but the dialect's own (status %d)", async (status) => {
    const sly = {
      ...json,
      "set-cookie": ["session=stolen; Path=/", "b=c"],
      "access-control-allow-origin": "*",
      "strict-transport-security": "max-age=1",
      location: "http://evil/",
      refresh: "0; url=http://evil/",
      link: "<http://evil/>; rel=preload",
      "alt-svc": 'h3=":443"',
      server: "evil/1",
      "x-request-id": "theirs",
      "x-hedgerow-decision": "theirs",
      "x-should-retry": "theirs",
      "openai-version": "2020-10-01",
    };
    const body = chatAnswer('{"role":"assistant","content":"words"}');
    await using sender = await provider((response) => response.writeHead(status, sly).end(body));
    await using gateway = await over(sender.url);
    const reply = await ask(gateway.url, { dialect: "openai-chat", streamed: false });
    const names = [...reply.headers.keys()].filter((name) => !name.startsWith("x-hedgerow-"));
    const own = ["connection", "content-length", "content-type", "date", "keep-alive", "x-request-id"];
    const more = ["server-timing", "x-should-retry", ...(status === 200 ? ["openai-version"] : [])];
    expect(names.toSorted()).toEqual([...own, ...more].toSorted());
    expect(JSON.stringify([...reply.headers])).not.toMatch(/evil|theirs/);
  });

  it("cannot put a page, colours of a terminal or addresses into an error", async () => {
    const message =
      "<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m see http://10.0.0.1:8080/debug?key=k for org-abc123def";
    await using sender = await provider((response) => {
      response.writeHead(400, json).end(JSON.stringify({ error: { message, type: "invalid_request_error" } }));
    });
    await using gateway = await over(sender.url);
    const reply = await ask(gateway.url, { dialect: "openai-chat", streamed: false });
    expect(reply.status).toBe(400);
    // oxlint-disable-next-line no-control-regex -- the control character is what is looked for
    expect(reply.body).not.toMatch(/<img|\u001b|\\u001b|10\.0\.0\.1|org-abc/);
  });

  it("cannot leave an answer for the next caller on the connection", async () => {
    const second = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    await using sender = await provider((response) => {
      const body = chatAnswer('{"role":"assistant","content":"words"}');
      response.socket?.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}${second}`,
      );
    });
    await using gateway = await over(sender.url);
    for (let calls = 0; calls < 3; calls += 1) {
      const reply = await ask(gateway.url, { dialect: "openai-chat", streamed: false });
      expect(reply).toMatchObject({ status: 200, text: "words" });
    }
  });
});
