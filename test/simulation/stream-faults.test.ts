import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import { exchange, masked, requestBytes, textOf } from "../upstream/raw-exchange.ts";
import type { Dialect } from "../upstream/raw-exchange.ts";
import { startSimulator, type Simulator } from "#simulation/server";
import { VirtualClock } from "#simulation/virtual-clock";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

async function upstream(behaviour: Behaviour, clock?: VirtualClock): Promise<Simulator> {
  const simulator = await startSimulator({
    script: [{ behaviour }],
    issuer: "test",
    ...(clock === undefined ? {} : { clock }),
  });
  started.push(simulator);
  return simulator;
}

const chunks = ["one ", "two ", "three ", "four"];
const markers: Readonly<Record<Dialect, string>> = { chat: "data: [DONE]\n\n", messages: "event: message_stop\n" };
const finishes: Readonly<Record<Dialect, string>> = { chat: '"finish_reason":"stop"', messages: '"end_turn"' };
const properEnd = Buffer.from("0\r\n\r\n");

async function reference(dialect: Dialect): Promise<Buffer> {
  const { body } = await exchange(await upstream({ answer: { chunks } }), dialect);
  return dialect === "chat" ? masked(body) : body;
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
    ["broken-json", /broken\n\n/],
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
    await expect.poll(() => clock.pending).toBe(1);
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
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advanceAsync(35);
    const { body } = await received;
    const before = body.toString().split("one ", 1)[0] ?? "";
    const pings = before.match(dialect === "chat" ? /^: ping$/gm : /^event: ping$/gm) ?? [];
    expect(pings.length).toBe(dialect === "chat" ? 3 : 4);
    expect(textOf(body)).toBe(chunks.join(""));
  });
});
