import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RequestLog } from "./request-log.ts";
import { startSimulator, type Simulator, type SimulatorOptions } from "./server.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  started.push(simulator);
  return simulator;
}

function ask(simulator: Simulator, fields: object = {}, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: "fast", messages: [{ role: "user", content: "hi" }], ...fields });
  return fetch(`${simulator.url}/v1/chat/completions`, { method: "POST", body, ...init });
}

describe("the log", () => {
  it("holds what came, byte for byte, and how the answer went", async () => {
    const simulator = await start({ script: [{ behaviour: { answer: { text: "ok" } } }] });
    const answer = await ask(simulator, {}, { headers: { "X-Trace": "t" } });
    const text = await answer.text();
    expect(simulator.log.entries).toHaveLength(1);
    expect(simulator.log.last).toMatchObject({
      sequence: 1,
      connection: 1,
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "x-trace": "t" },
      dialect: "openai-chat",
      operation: "generate",
      model: "fast",
      streamed: false,
      status: 200,
      bytesWritten: Buffer.byteLength(text),
      state: "complete",
    });
    expect(simulator.log.last?.body.toString()).toBe('{"model":"fast","messages":[{"role":"user","content":"hi"}]}');
    expect(simulator.log.last?.abortedAtMs).toBeUndefined();
  });

  it(
    "notes when the client gave up: while it waits for the head, and in the midst of a stream",
    { retry: 2 },
    async () => {
      const simulator = await start({
        script: [
          { match: { nth: 1 }, behaviour: { stall: { after: "request" } } },
          { behaviour: { answer: { text: "a b" }, stall: { after: { chunk: 1 } } } },
        ],
      });
      for (const count of [1, 2]) {
        const giveUp = new AbortController();
        const asked = ask(simulator, { stream: true }, { signal: giveUp.signal });
        await simulator.log.until((entries) => entries.length === count);
        if (count === 2) await (await asked).body?.getReader().read();
        const beforeMs = performance.now();
        giveUp.abort();
        await expect(asked.then((answer) => answer.text())).rejects.toThrow();
        await simulator.log.until((entries) => entries[count - 1]?.state === "aborted");
        const { abortedAtMs = 0 } = simulator.log.last ?? {};
        expect(abortedAtMs - beforeMs).toBeLessThan(50);
      }
    },
  );

  it("notes a client that leaves in the midst of its upload", async () => {
    const simulator = await start();
    const socket = connect(simulator.port, "127.0.0.1", () => {
      socket.write("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
      setTimeout(() => socket.destroy(), 20);
    });
    await simulator.log.until(([entry]) => entry?.state === "aborted");
    expect(simulator.log.last).toMatchObject({ path: "/v1/messages", bytesWritten: 0 });
  });

  it("calls an answer complete that the client closed on right after its last byte", async () => {
    const simulator = await start({ script: [{ behaviour: { answer: { text: "ok" }, slice: 20 } }] });
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });
    const socket = connect(simulator.port, "127.0.0.1", () => {
      socket.write(`POST /chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
    let seen = "";
    socket.on("data", (bytes: Buffer) => {
      seen += bytes.toString();
      if (seen.endsWith('"service_tier":"default"}')) socket.destroy();
    });
    await simulator.log.until(([entry]) => entry !== undefined && entry.state !== "running");
    expect(simulator.log.last?.state).toBe("complete");
  });

  it("forgets the oldest within its bounds", async () => {
    const simulator = await start({ log: new RequestLog({ maxEntries: 2 }) });
    for (let times = 0; times < 4; times += 1) await (await ask(simulator)).text();
    expect(simulator.log.entries.map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(simulator.log.forgotten).toBe(2);
    const bytes = await start({ log: new RequestLog({ maxBodyBytes: 100 }) });
    for (let times = 0; times < 3; times += 1) await (await ask(bytes)).text();
    expect(bytes.log.entries).toHaveLength(1);
  });

  it("says what it saw instead when a condition does not come true", async () => {
    const simulator = await start();
    await expect(simulator.log.until(() => false, 10)).rejects.toThrow("not reached within 10 ms; seen: no request");
  });
});

describe("the server", () => {
  it("keeps connections alive over requests, and counts them", async () => {
    const simulator = await start({ script: [{ behaviour: { answer: { text: "ok" } } }] });
    for (let times = 0; times < 5; times += 1) await (await ask(simulator, { stream: times % 2 === 0 })).text();
    // fetch may open a second one before it has put the first back.
    expect(simulator.connections.accepted).toBeLessThanOrEqual(2);
    expect(simulator.connections.open).toBe(simulator.connections.accepted);
  });

  it("answers from a function, with the request as it understood it", async () => {
    const simulator = await start({
      script: (request) => ({ answer: { json: { model: request.model, last: request.lastUserText } } }),
    });
    const answer = (await (await ask(simulator, { model: "any" })).json()) as {
      choices: [{ message: { content: string } }];
    };
    expect(JSON.parse(answer.choices[0].message.content)).toEqual({ model: "any", last: "hi" });
  });

  it("answers 500 and logs why where that function throws", async () => {
    const simulator = await start({
      script: () => {
        throw new Error("not today");
      },
    });
    expect((await ask(simulator)).status).toBe(500);
    expect(simulator.log.last?.refused).toContain("not today");
  });

  it("does not outrun a slow reader", async () => {
    const flood = { chunks: ["x".repeat(64 * 1024)], repeat: 2_000 };
    const simulator = await start({ script: [{ behaviour: { answer: flood } }] });
    const answer = await ask(simulator, { stream: true });
    const reader = answer.body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(simulator.log.last?.bytesWritten).toBeLessThan(32 * 1024 * 1024);
    await reader?.cancel();
    await simulator.log.until(([entry]) => entry?.state === "aborted");
  });

  it("refuses wrong paths, methods, bodies and sizes in words", async () => {
    const simulator = await start({ maxBodyBytes: 1_000 });
    const post = (path: string, body: string) => fetch(simulator.url + path, { method: "POST", body });
    const replies = [
      await fetch(`${simulator.url}/v2/nothing`),
      await fetch(`${simulator.url}/v1/messages`),
      await post("/v1/chat/completions", "{broken"),
      await post("/v1/messages", "x".repeat(2_000)),
      await fetch(`${simulator.url}/v1/models/none`),
    ];
    expect(replies.map(({ status }) => status)).toEqual([404, 405, 400, 413, 404]);
    for (const reply of replies) expect(await reply.json()).toHaveProperty("error.message");
    expect(simulator.log.entries.every(({ refused }) => refused !== undefined)).toBe(true);
  });

  it("refuses to start with a script that contradicts itself", async () => {
    await expect(startSimulator({ script: [{ behaviour: { body: "x" } }] })).rejects.toThrow(
      "rules[0].behaviour.body: `body` needs a `status`",
    );
  });

  it("closes at once whatever still runs, and resets connections when asked to", async () => {
    const simulator = await start({ script: [{ behaviour: { stall: { after: "head" } } }] });
    const open = await ask(simulator, { stream: true });
    simulator.resetConnections();
    await expect(open.text()).rejects.toThrow();
    const second = await ask(simulator, { stream: true });
    await simulator.close();
    await expect(second.text()).rejects.toThrow();
  });

  it("honours output limits and stop sequences in the built-in answers", async () => {
    const simulator = await start();
    const choice = async (fields: object) => {
      const answer = (await (await ask(simulator, fields)).json()) as {
        choices: [{ message: { content: string }; finish_reason: string }];
      };
      return { text: answer.choices[0].message.content, finish: answer.choices[0].finish_reason };
    };
    expect(await choice({ max_completion_tokens: 4 })).toEqual({ text: "Hello from the", finish: "length" });
    expect(await choice({ stop: " simulated" })).toEqual({ text: "Hello from the", finish: "stop" });
    expect((await choice({ messages: [{ role: "user", content: "é".repeat(500) }] })).text).toContain(
      `“${"é".repeat(200)}…”`,
    );
  });
});
