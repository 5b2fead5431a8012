import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, Place } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;
const key = "an-inference-key-of-a-test-0001";
const upstreamKey = "sk-e2e-000000000000";

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one two three" } } }] });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

const configuration = (payloads: string): string => `
server: { port: 0, workers: 1 }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: ${upstreamKey}, models: { steady: {} } }
routes: { default: { targets: [sim/steady] } }
keys: { alice: { key: ${key} } }
${payloads}
`;

interface Asked {
  readonly id: string;
  readonly sent: string;
  readonly received: string;
}

async function ask(url: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Asked> {
  const sent = JSON.stringify({ model: "default", messages: [{ role: "user", content: "Zähle." }], ...more });
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
    body: sent,
  });
  return { id: answer.headers.get("x-request-id") ?? "", sent, received: await answer.text() };
}

const folder = () => join(place.folder, ".hedgerow", "payloads");
const text = () =>
  existsSync(folder())
    ? readdirSync(folder())
        .map((name) => readFileSync(join(folder(), name), "utf8"))
        .join("")
    : "";

interface Line {
  readonly id: string;
  readonly status: number;
  readonly route: string;
  readonly request: { readonly text: string; readonly truncated?: true };
  readonly answer: { readonly text: string };
}

const lines = () =>
  text()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

describe("payloads of a gateway", { timeout: 120_000 }, () => {
  it("are kept of calls that are sampled, to the byte, streamed and not, refused too, and never a key", async () => {
    place.write(configuration("payloads: { sample: 1, maxBytes: 4KiB }"));
    const gateway = place.start();
    const url = await gateway.ready();
    const whole = await ask(url);
    const stream = await ask(url, { stream: true });
    const unknown = await ask(url, { model: "nobody/knows" });
    const long = await ask(url, { messages: [{ role: "user", content: "x".repeat(5_000) }] });
    const apart = [await ask(url, { store: false }), await ask(url, {}, { "x-hedgerow-payload": "off" })];
    expect(await gateway.stop()).toBe(0);
    expect(apart.every(({ received }) => received.includes("one two three"))).toBe(true);
    const kept = new Map(lines().map((line) => [line.id, line]));
    expect([...kept.keys()].toSorted()).toEqual([whole, stream, unknown, long].map(({ id }) => id).toSorted());
    for (const { id, sent, received } of [whole, stream, unknown]) {
      expect([kept.get(id)?.request.text, kept.get(id)?.answer.text]).toEqual([sent, received]);
    }
    expect(kept.get(unknown.id)?.status).toBe(404);
    expect([whole, unknown].map(({ id }) => kept.get(id)?.route)).toEqual(["default", ""]);
    expect(kept.get(long.id)?.request).toMatchObject({ bytes: long.sent.length, truncated: true });
    for (const secret of [key, upstreamKey]) expect(text()).not.toContain(secret);
  });

  it("are none unless they are asked for, and begin and end with a reload", async () => {
    place.write(configuration(""));
    const gateway = place.start();
    const url = await gateway.ready();
    await ask(url);
    place.write(configuration("payloads: { sample: 1 }"));
    await eventually(async () => expect(gateway.stderr).toContain("which payloads are kept changed"));
    await eventually(async () => expect(gateway.stderr).toContain("every worker runs on the new configuration"));
    const kept = await ask(url);
    place.write(configuration("payloads: { sample: 0 }"));
    await eventually(async () => {
      const { id } = await ask(url);
      await new Promise((done) => setTimeout(done, 600));
      expect(text()).not.toContain(id);
    });
    expect(await gateway.stop()).toBe(0);
    expect(lines()[0]?.id).toBe(kept.id);
  });
});
