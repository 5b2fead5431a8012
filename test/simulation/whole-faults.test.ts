import { afterEach, describe, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import { exchange, masked } from "../upstream/raw-exchange.ts";
import type { Dialect } from "../upstream/raw-exchange.ts";
import { startSimulator, type Simulator } from "#simulation/server";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

async function upstream(behaviour: Behaviour): Promise<Simulator> {
  const simulator = await startSimulator({ script: [{ behaviour }] });
  started.push(simulator);
  return simulator;
}

const chunks = ["one ", "two ", "three ", "four"];

describe.each<Dialect>(["chat", "messages"])("in %s a whole answer", (dialect) => {
  it("is cut at the byte asked for, with the head promising all", async () => {
    const whole = masked((await exchange(await upstream({ answer: { chunks } }), dialect, false)).wire);
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
