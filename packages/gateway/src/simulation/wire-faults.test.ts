import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Behaviour } from "./behaviour.ts";
import { startSimulator, type Simulator } from "./server.ts";
import { VirtualClock } from "./virtual-clock.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

type Dialect = "chat" | "messages";

interface Received {
  readonly head: string;
  /** As it came on the wire, chunk framing included. */
  readonly wire: Buffer;
  /** Without chunk framing. */
  readonly body: Buffer;
  /** Pieces in which the socket gave the bytes. */
  readonly reads: number;
  readonly end: "fin" | "reset";
}

async function upstream(behaviour: Behaviour, clock?: VirtualClock): Promise<Simulator> {
  const simulator = await startSimulator({
    script: [{ behaviour }],
    issuer: "test",
    ...(clock === undefined ? {} : { clock }),
  });
  started.push(simulator);
  return simulator;
}

function requestBytes(dialect: Dialect, streamed: boolean): string {
  const body = JSON.stringify({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    ...(dialect === "chat" ? {} : { max_tokens: 100 }),
    ...(streamed ? { stream: true } : {}),
    ...(streamed && dialect === "chat" ? { stream_options: { include_usage: true } } : {}),
  });
  const path = dialect === "chat" ? "/v1/chat/completions" : "/v1/messages";
  const version = dialect === "chat" ? "" : "anthropic-version: 2023-06-01\r\n";
  return `POST ${path} HTTP/1.1\r\nhost: x\r\n${version}connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Reads until the other side ends, byte by byte as they came. */
function exchange(simulator: Simulator, dialect: Dialect, streamed = true): Promise<Received> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = (end: Received["end"]): void => {
      const all = Buffer.concat(chunks);
      const split = all.indexOf("\r\n\r\n");
      const head = all.subarray(0, Math.max(split, 0)).toString("latin1");
      const wire = split < 0 ? all : all.subarray(split + 4);
      const body = /transfer-encoding: chunked/i.test(head) ? unchunked(wire) : wire;
      resolve({ head, wire, body, reads: chunks.length, end });
      socket.destroy();
    };
    const socket = connect(simulator.port, "127.0.0.1", () => socket.write(requestBytes(dialect, streamed)));
    socket.on("data", (bytes: Buffer) => chunks.push(bytes));
    socket.on("end", () => finish("fin"));
    socket.on("error", () => finish("reset"));
  });
}

function unchunked(wire: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = wire.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(wire.subarray(at, line).toString("latin1"), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(wire.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

const chunks = ["one ", "two ", "three ", "four"];
const markers: Readonly<Record<Dialect, string>> = { chat: "data: [DONE]\n\n", messages: "event: message_stop\n" };
const finishes: Readonly<Record<Dialect, string>> = { chat: '"finish_reason":"stop"', messages: '"end_turn"' };
const properEnd = Buffer.from("0\r\n\r\n");

async function reference(dialect: Dialect, streamed = true): Promise<Buffer> {
  const { body } = await exchange(await upstream({ answer: { chunks } }), dialect, streamed);
  return dialect === "chat" ? masked(body) : body;
}

/** The seconds of `created` may differ between two answers; their number of digits does not. */
function masked(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1").replaceAll(/"created":\d{10}/g, '"created":0000000000'), "latin1");
}

function textOf(body: Buffer): string {
  const pieces = body.toString("utf8").matchAll(/"(?:content|text)":"([^"]*)"/g);
  return Array.from(pieces, (piece) => piece[1]).join("");
}

describe.each<Dialect>(["chat", "messages"])("in %s a stream", (dialect) => {
  it("leaves whole, with the protocol's marker last and a proper end of the transport", async () => {
    const { body, wire } = await exchange(await upstream({ answer: { chunks } }), dialect);
    expect(textOf(body)).toBe("one two three four");
    expect(body.lastIndexOf("\n\n")).toBe(body.length - 2);
    expect(body.toString()).toContain(markers[dialect]);
    expect(wire.subarray(-properEnd.length)).toEqual(properEnd);
  });

  it("is cut at exactly the byte asked for, by FIN and by RST", async () => {
    const whole = await reference(dialect);
    for (const how of ["fin", "rst"] as const) {
      for (const atByte of [0, 1, 17, Math.floor(whole.length / 2), whole.length - 1, whole.length]) {
        const simulator = await upstream({ answer: { chunks }, cut: { atByte, how } });
        const { body, wire, end } = await exchange(simulator, dialect);
        expect(masked(body)).toEqual(whole.subarray(0, atByte));
        expect(end).toBe(how === "rst" ? "reset" : "fin");
        expect(wire.includes(properEnd)).toBe(false);
        expect(simulator.log.last).toMatchObject({ bytesWritten: atByte, state: "complete" });
      }
    }
  });

  it("is cut after the nth content, and after the lifecycle for 0", async () => {
    for (const [afterChunk, text] of [
      [0, ""],
      [2, "one two "],
      [4, "one two three four"],
      [9, "one two three four"],
    ] as const) {
      const cut = { afterChunk, how: "clean-end" } as const;
      const { body, wire } = await exchange(await upstream({ answer: { chunks }, cut }), dialect);
      expect(textOf(body)).toBe(text);
      expect(body.length).toBeGreaterThan(50);
      expect(body.toString()).not.toContain(finishes[dialect]);
      expect(wire.subarray(-properEnd.length)).toEqual(properEnd);
    }
  });

  it("ends in silence of the protocol where the marker or the finish is left out", async () => {
    const noDone = await exchange(await upstream({ answer: { chunks }, omitDone: true }), dialect);
    expect(noDone.body.toString()).toContain(finishes[dialect]);
    expect(noDone.body.toString()).not.toContain(markers[dialect]);
    const noFinish = await exchange(await upstream({ answer: { chunks }, omitFinish: true }), dialect);
    expect(noFinish.body.toString()).not.toContain(finishes[dialect]);
    expect(noFinish.body.toString()).toContain(markers[dialect]);
  });

  it("brings usage or leaves it out", async () => {
    const usage = { input: 10, cacheRead: 3, output: 5, reasoning: 2 };
    const answer = { chunks, usage };
    const told = (await exchange(await upstream({ answer }), dialect)).body.toString();
    if (dialect === "chat") expect(told).toMatch(/"prompt_tokens":13,"completion_tokens":7,"total_tokens":20/);
    else expect(told).toMatch(/"input_tokens":10,.*"cache_read_input_tokens":3,.*"output_tokens":7/);
    const untold = (await exchange(await upstream({ answer, omitUsage: true }), dialect)).body.toString();
    expect(untold).not.toMatch(/_tokens"/);
  });

  it.each([
    ["head", 0],
    ["lifecycle", 0],
    [{ chunk: 2 }, 2],
    [{ chunk: 99 }, 4],
  ] as const)("reports an error in-band after %o and nothing behind it", async (after, contents) => {
    const simulator = await upstream({ answer: { chunks }, errorEvent: { after, kind: "rate-limit" } });
    const { body, wire } = await exchange(simulator, dialect);
    const frames = body.toString().split("\n\n");
    expect(textOf(body)).toBe(chunks.slice(0, contents).join(""));
    expect(frames.length === 2).toBe(after === "head");
    expect(frames.at(-2)).toMatch(
      dialect === "chat"
        ? /^data: \{"error":\{"message":".+","type":"requests","param":null,"code":"rate_limit_exceeded"\}\}$/
        : /^event: error\ndata: \{"type":"error","error":\{"type":"rate_limit_error","message":".+"\},"request_id":".+"\}$/,
    );
    expect(wire.subarray(-properEnd.length)).toEqual(properEnd);
  });

  it("may lie after an error: its own body, then the marker", async () => {
    const errorEvent = { after: "lifecycle", body: { odd: 1 }, thenDone: true } as const;
    const { body } = await exchange(await upstream({ answer: { chunks }, errorEvent }), dialect);
    expect(body.toString()).toContain('data: {"odd":1}\n\n');
    expect(body.toString()).toContain(markers[dialect]);
  });

  it.each([
    ["broken-json", /broken"[^\n]*[^}\n]\n\n/],
    ["two-objects", /^data: \{.*\}\{.*\}$/m],
    ["html", /<h1>502 Bad Gateway<\/h1>/],
    ["unknown-event", /surprise/],
    ["comment", /^: simulated comment$/m],
  ] as const)("holds a malformed piece of kind %s among good ones", async (kind, pattern) => {
    const { body } = await exchange(
      await upstream({ answer: { chunks }, malformed: { afterChunk: 2, kind } }),
      dialect,
    );
    const text = body.toString();
    expect(text).toMatch(pattern);
    expect(text.search(pattern)).toBeGreaterThan(text.indexOf("two "));
    expect(text.search(pattern)).toBeLessThan(text.indexOf("three "));
    expect(text).toContain(markers[dialect]);
  });

  it("holds half a frame that runs into the next", async () => {
    const malformed = { afterChunk: 2, kind: "half-frame" } as const;
    const { body } = await exchange(await upstream({ answer: { chunks }, malformed }), dialect);
    const whole = await reference(dialect);
    expect(body.length).toBeLessThan(whole.length);
    expect(textOf(body)).not.toContain("three ");
    expect(body.toString()).toMatch(dialect === "chat" ? /[^\n]data: / : /[^\n]event: /);
  });

  it("repeats a frame", async () => {
    const malformed = { afterChunk: 2, kind: "duplicate" } as const;
    const { body } = await exchange(await upstream({ answer: { chunks }, malformed }), dialect);
    expect(textOf(body)).toBe("one two two three four");
  });

  it("holds bytes that are no UTF-8, and an event of any size", async () => {
    const invalid = await exchange(
      await upstream({ answer: { chunks }, malformed: { afterChunk: 1, kind: "invalid-utf8" } }),
      dialect,
    );
    expect(invalid.body.includes(0xff)).toBe(true);
    const malformed = { afterChunk: 1, kind: "oversize", bytes: 300_000 } as const;
    const { body } = await exchange(await upstream({ answer: { chunks }, malformed }), dialect);
    expect(body.includes("x".repeat(300_000))).toBe(true);
  });

  it("ends its lines in CRLF", async () => {
    const { body } = await exchange(await upstream({ answer: { chunks }, crlf: true }), dialect);
    expect(body.toString()).not.toMatch(/[^\r]\n/);
    expect(masked(body).toString().replaceAll("\r\n", "\n")).toBe((await reference(dialect)).toString());
  });

  it("leaves in slices that are read one by one and are the same bytes", async () => {
    const { body, reads } = await exchange(await upstream({ answer: { chunks }, slice: 50 }), dialect);
    expect(masked(body)).toEqual(await reference(dialect));
    expect(reads).toBeGreaterThan(body.length / 50 / 2);
  });

  it("is delimited by its length, right or wrong, or by the connection's close", async () => {
    const whole = await reference(dialect);
    for (const lengthOff of [0, 7, -7]) {
      const { head, wire, end } = await exchange(
        await upstream({ answer: { chunks }, framing: "length", lengthOff }),
        dialect,
      );
      expect(head).toContain(`content-length: ${whole.length + lengthOff}`);
      expect(masked(wire)).toEqual(whole);
      expect(end).toBe("fin");
    }
    const behaviour: Behaviour = { answer: { chunks }, framing: "close-delimited", cut: { atByte: 99, how: "fin" } };
    const { head, wire } = await exchange(await upstream(behaviour), dialect);
    expect(head).not.toMatch(/content-length|transfer-encoding/i);
    expect(masked(wire)).toEqual(whole.subarray(0, 99));
  });

  it("keeps its times: before the head, before the first content, between contents", async () => {
    const clock = new VirtualClock();
    const timing = { delayMs: 100, firstContentDelayMs: 1_000, interChunkDelayMs: 10 };
    const simulator = await upstream({ answer: { chunks }, ...timing }, clock);
    const received = exchange(simulator, dialect);
    await simulator.log.until(([entry]) => entry !== undefined && clock.pending === 1);
    const entry = simulator.log.last!;
    await clock.advanceAsync(99);
    expect(entry.headAtMs).toBeUndefined();
    await clock.advanceAsync(1);
    expect(entry.headAtMs).toBe(100);
    const lifecycleBytes = entry.bytesWritten;
    expect(lifecycleBytes).toBeGreaterThan(0);
    await clock.advanceAsync(999);
    expect(entry.bytesWritten).toBe(lifecycleBytes);
    await clock.advanceAsync(1);
    expect(entry.bytesWritten).toBeGreaterThan(lifecycleBytes);
    await clock.advanceAsync(29);
    expect(entry.state).toBe("running");
    await clock.advanceAsync(1);
    expect(entry).toMatchObject({ state: "complete", endedAtMs: 1_130 });
    expect(textOf((await received).body)).toBe(chunks.join(""));
  });

  it.each(["request", "head", "lifecycle", { chunk: 2 }, { byte: 10 }] as const)(
    "stalls after %o, silent, until the other side goes",
    async (after) => {
      const clock = new VirtualClock();
      const simulator = await upstream({ answer: { chunks }, stall: { after } }, clock);
      const socket = connect(simulator.port, "127.0.0.1", () => socket.write(requestBytes(dialect, true)));
      const parts: Buffer[] = [];
      socket.on("data", (bytes: Buffer) => parts.push(bytes));
      const first = () => (after === "request" ? simulator.log.last !== undefined : parts.length > 0);
      await expect.poll(first).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
      const entry = simulator.log.last!;
      expect(entry.state).toBe("running");
      const { bytesWritten } = entry;
      clock.advance(3_600_000);
      expect(entry.bytesWritten).toBe(bytesWritten);
      if (after === "request") expect(entry.headAtMs).toBeUndefined();
      if (typeof after === "object" && "byte" in after) expect(bytesWritten).toBe(10);
      socket.destroy();
      await simulator.log.until(() => entry.state === "aborted");
      expect(entry.abortedAtMs).toBe(3_600_000);
      expect(clock.pending).toBe(0);
    },
  );

  it("sends pings in a stall, and goes on when it is over", async () => {
    const clock = new VirtualClock();
    const stall = { after: "lifecycle", pingEveryMs: 10, forMs: 35 } as const;
    const simulator = await upstream({ answer: { chunks }, stall }, clock);
    const received = exchange(simulator, dialect);
    await simulator.log.until(() => clock.pending === 1);
    await clock.advanceAsync(35);
    const { body } = await received;
    const before = body.toString().split("one ", 1)[0] ?? "";
    const pings = before.match(dialect === "chat" ? /^: ping$/gm : /^event: ping$/gm) ?? [];
    expect(pings.length).toBe(dialect === "chat" ? 3 : 4);
    expect(textOf(body)).toBe(chunks.join(""));
  });
});

describe.each<Dialect>(["chat", "messages"])("in %s a whole answer", (dialect) => {
  it("is cut at the byte asked for, with the head promising all", async () => {
    const whole = await reference(dialect, false);
    const { head, wire } = await exchange(
      await upstream({ answer: { chunks }, cut: { atByte: 40, how: "fin" } }),
      dialect,
      false,
    );
    expect(masked(wire)).toEqual(whole.subarray(0, 40));
    expect(head).toContain(`content-length: ${whole.length}`);
  });

  it("promises no more than it sends where the transport ends properly", async () => {
    const cut = { afterChunk: 2, how: "clean-end" } as const;
    const { head, wire } = await exchange(await upstream({ answer: { chunks }, cut }), dialect, false);
    expect(head).toContain(`content-length: ${wire.length}`);
    expect(() => JSON.parse(wire.toString()) as unknown).toThrow();
  });

  it("is an error inside a 200 where an error event is scripted", async () => {
    const errorEvent = { after: { chunk: 2 }, kind: "overloaded" } as const;
    const { head, wire } = await exchange(await upstream({ answer: { chunks }, errorEvent }), dialect, false);
    expect(head).toMatch(/^HTTP\/1\.1 200/);
    expect(JSON.parse(wire.toString())).toHaveProperty("error.message");
  });

  it.each([
    ["broken-json", false],
    ["html", false],
    ["two-objects", false],
    ["unknown-event", true],
    ["oversize", true],
  ] as const)("can be malformed as %s", async (kind, readable) => {
    const malformed = { afterChunk: 1, kind, bytes: 50_000 };
    const { wire } = await exchange(await upstream({ answer: { chunks }, malformed }), dialect, false);
    const read = (): unknown => JSON.parse(wire.toString());
    if (readable) expect(read()).toHaveProperty("surprise");
    else expect(read).toThrow();
  });
});

describe("a scripted status", () => {
  it("has an error body in the dialect's own shape unless it brings one", async () => {
    const chat = await exchange(
      await upstream({ status: 429, errorKind: "quota", headers: { "retry-after": "7" } }),
      "chat",
    );
    expect(chat.head).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: 7/);
    expect(JSON.parse(chat.wire.toString())).toMatchObject({ error: { code: "insufficient_quota" } });
    const messages = await exchange(await upstream({ status: 529 }), "messages");
    expect(JSON.parse(messages.wire.toString())).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    const own = await exchange(await upstream({ status: 500, body: { mine: true } }), "chat");
    expect(own.wire.toString()).toBe('{"mine":true}');
  });

  it("can be an HTML page, plain text, or nothing at all, also with 200", async () => {
    const page = await exchange(await upstream({ status: 502, htmlPage: true }), "chat");
    expect(page.head).toContain("content-type: text/html");
    expect(page.wire.toString()).toContain("502 Bad Gateway");
    const text = await exchange(await upstream({ status: 200, body: "upstream connect error" }), "chat");
    expect(text.head).toContain("content-type: text/plain");
    const empty = await exchange(await upstream({ status: 200 }), "messages");
    expect(empty.wire.length).toBe(0);
    const nothing = await exchange(await upstream({ status: 204 }), "chat");
    expect(nothing.head).toMatch(/^HTTP\/1\.1 204/);
  });
});

describe("below HTTP", () => {
  it("sends raw bytes exactly as written, text or base64", async () => {
    const raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n";
    const text = await exchange(await upstream({ raw }), "chat");
    expect(`${text.head}\r\n\r\n${text.wire.toString()}`).toBe(raw);
    const bytes = Buffer.from([0, 255, 10, 13]);
    const binary = await exchange(await upstream({ raw: { base64: bytes.toString("base64") } }), "messages");
    expect(binary.wire).toEqual(bytes);
    expect(binary.end).toBe("fin");
    const reset = await exchange(await upstream({ raw, cut: { atByte: 0, how: "rst" } }), "chat");
    expect(reset.end).toBe("reset");
  });

  it("resets after reading the request", async () => {
    const simulator = await upstream({ resetBeforeHead: true });
    const { end, wire } = await exchange(simulator, "chat");
    expect({ end, bytes: wire.length }).toEqual({ end: "reset", bytes: 0 });
    expect(simulator.log.last).toMatchObject({ model: "m", state: "complete" });
  });

  it("resets the first connections, refuses all, and takes them again on the same port", async () => {
    const simulator = await startSimulator({ script: { rules: [{ behaviour: {} }], connections: { reset: 2 } } });
    started.push(simulator);
    const ends = [];
    for (let times = 0; times < 3; times += 1) ends.push((await exchange(simulator, "chat", false)).end);
    expect(ends).toEqual(["reset", "reset", "fin"]);
    expect(simulator.log.entries.length).toBe(1);
    await simulator.setConnections("refuse");
    await expect(fetch(simulator.url)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await simulator.setConnections("accept");
    expect((await fetch(`${simulator.url}/v1/models`)).status).toBe(200);
  });

  it("refuses connections from the start where the script says so", async () => {
    const simulator = await startSimulator({ script: { rules: [], connections: "refuse" } });
    started.push(simulator);
    await expect(fetch(simulator.url)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  });
});
