import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { valkeyProgram, ValkeyServer } from "../servers/valkey.ts";
import { eventually, kill, Place, type GatewayProcess } from "./gateway-process.ts";

const key = "an-inference-key-of-a-test-0001";
const password = "a-password-of-a-test";

let places: Place[];
let simulator: Simulator;
let server: ValkeyServer;

interface Node {
  readonly url: string;
  readonly gateway: GatewayProcess;
  readonly place: Place;
}

describe.skipIf(valkeyProgram() === undefined)("limits of several nodes", { timeout: 240_000 }, () => {
  beforeEach(async () => {
    places = [];
    server = await ValkeyServer.start({ password });
  }, 90_000);

  afterEach(async () => {
    await Promise.all(places.map((place) => place.clear()));
    await server.stop();
    await simulator.close();
  });

  async function startNodes(count: number, settings: { readonly limits: string; readonly answerMs: number }) {
    simulator = await startSimulator({
      script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: settings.answerMs } }],
    });
    return Promise.all(Array.from({ length: count }, (_, index) => startNode(index === 0 ? 2 : 1, settings.limits)));
  }

  async function startNode(workers: number, limits: string): Promise<Node> {
    const place = new Place();
    places.push(place);
    place.env["SHARED_URL"] = server.url;
    place.write(`
server: { port: 0, workers: ${workers}, limits: { drain: 1s } }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 }
routes:
  default:
    targets: [sim/steady]
    timeouts: { firstByte: 120s, firstToken: 120s, idle: 120s, contentIdle: 120s, total: 180s }
keys:
  alice: { key: ${key}, limits: ${limits} }
shared: { url: "\${SHARED_URL}" }
`);
    const gateway = place.start();
    const url = await gateway.ready();
    await gateway.logged("limits are counted with all nodes");
    return { url, gateway, place };
  }

  it.each([2, 3])("let as many requests a minute through as one would, on %d nodes at once", async (count) => {
    const nodes = await startNodes(count, { limits: "{ rpm: 50 }", answerMs: 30 });
    const seen = await askAll(nodes, 200);
    const served = seen.filter(({ status }) => status === 200).length;
    expect(simulator.log.entries).toHaveLength(served);
    expect(served).toBeLessThanOrEqual(50);
    expect(served).toBeGreaterThanOrEqual(48);
    expect(seen.filter(({ status }) => status === 429)).toHaveLength(200 - served);
    const refused = seen.find(({ status }) => status === 429);
    expect(refused?.bound).toMatchObject({ account: "key:alice", unit: "requests", limit: 50 });
  });

  it.each([2, 3])("let as many calls at once through as one would, on %d nodes", async (count) => {
    const nodes = await startNodes(count, { limits: "{ concurrency: 50 }", answerMs: 5_000 });
    await askAll(nodes, 200);
    expect(mostAtOnce()).toBeLessThanOrEqual(50);
    expect(mostAtOnce()).toBeGreaterThanOrEqual(48);
    // All of them are free again.
    await eventually(async () => {
      const before = simulator.log.entries.length;
      await askAll(nodes, 60);
      expect(simulator.log.entries.length - before).toBeGreaterThanOrEqual(48);
    });
    expect(mostAtOnce()).toBeLessThanOrEqual(50);
  });

  it("are free of what a killed node held when its lease ends, and of what a stopped one held at once", async () => {
    const [one, other, third] = (await startNodes(3, { limits: "{ concurrency: 6 }", answerMs: 60_000 })) as [
      Node,
      Node,
      Node,
    ];
    const waiting = [one, one, other, other, third, third].map((node) => ask(node.url));
    await eventually(() => Promise.resolve(expect(simulator.log.entries).toHaveLength(6)));
    expect(await ask(other.url)).toMatchObject({ status: 429, bound: { unit: "slots", remaining: 0 } });
    one.gateway.signal("SIGKILL");
    for (const { pid } of one.place.workers()) kill(pid, "SIGKILL");
    // Not before its lease has ended, and then for exactly as many as it held.
    expect(await ask(other.url)).toMatchObject({ status: 429 });
    await eventually(() => admitted(other, waiting, 7));
    await eventually(() => admitted(other, waiting, 8));
    expect(await ask(other.url)).toMatchObject({ status: 429 });
    await third.gateway.stop();
    await admitted(other, waiting, 9);
    await admitted(other, waiting, 10);
    expect(await ask(other.url)).toMatchObject({ status: 429 });
    other.gateway.signal("SIGKILL");
    for (const { pid } of other.place.workers()) kill(pid, "SIGKILL");
    await Promise.all(waiting);
  });

  it("show no password, and say how many nodes count", async () => {
    const nodes = await startNodes(2, { limits: "{ rpm: 5 }", answerMs: 30 });
    await ask(nodes[0]?.url ?? "");
    await eventually(async () => {
      const metrics = await (await fetch(`${nodes[0]?.url}/metrics`, withKey)).text();
      expect(metrics).toContain("hedgerow_shared_up 1");
      expect(metrics).toContain("hedgerow_shared_nodes 2");
      expect(metrics).toMatch(/hedgerow_shared_borrow_seconds_count [1-9]/);
      expect(metrics).not.toContain(password);
    });
    for (const { gateway } of nodes) {
      expect(await gateway.stop()).toBe(0);
      expect(gateway.stderr + gateway.stdout).not.toContain(password);
    }
  });
});

const withKey = { headers: { authorization: `Bearer ${key}` } };

interface Seen {
  readonly status: number;
  readonly code?: string;
  readonly bound?: { readonly account: string; readonly unit: string; readonly remaining: number };
}

async function ask(url: string): Promise<Seen> {
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...withKey.headers },
      body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }] }),
    });
    const body = (await answer.json()) as { readonly error?: { readonly metadata: Omit<Seen, "status"> } };
    return { status: answer.status, ...body.error?.metadata };
  } catch {
    // Its connection went with the node.
    return { status: 0 };
  }
}

function askAll(nodes: readonly Node[], count: number): Promise<readonly Seen[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => ask(nodes[index % nodes.length]?.url ?? "")));
}

/** One more call reaches the provider, and it is the so-manieth. */
async function admitted({ url }: Node, waiting: Promise<Seen>[], expected: number): Promise<void> {
  const asked = ask(url);
  let ended: Seen | undefined;
  void asked.then((seen) => (ended = seen));
  await eventually(() => {
    expect(ended ?? simulator.log.entries.length).toBe(ended ?? expected);
    return Promise.resolve();
  });
  expect(ended).toBeUndefined();
  waiting.push(asked);
}

function mostAtOnce(): number {
  const moments = simulator.log.entries.flatMap(({ startedAtMs, endedAtMs = Number.POSITIVE_INFINITY }) => [
    { atMs: startedAtMs, by: 1 },
    { atMs: endedAtMs, by: -1 },
  ]);
  let [now, most] = [0, 0];
  for (const { by } of moments.toSorted((a, b) => a.atMs - b.atMs || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
