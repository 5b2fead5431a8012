import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, kill, Place } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 30 } }] });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

const key = "an-inference-key-of-a-test-0001";

interface Bounds {
  readonly workers: number;
  readonly key: string;
  readonly more?: string;
}

/** Every call costs a dollar. */
function configuration({ workers, key: ofKey, more = "" }: Bounds): string {
  return `
server: { port: 0, workers: ${workers} }
providers:
  sim:
    kind: openai-compatible
    url: "${simulator.url}/v1"
    key: sk-e2e-000000000000
    models: { steady: { price: { input: 0, output: 0, request: 1usd } } }
routes:
  default: { targets: [sim/steady]${more} }
keys:
  alice: { key: ${key}, ${ofKey} }
`;
}

interface Seen {
  readonly status: number;
  readonly code?: string;
  readonly bound?: { readonly account: string; readonly remaining: number; readonly resetAt?: string };
  readonly headers: Headers;
}

async function ask(url: string, more: object = {}): Promise<Seen> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }], ...more }),
  }).catch(() => undefined);
  // Its connection went with the worker.
  if (answer === undefined) return { status: 0, headers: new Headers() };
  const body = (await answer.json()) as { readonly error?: { readonly metadata: Omit<Seen, "status" | "headers"> } };
  return { status: answer.status, headers: answer.headers, ...body.error?.metadata };
}

function count(seen: readonly Seen[], status: number): number {
  return seen.filter((each) => each.status === status).length;
}

describe("a budget", { timeout: 180_000 }, () => {
  it.each([1, 2, 4])("of 50 calls lets exactly 50 of 200 at once through, on %d workers", async (workers) => {
    place.write(configuration({ workers, key: "budget: 50usd/day", more: ", budget: 80usd/total" }));
    const url = await place.start().ready();
    const seen = await Promise.all(Array.from({ length: 200 }, () => ask(url)));
    expect([count(seen, 200), count(seen, 402)]).toEqual([50, 150]);
    expect(simulator.log.entries).toHaveLength(50);
    const refused = seen.find(({ status }) => status === 402);
    expect(refused).toMatchObject({ code: "budget_exceeded", bound: { account: "key:alice", limit: 50e9 } });
    expect(refused?.bound?.remaining).toBeLessThan(1e9);
    expect(Date.parse(refused?.bound?.resetAt ?? "")).toBeGreaterThan(Date.now());
    expect(refused?.headers.get("x-should-retry")).toBe("false");
  });

  it("is spent after a restart as it was before, and after a kill of everything", async () => {
    place.write(configuration({ workers: 2, key: "budget: { limit: 10usd, period: day, alertAt: [40%] }" }));
    const first = place.start();
    const firstUrl = await first.ready();
    for (let call = 0; call < 4; call += 1) expect((await ask(firstUrl)).status).toBe(200);
    expect(await first.stop()).toBe(0);
    expect(first.stderr).toMatch(/a budget has reached 40 %.*key:alice/);
    const second = place.start();
    const secondUrl = await second.ready();
    for (let call = 0; call < 3; call += 1) expect((await ask(secondUrl)).status).toBe(200);
    expect(second.stderr).not.toContain("a budget has reached");
    const workers = place.workers();
    second.signal("SIGKILL");
    for (const { pid } of workers) kill(pid, "SIGKILL");
    await second.exited;
    const third = await place.start().ready();
    const seen = await Promise.all(Array.from({ length: 10 }, () => ask(third)));
    expect(count(seen, 200)).toBe(3);
  });

  it("counts what a killed worker recorded and had not reported, and frees what it had not spent", async () => {
    place.write(configuration({ workers: 4, key: "budget: 40usd/day" }));
    const gateway = place.start();
    const url = await gateway.ready();
    // Of four, three die one after another: the next round waits for nobody to be started again.
    for (const { pid } of place.workers().slice(0, 3)) {
      await Promise.all(Array.from({ length: 8 }, () => ask(url)));
      kill(pid, "SIGKILL");
    }
    await gateway.until(
      () => gateway.stderr.split("a worker ended and is started again").length > 3,
      "the end of three workers",
    );
    // What the dead had counts as spent until their journals are read, a second at most.
    await eventually(async () => {
      for (;;) {
        const { status } = await ask(url);
        if (status === 402) break;
      }
      expect(simulator.log.entries.length).toBe(40);
    });
    expect((await ask(url)).status).toBe(402);
  });

  it("that is soft refuses nobody, and one that nobody could pay from is said so", async () => {
    place.write(configuration({ workers: 1, key: "budget: [{ limit: 1usd, period: day, soft: true }, 0.5usd/hour]" }));
    const url = await place.start().ready();
    expect(await ask(url)).toMatchObject({ status: 402, bound: { account: "key:alice" } });
    expect(simulator.log.entries).toHaveLength(0);
  });
});

describe("a limit", { timeout: 180_000 }, () => {
  it("on requests a minute refuses with when there is room again, over workers", async () => {
    place.write(configuration({ workers: 2, key: "limits: { rpm: 20 }" }));
    const url = await place.start().ready();
    const seen = await Promise.all(Array.from({ length: 60 }, () => ask(url)));
    expect([count(seen, 200), count(seen, 429)]).toEqual([20, 40]);
    const refused = seen.find(({ status }) => status === 429);
    expect(refused).toMatchObject({
      code: "rate_limited",
      bound: { account: "key:alice", unit: "requests", limit: 20 },
    });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(30);
    expect(refused?.headers.get("x-ratelimit-limit-requests")).toBe("20");
    expect(refused?.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    const served = seen.find(({ status }) => status === 200);
    expect(served?.headers.get("x-ratelimit-limit-requests")).toBe("20");
    expect(Number(served?.headers.get("x-ratelimit-remaining-requests"))).toBeLessThan(20);
  });

  it("on calls at once is free again when they end, also with their client or their worker", async () => {
    place.write(configuration({ workers: 2, key: "limits: { concurrency: 5 }" }));
    const url = await place.start().ready();
    for (let round = 0; round < 3; round += 1) {
      const seen = await Promise.all(Array.from({ length: 30 }, () => ask(url)));
      expect(count(seen, 200)).toBeGreaterThanOrEqual(5);
      expect(count(seen, 200) + count(seen, 429)).toBe(30);
    }
    kill(place.workers()[0]?.pid, "SIGKILL");
    await eventually(async () => {
      const seen = await Promise.all(Array.from({ length: 5 }, () => ask(url)));
      expect(count(seen, 200)).toBe(5);
    });
  });

  it("on a route holds for all keys, and a provider's sends calls elsewhere", async () => {
    place.write(
      configuration({ workers: 1, key: "limits: { rpm: 100 }", more: ", limits: { rpm: 3 }" }).replace(
        "    key: sk-e2e",
        "    limits: { rpm: 2 }\n    key: sk-e2e",
      ),
    );
    const url = await place.start().ready();
    const seen = [await ask(url), await ask(url), await ask(url), await ask(url)];
    expect(seen.map(({ status, code }) => [status, code])).toEqual([
      [200, undefined],
      [200, undefined],
      [503, "no_capacity"],
      [429, "rate_limited"],
    ]);
  });
});
