import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { FaultProxy } from "../servers/fault-proxy.ts";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { eventually, Place, type GatewayProcess } from "./gateway-process.ts";

const key = "an-inference-key-of-a-test-0001";
/** Whoever waited for the database would wait longer: it is given up after two seconds, or five. */
const answeredWithinMs = 2_000;

interface Node {
  readonly url: string;
  readonly gateway: GatewayProcess;
  readonly place: Place;
}

interface Seen {
  readonly id: string;
  readonly status: number;
  readonly ms: number;
}

async function ask(url: string): Promise<Seen> {
  const askedAtMs = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }] }),
  });
  await answer.text();
  const id = answer.headers.get("x-request-id") ?? "";
  return { id, status: answer.status, ms: performance.now() - askedAtMs };
}

/** Four callers who ask one call after another, until they are told to end. */
function callers(url: string): () => Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const until = new AbortController();
  const caller = async (): Promise<void> => {
    while (!until.signal.aborted) seen.push(await ask(url));
  };
  const all = Promise.all(Array.from({ length: 4 }, caller));
  return async () => {
    until.abort();
    await all;
    return seen;
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(postgresPrograms() === undefined)("gateways over one PostgreSQL", { timeout: 240_000 }, () => {
  let server: PostgresServer;
  let database: ReturnType<PostgresServer["database"]>;
  let proxy: FaultProxy;
  let simulator: Simulator;
  let places: Place[];

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);
  afterAll(async () => server?.stop(), 60_000);

  beforeEach(async () => {
    places = [];
    database = server.database();
    proxy = await FaultProxy.start(server.port);
    simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 20 } }] });
  });

  afterEach(async () => {
    await Promise.all(places.map((place) => place.clear()));
    await proxy.close();
    await simulator.close();
  });

  async function start(): Promise<Node> {
    const place = new Place();
    places.push(place);
    place.env["STORE_URL"] = database.url(proxy.port);
    place.write(`
server: { port: 0, workers: 1, limits: { drain: 5s } }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 }
routes:
  default: { targets: [sim/steady] }
keys:
  alice: { key: ${key} }
store: "\${STORE_URL}"
`);
    const gateway = place.start();
    return { url: await gateway.ready(), gateway, place };
  }

  const inLedger = (): readonly string[] => server.query(database.name, "SELECT id FROM calls ORDER BY id");

  /** All of them, each once, in the list of calls as in the sums. */
  async function complete(seen: readonly Seen[]): Promise<void> {
    await eventually(() => {
      expect(inLedger()).toEqual(seen.map(({ id }) => id).toSorted());
      return Promise.resolve();
    });
    const summed = server.query(database.name, "SELECT sum(calls) FROM spend_buckets WHERE span = 1");
    expect(summed).toEqual([String(seen.length)]);
  }

  function answered(seen: readonly Seen[]): void {
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    const sorted = seen.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
    expect(p99).toBeLessThan(answeredWithinMs);
  }

  const faults: Readonly<Record<string, readonly [begin: () => unknown, end: () => unknown]>> = {
    killed: [() => server.kill(), () => server.run()],
    paused: [() => server.pause(), () => server.resume()],
    "a black hole": [() => proxy.set({ kind: "blackhole" }), () => (proxy.set({ kind: "pass" }), proxy.drop())],
    "slow, two seconds a question": [
      () => proxy.set({ kind: "slow", delayMs: 1_000 }),
      () => proxy.set({ kind: "pass" }),
    ],
  };

  it.each(Object.entries(faults))(
    "answer every call while it is %s, and tell it all of them later",
    async (_what, [begin, end]) => {
      const node = await start();
      const stop = callers(node.url);
      await pause(1_000);
      await begin();
      await pause(4_000);
      await end();
      await pause(500);
      const seen = await stop();
      answered(seen);
      await complete(seen);
      expect(node.gateway.stderr).not.toContain("test-only");
    },
  );

  it("start without it, say so, and have it when it comes, without a restart", async () => {
    proxy.set({ kind: "blackhole" });
    const node = await start();
    await node.gateway.logged("they wait in the journal");
    const stop = callers(node.url);
    await pause(1_000);
    const seen = await stop();
    answered(seen);
    expect(await metric(node, "hedgerow_store_up")).toBe(0);
    proxy.set({ kind: "pass" });
    proxy.drop();
    await node.gateway.logged("has every record again");
    await complete(seen);
    await eventually(async () => {
      expect(await metric(node, "hedgerow_store_up")).toBe(1);
      expect(await metric(node, "hedgerow_store_waiting_bytes")).toBe(0);
    });
  });

  const away = {
    "refuses them": () => (proxy.set({ kind: "refuse" }), proxy.drop()),
    "is a black hole": () => proxy.set({ kind: "blackhole" }),
  };

  it.each(Object.entries(away))(
    "tell what they recorded before they were stopped while it %s, at their next start",
    async (_what, go) => {
      const node = await start();
      const before = await Promise.all([ask(node.url), ask(node.url)]);
      await complete(before);
      go();
      const during = await Promise.all([ask(node.url), ask(node.url), ask(node.url)]);
      expect(await node.gateway.stop()).toBe(0);
      proxy.set({ kind: "pass" });
      proxy.drop();
      await node.place.start().ready();
      await complete([...before, ...during]);
    },
  );

  it("are reported on together, by any of them", async () => {
    const nodes = [await start(), await start()];
    const seen = await Promise.all(nodes.flatMap(({ url }) => [ask(url), ask(url), ask(url)]));
    await complete(seen);
    for (const { place } of nodes) {
      const all = await place.command(["report", "calls", "--json"]);
      expect(JSON.parse(all.stdout)).toMatchObject({ totals: { calls: 6, byDecision: { answered: 6 } } });
      const own = await place.command(["report", "calls", "--json", "--data", ".hedgerow"]);
      expect(JSON.parse(own.stdout)).toMatchObject({ totals: { calls: 3 } });
    }
  });

  async function metric({ url }: Node, name: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
    return Number(new RegExp(`^${name} (.*)$`, "mu").exec(text)?.[1]);
  }
});
