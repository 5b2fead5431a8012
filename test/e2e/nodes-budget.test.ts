import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { FaultProxy } from "../servers/fault-proxy.ts";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { eventually, kill, Place, type GatewayProcess } from "./gateway-process.ts";

const key = "an-inference-key-of-a-test-0001";

interface Node {
  readonly url: string;
  readonly gateway: GatewayProcess;
  readonly place: Place;
}

interface Seen {
  readonly status: number;
  readonly code?: string;
  readonly ms: number;
}

async function ask(url: string): Promise<Seen> {
  const askedAtMs = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }] }),
  }).catch(() => undefined);
  const ms = performance.now() - askedAtMs;
  if (answer === undefined) return { status: 0, ms };
  const body = (await answer.json()) as { readonly error?: { readonly metadata: { readonly code: string } } };
  return { status: answer.status, ms, ...body.error?.metadata };
}

const count = (seen: readonly Seen[], status: number): number => seen.filter((each) => each.status === status).length;

describe.skipIf(postgresPrograms() === undefined)("nodes with one PostgreSQL", { timeout: 240_000 }, () => {
  let server: PostgresServer;
  let database: ReturnType<PostgresServer["database"]>;
  let proxy: FaultProxy;
  let simulator: Simulator;
  let places: Place[];

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);
  afterAll(() => server?.stop(), 60_000);

  beforeEach(async () => {
    places = [];
    database = server.database();
    proxy = await FaultProxy.start(server.port);
    simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 30 } }] });
  });

  afterEach(async () => {
    await Promise.all(places.map((place) => place.clear()));
    await proxy.close();
    await simulator.close();
  });

  /** Every call costs a dollar. */
  function write(place: Place, { workers, budget }: { readonly workers: number; readonly budget: string }): void {
    place.env["STORE_URL"] = database.url(proxy.port);
    place.write(`
server: { port: 0, workers: ${workers} }
providers:
  sim:
    kind: openai-compatible
    url: "${simulator.url}/v1"
    key: sk-e2e-000000000000
    models: { steady: { price: { input: 0, output: 0, request: 1usd } } }
routes:
  default: { targets: [sim/steady] }
keys:
  alice: { key: ${key}, budget: ${budget} }
store: "\${STORE_URL}"
`);
  }

  async function startNode(settings: { readonly workers: number; readonly budget: string }): Promise<Node> {
    const place = new Place();
    places.push(place);
    write(place, settings);
    const gateway = place.start();
    return { place, gateway, url: await gateway.ready() };
  }

  const stored = (): number => Number(server.query(database.name, "SELECT count(*) FROM calls WHERE status = 200")[0]);
  const spent = (): number =>
    Number(server.query(database.name, "SELECT coalesce(sum(cost_nano_usd), 0) FROM calls")[0]) / 1e9;

  it.each([2, 3])("let 50 of 200 calls at once through for a budget of 50, on %d nodes", async (nodes) => {
    const started = await Promise.all(
      Array.from({ length: nodes }, (_, index) => startNode({ workers: index === 0 ? 2 : 1, budget: "50usd/day" })),
    );
    const seen = await Promise.all(Array.from({ length: 200 }, (_, index) => ask(started[index % nodes]?.url ?? "")));
    expect(simulator.log.entries.length).toBeLessThanOrEqual(50);
    expect(count(seen, 200)).toBe(simulator.log.entries.length);
    expect(count(seen, 200)).toBeGreaterThanOrEqual(48);
    // On a busy machine the database may not answer all of them in time.
    expect(count(seen, 402) + count(seen, 503)).toBe(200 - count(seen, 200));
    expect(count(seen, 402)).toBeGreaterThan(100);
    // What is left is spent by whoever asks next, on whichever node.
    await eventually(async () => {
      for (const { url } of started) await ask(url);
      expect(simulator.log.entries.length).toBe(50);
    });
    await eventually(async () => expect([stored(), spent()]).toEqual([50, 50]));
    for (const { url } of started) expect((await ask(url)).status).toBe(402);
  });

  it("know what was spent after all of them were killed", async () => {
    const nodes = await Promise.all([1, 2].map(() => startNode({ workers: 1, budget: "20usd/day" })));
    for (let call = 0; call < 8; call += 1) expect((await ask(nodes[call % 2]?.url ?? "")).status).toBe(200);
    for (const { gateway, place } of nodes) {
      const workers = place.workers();
      gateway.signal("SIGKILL");
      for (const { pid } of workers) kill(pid, "SIGKILL");
      await gateway.exited;
    }
    const again = await Promise.all(
      nodes.map(async ({ place }) => {
        const gateway = place.start();
        return { gateway, url: await gateway.ready() };
      }),
    );
    await eventually(async () => {
      for (const { url } of again) await ask(url);
      expect(simulator.log.entries.length).toBe(20);
    });
    for (const { url } of again) expect((await ask(url)).status).toBe(402);
    await eventually(async () => expect([stored(), spent()]).toEqual([20, 20]));
  });

  it.each(["refuse", "blackhole", "slow"] as const)(
    "serve on while the database can not be reached (%s), and lose no record",
    async (fault) => {
      const { url, gateway } = await startNode({ workers: 2, budget: "[{ limit: 5usd, period: day, soft: true }]" });
      expect((await ask(url)).status).toBe(200);
      await eventually(async () => expect(stored()).toBe(1));
      const breaks = {
        refuse: { kind: "refuse" },
        blackhole: { kind: "blackhole" },
        slow: { kind: "slow", delayMs: 2_000 },
      } as const;
      proxy.set(breaks[fault]);
      proxy.drop();
      const seen: Seen[] = [];
      for (let round = 0; round < 10; round += 1) {
        seen.push(...(await Promise.all(Array.from({ length: 10 }, () => ask(url)))));
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      expect(count(seen, 200)).toBe(100);
      const slowest = seen.map(({ ms }) => ms).toSorted((a, b) => a - b)[98] ?? 0;
      // Stated: a quarter of a second beyond the call itself; the rest is a busy test machine.
      expect(slowest).toBeLessThan(2_000);
      proxy.set({ kind: "pass" });
      await eventually(async () => expect(stored()).toBe(101));
      await eventually(async () => expect(gateway.stderr).toMatch(/every record again|counted with all nodes again/));
    },
  );

  it("start without the database, and bring it everything when it is there", async () => {
    proxy.set({ kind: "refuse" });
    const { url } = await startNode({ workers: 1, budget: "[{ limit: 5usd, period: day, soft: true }]" });
    expect((await ask(url)).status).toBe(200);
    proxy.set({ kind: "pass" });
    await eventually(async () => expect(stored()).toBe(1));
  });

  it("spend no more of a hard budget than they had been lent while the database is gone, and say so", async () => {
    const { url } = await startNode({ workers: 1, budget: "50usd/day" });
    expect((await ask(url)).status).toBe(200);
    proxy.set({ kind: "refuse" });
    proxy.drop();
    const seen: Seen[] = [];
    await eventually(async () => {
      const one = await ask(url);
      seen.push(one);
      expect(one).toMatchObject({ status: 503, code: "overloaded" });
    });
    expect(seen.every(({ status }) => status !== 401)).toBe(true);
    proxy.set({ kind: "pass" });
    await eventually(async () => expect((await ask(url)).status).toBe(200));
  });
});
