import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { configurationFor, eventually, kill, Place, readiness, stream, type Seen } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one two" }, interChunkDelayMs: 5 } }] });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

/** Callers that ask again and again until told to stop. */
function load(url: string, callers = 20) {
  const seen: Seen[] = [];
  const stopping = new AbortController();
  const running = Array.from({ length: callers }, async () => {
    while (!stopping.signal.aborted) seen.push(await stream(url));
  });
  return {
    seen,
    async until(count: number): Promise<void> {
      await eventually(async () => expect(seen.length).toBeGreaterThanOrEqual(count));
    },
    async stop(): Promise<readonly Seen[]> {
      stopping.abort();
      await Promise.all(running);
      return seen;
    },
  };
}

function completeIds(seen: readonly Seen[]): readonly string[] {
  return seen.flatMap(({ kind, id }) => (kind === "complete" ? [id] : []));
}

describe("kill -9 of a worker", { timeout: 180_000 }, () => {
  it("costs its own calls in flight and nothing else: no acknowledged call is lost, and it is started again", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    const url = await gateway.ready();
    const traffic = load(url);
    for (let round = 0; round < 5; round += 1) {
      const before = traffic.seen.length;
      await traffic.until(before + 150);
      const workers = place.workers();
      kill(workers[round % workers.length]?.pid, "SIGKILL");
      await traffic.until(before + 200);
      await eventually(async () => expect((await readiness(url)).body.workers.ready).toBe(2));
    }
    const seen = await traffic.stop();
    expect(await gateway.stop()).toBe(0);
    const calls = place.calls();
    const acknowledged = completeIds(seen);
    expect(acknowledged.length).toBeGreaterThan(800);
    expect(acknowledged.filter((id) => calls.get(id) !== "answered")).toEqual([]);
    // Whoever was cut off had a call at the provider or none; what is recorded cannot be more than was asked for.
    expect(calls.size).toBeLessThanOrEqual(seen.length);
    expect(seen.length - acknowledged.length).toBeLessThanOrEqual(5 * 2 * 20);
    expect(gateway.stderr).toContain("a worker ended and is started again");
  });
});

describe("kill -9 of the supervisor", { timeout: 180_000 }, () => {
  it("leaves the workers serving; a new one takes over without a gap, and has every record", async () => {
    place.write(configurationFor(simulator));
    const first = place.start();
    const url = await first.ready();
    const port = new URL(url).port;
    const orphans = place.workers();
    const callers = 8;
    const traffic = load(url, callers);
    await traffic.until(50);
    first.signal("SIGKILL");
    await first.exited;
    const atDeath = traffic.seen.length;
    await traffic.until(atDeath + 100);
    // The supervisor is not on the path of a call: nobody sees its death.
    expect(traffic.seen.filter(({ kind }) => kind !== "complete")).toEqual([]);

    const second = place.start(["--port", port]);
    expect(await second.ready()).toBe(url);
    await second.logged("a worker of a dead supervisor is drained");
    await eventually(async () => {
      for (const { pid } of orphans) expect(() => process.kill(pid, 0)).toThrow();
    });
    await traffic.until(traffic.seen.length + 50);
    const seen = await traffic.stop();
    expect(await second.stop()).toBe(0);

    const calls = place.calls();
    const acknowledged = completeIds(seen);
    expect(acknowledged.filter((id) => calls.get(id) !== "answered")).toEqual([]);
    // A request that reaches an old worker on an open connection while it drains is told so; one that was just being
    // sent on a connection it closes is cut, before a byte of an answer. Once for each caller and old worker at most.
    const notServed = seen.filter(({ kind }) => kind !== "complete");
    for (const { kind, id, text } of notServed) {
      if (kind === "told") expect(text).toContain("draining");
      else expect({ kind, id, text }).toEqual({ kind: "cut", id: "", text: "" });
    }
    expect(notServed.length).toBeLessThanOrEqual(callers * orphans.length);
    expect(seen.length).toBeGreaterThan(200);
  });

  it("is taken over too where the old workers have ended meanwhile", async () => {
    place.write(configurationFor(simulator));
    const first = place.start();
    const url = await first.ready();
    const seen = await stream(url);
    first.signal("SIGKILL");
    await first.exited;
    for (const { pid } of place.workers()) kill(pid, "SIGKILL");
    const second = place.start();
    await second.ready();
    expect(await second.stop()).toBe(0);
    expect(place.calls().get(seen.id)).toBe("answered");
  });
});
