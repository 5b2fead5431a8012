import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { Place } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({
    script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 150 } }],
  });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

const secretOf = (name: string): string => `an-inference-key-of-${name}-0001`;

interface Bounds {
  readonly ofRoute?: string;
  readonly ofProvider?: string;
  readonly targets?: string;
}

function configuration({ ofRoute = "", ofProvider = "", targets = "sim/steady" }: Bounds): string {
  const provider = `kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000`;
  return `
server: { port: 0, workers: 1 }
providers:
  sim: { ${provider}${ofProvider} }
  other: { ${provider} }
routes:
  default: { targets: [${targets}]${ofRoute} }
keys:
  app: { key: ${secretOf("app")} }
  batch: { key: ${secretOf("batch")}, priority: low }
`;
}

async function ask(url: string, name: string, signal?: AbortSignal) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secretOf(name)}` },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }] }),
    ...(signal === undefined ? {} : { signal }),
  });
  await answer.text();
  return {
    status: answer.status,
    provider: answer.headers.get("x-hedgerow-provider"),
    timing: answer.headers.get("server-timing") ?? "",
    retryAfter: answer.headers.get("retry-after"),
  };
}

describe("calls that wait for a place", { timeout: 120_000 }, () => {
  it("are all served in turn where the queue has room, and say how long they waited", async () => {
    place.write(configuration({ ofRoute: ", limits: { concurrency: 2, queue: { wait: 60s } }" }));
    const url = await place.start().ready();
    const seen = await Promise.all(Array.from({ length: 12 }, () => ask(url, "app")));
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200));
    expect(seen.filter(({ timing }) => /queue;dur=\d/u.test(timing)).length).toBeGreaterThan(0);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/hedgerow_queued_calls_total\{outcome="served"\} \d+\n/u);
    expect(metrics).toContain("hedgerow_queue_waiting 0\n");
  });

  it("are refused beyond the bound with the time to come back, the low class before others", async () => {
    place.write(configuration({ ofRoute: ", limits: { concurrency: 1, queue: { wait: 60s, most: 4 } }" }));
    const url = await place.start().ready();
    const low = Array.from({ length: 10 }, () => ask(url, "batch"));
    const normal = Array.from({ length: 4 }, () => ask(url, "app"));
    expect((await Promise.all(normal)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = (await Promise.all(low)).filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.retryAfter).toBe("1");
  });

  it("go to another target first, and wait for a provider's place where nobody else can be asked", async () => {
    const ofProvider = ", limits: { concurrency: 1, queue: { wait: 60s } }";
    place.write(configuration({ ofProvider, targets: "sim/steady, other/steady" }));
    const url = await place.start().ready();
    const elsewhere = await Promise.all(Array.from({ length: 5 }, () => ask(url, "app")));
    expect(elsewhere.filter(({ provider }) => provider === "other").length).toBeGreaterThan(0);
    expect(elsewhere.filter(({ timing }) => timing.includes("queue"))).toEqual([]);
    const alone = new Place();
    try {
      alone.write(configuration({ ofProvider }));
      const lone = await alone.start().ready();
      const seen = await Promise.all(Array.from({ length: 5 }, () => ask(lone, "app")));
      expect(seen.map(({ status, provider }) => [status, provider])).toEqual(seen.map(() => [200, "sim"]));
      expect(seen.filter(({ timing }) => timing.includes("queue;dur=")).length).toBeGreaterThan(0);
    } finally {
      await alone.clear();
    }
  });

  it("leave with their client, and their place goes to the next", async () => {
    place.write(configuration({ ofRoute: ", limits: { concurrency: 1, queue: { wait: 60s } }" }));
    const url = await place.start().ready();
    const leaving = new AbortController();
    const first = ask(url, "app");
    const left = Array.from({ length: 5 }, () => ask(url, "app", leaving.signal).catch(() => undefined));
    await first;
    leaving.abort();
    await Promise.all(left);
    expect(await ask(url, "app")).toMatchObject({ status: 200 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/hedgerow_queued_calls_total\{outcome="gone"\} [1-5]\n/u);
    expect(metrics).toContain("hedgerow_queue_waiting 0\n");
  });
});
