import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStoreForReading, storeFile } from "#control/store/sqlite";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, kill, Place, readiness } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({
    script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 120_000 } }],
  });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

const key = "an-inference-key-of-a-test-0001";

/** Every call costs a dollar, as the provider says; what it may cost before is the same. */
function configuration(workers: number): string {
  return `
server: { port: 0, workers: ${workers} }
providers:
  sim:
    kind: openai-compatible
    url: "${simulator.url}/v1"
    key: sk-e2e-000000000000
    models: { steady: { price: { input: 0, output: 0, request: 1usd } } }
routes:
  default: { targets: [sim/steady] }
teams: { web: {} }
keys:
  alice: { key: ${key}, team: web, budget: 5usd/day }
`;
}

/** Ended by the death of the gateway, or with a refusal. */
async function ask(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", user: "bob", messages: [{ role: "user", content: "Count." }] }),
  }).catch(() => undefined);
  return answer?.status ?? 0;
}

function rows(sql: string): readonly Readonly<Record<string, unknown>>[] {
  const opened = openStoreForReading(join(place.folder, ".hedgerow", storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  try {
    return opened.store.all(sql);
  } finally {
    opened.store.close();
  }
}

const calls = () => rows("SELECT decision, code, caller, team, end_user, cost_nano_usd, usage_estimated FROM calls");
const lost = {
  decision: "broken",
  code: "internal_error",
  caller: "alice",
  team: "web",
  end_user: "bob",
  cost_nano_usd: 1e9,
  usage_estimated: 1,
};
const openFiles = (): readonly string[] =>
  readdirSync(join(place.folder, ".hedgerow", "journal")).filter((file) => file.endsWith(".open"));

describe("calls under way in a worker that is killed", { timeout: 180_000 }, () => {
  it("are recorded once each, with what they may have cost, which stays counted", async () => {
    place.write(configuration(1));
    const gateway = place.start();
    const url = await gateway.ready();
    const asking = [ask(url), ask(url), ask(url)];
    await simulator.log.until((entries) => entries.length === 3);
    expect(openFiles()).toHaveLength(1);
    kill(place.workers()[0]?.pid, "SIGKILL");
    expect(await Promise.all(asking)).toEqual([0, 0, 0]);
    await gateway.logged("a worker died with calls under way");
    await eventually(async () => expect(calls()).toHaveLength(3));
    expect(calls()).toEqual([lost, lost, lost]);
    expect(openFiles()).toEqual([]);
    expect(rows("SELECT outcome, failure, cost_nano_usd FROM attempts")).toEqual(
      Array.from({ length: 3 }, () => ({ outcome: "broken", failure: "internal_error", cost_nano_usd: 1e9 })),
    );
    // Two of five dollars are left: of four calls two are sent, and two are refused at once.
    await eventually(async () => expect((await readiness(url)).body.workers.ready).toBe(1));
    const more = Array.from({ length: 4 }, () => ask(url));
    await simulator.log.until((entries) => entries.length >= 5);
    await eventually(async () => {
      const ended = await Promise.all(more.map((each) => Promise.race([each, Promise.resolve(-1)])));
      expect(ended.toSorted((a, b) => a - b)).toEqual([-1, -1, 402, 402]);
    });
    expect(simulator.log.entries).toHaveLength(5);
  });

  it("are recorded by the next supervisor where this one is killed as well, before it lets calls in", async () => {
    place.write(configuration(2));
    const first = place.start();
    const url = await first.ready();
    const asking = Array.from({ length: 4 }, () => ask(url));
    await simulator.log.until((entries) => entries.length === 4);
    const workers = place.workers();
    first.signal("SIGKILL");
    await first.exited;
    for (const { pid } of workers) kill(pid, "SIGKILL");
    await Promise.all(asking);
    const second = place.start();
    const next = await second.ready();
    expect(calls()).toEqual([lost, lost, lost, lost]);
    const more = [ask(next), ask(next)];
    expect(await Promise.race(more)).toBe(402);
    await simulator.log.until((entries) => entries.length === 5);
    await eventually(async () => expect(calls()).toHaveLength(5));
  });

  it("are left alone while their worker lives without its supervisor", async () => {
    place.write(configuration(1));
    const first = place.start();
    const url = await first.ready();
    const asking = ask(url);
    await simulator.log.until((entries) => entries.length === 1);
    const [orphan] = place.workers();
    first.signal("SIGKILL");
    await first.exited;
    const second = place.start();
    await second.ready();
    await second.logged("a worker of a dead supervisor is drained");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(calls()).toEqual([]);
    expect(openFiles()).toHaveLength(1);
    kill(orphan?.pid, "SIGKILL");
    expect(await asking).toBe(0);
    await eventually(async () => expect(calls()).toEqual([lost]));
  });
});
