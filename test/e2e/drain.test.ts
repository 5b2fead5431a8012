import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { configurationFor, eventually, kill, Place, readiness, stream } from "./gateway-process.ts";

const streams = 100;
/** A busy machine may take so long for what takes a second on an idle one. */
const patienceMs = 45_000;

let place: Place;
let simulator: Simulator;

beforeEach(() => {
  place = new Place();
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

/** Every answer takes about so long, word after word. */
async function simulateAnswersOf(seconds: number): Promise<void> {
  const chunks = Array.from({ length: 10 }, (_, index) => `word${index} `);
  simulator = await startSimulator({
    script: [{ behaviour: { answer: { chunks }, interChunkDelayMs: seconds * 100 } }],
  });
}

async function startWithStreams(drain: string) {
  place.write(configurationFor(simulator, { drain }));
  const gateway = place.start();
  const url = await gateway.ready();
  const seen = Array.from({ length: streams }, () => stream(url));
  const haveAll = (entries: readonly { readonly headAtMs?: number }[]) =>
    entries.filter((entry) => entry.headAtMs !== undefined).length === streams;
  await simulator.log.until(haveAll, patienceMs);
  return { gateway, url, seen };
}

function kinds(seen: readonly { readonly kind: string }[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...new Set(seen.map(({ kind }) => kind))].map((kind) => [kind, seen.filter((each) => each.kind === kind).length]),
  );
}

describe("a drain", { timeout: 180_000 }, () => {
  it("lets 100 live streams finish, takes no new ones, records all and exits with 0", async () => {
    await simulateAnswersOf(3);
    const { gateway, url, seen } = await startWithStreams("120s");
    const stoppedAt = performance.now();
    gateway.signal("SIGTERM");
    await gateway.logged("stopping");
    await eventually(async () => {
      await expect(fetch(`${url}/readyz`, { headers: { connection: "close" } })).rejects.toThrow();
    });
    const ended = await Promise.all(seen);
    expect(kinds(ended)).toEqual({ complete: streams });
    expect(await gateway.exited).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(patienceMs);
    const calls = place.calls();
    for (const { id } of ended) expect(calls.get(id)).toBe("answered");
    expect(simulator.log.entries).toHaveLength(streams);
  });

  it("tells those that cannot finish in time, in their own language and without a completion", async () => {
    await simulateAnswersOf(300);
    const { gateway, seen } = await startWithStreams("1s");
    gateway.signal("SIGTERM");
    const ended = await Promise.all(seen);
    expect(kinds(ended)).toEqual({ told: streams });
    for (const { text } of ended) {
      expect(text).toContain("draining");
      expect(text).not.toContain("[DONE]");
    }
    expect(await gateway.exited).toBe(0);
    const calls = place.calls();
    for (const { id } of ended) expect(calls.has(id)).toBe(true);
  });

  it("is cut short by a second signal", async () => {
    await simulateAnswersOf(300);
    const { gateway, seen } = await startWithStreams("300s");
    gateway.signal("SIGINT");
    await gateway.logged("stopping");
    // A person's second Ctrl-C; one that comes at once is the echo of the first.
    await new Promise((resolve) => setTimeout(resolve, 700));
    gateway.signal("SIGINT");
    const secondAt = performance.now();
    expect(kinds(await Promise.all(seen))).toEqual({ told: streams });
    expect(await gateway.exited).toBe(0);
    expect(performance.now() - secondAt).toBeLessThan(patienceMs);
  });

  it("is not cut short by the same wish heard twice, from a service manager and from a process between", async () => {
    await simulateAnswersOf(2);
    const { gateway, seen } = await startWithStreams("30s");
    // Two kinds, because the kernel keeps only one of the same kind, and at once: what comes later is a second wish.
    gateway.signal("SIGTERM");
    gateway.signal("SIGINT");
    await gateway.logged("stopping");
    expect(kinds(await Promise.all(seen))).toEqual({ complete: streams });
    expect(await gateway.exited).toBe(0);
  });

  it("ends with 1 when a worker dies on the way, because its calls were cut", async () => {
    await simulateAnswersOf(8);
    const { gateway, seen } = await startWithStreams("30s");
    gateway.signal("SIGTERM");
    await gateway.logged("stopping");
    kill(place.workers()[0]?.pid, "SIGKILL");
    const { complete = 0, cut = 0 } = kinds(await Promise.all(seen));
    expect(complete + cut).toBe(streams);
    expect(await gateway.exited).toBe(1);
    expect([...place.calls().values()].filter((decision) => decision === "answered").length).toBe(complete);
  });

  it("of one worker alone costs no call: its own finish, the others serve, and it is started again", async () => {
    await simulateAnswersOf(3);
    const { gateway, url, seen } = await startWithStreams("30s");
    const [first] = place.workers();
    kill(first?.pid, "SIGTERM");
    await eventually(async () => {
      expect((await readiness(url)).body.workers.ready).toBe(1);
    });
    const during = await Promise.all(Array.from({ length: 10 }, () => stream(url)));
    expect(kinds(await Promise.all(seen))).toEqual({ complete: streams });
    expect(kinds(during)).toEqual({ complete: 10 });
    await gateway.logged("started again");
    await eventually(async () => {
      expect((await readiness(url)).body.workers.ready).toBe(2);
    });
    expect(place.workers().some(({ pid }) => pid === first?.pid)).toBe(false);
  });
});
