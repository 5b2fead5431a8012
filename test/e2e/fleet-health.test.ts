import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import { openStore, storeFile } from "#control/store/sqlite";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, kill, Place, readiness } from "./gateway-process.ts";
import { attemptRecord, callRecord } from "../world/sample-record.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({
    script: [{ match: { model: "limited" }, behaviour: { status: 429, headers: { "retry-after": "300" } } }],
  });
  place.write(`
server: { port: 0, workers: 3 }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 }
routes:
  default: { targets: [sim/limited, sim/fast] }
`);
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

interface Health {
  readonly workers: number;
  readonly scopes: readonly { readonly name: string; readonly state: string; readonly until?: string }[];
}

async function call(url: string): Promise<void> {
  const body = { model: "default", messages: [{ role: "user", content: "hi" }] };
  const headers = { "content-type": "application/json", connection: "close" };
  const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
  await answer.text();
}

async function healthAt(url: string): Promise<Health> {
  const answer = await fetch(`${url}/admin/api/health`, { headers: { connection: "close" } });
  return (await answer.json()) as Health;
}

const askedLimited = (): number => simulator.log.entries.filter(({ model }) => model === "limited").length;

/** As if a gateway had been here yesterday, and found one target failing all day. */
function recordYesterday(target: string): void {
  mkdirSync(join(place.folder, ".hedgerow"), { mode: 0o700 });
  const opened = openStore(join(place.folder, ".hedgerow", storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  const at = new Date(Date.now() - 86_400_000).toISOString();
  const [provider = "", model = ""] = target.split("/");
  const failed = attemptRecord({ target, provider, model, outcome: "failed", failure: "upstream_failed" });
  const records = Array.from({ length: 50 }, (_, n) => callRecord(`req_${n}`, { at, attempts: [failed] }));
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  opened.store.close();
}

describe("the workers of a node", { timeout: 180_000 }, () => {
  it("learn from one another who waits, those that start later too", async () => {
    const url = await place.start().ready();
    await call(url);
    expect(askedLimited()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (let n = 0; n < 24; n += 1) await call(url);
    expect(askedLimited()).toBe(1);
    const told = await healthAt(url);
    expect(told).toMatchObject({ workers: 3, scopes: [{ name: "credential sim#1 limited", state: "cooling" }, {}] });

    for (const { pid } of place.workers()) kill(pid, "SIGKILL");
    await eventually(async () => {
      const { body } = await readiness(url);
      expect(body).toMatchObject({ workers: { ready: 3 } });
    }, 60_000);
    for (let n = 0; n < 24; n += 1) await call(url);
    expect(askedLimited()).toBe(1);
    const later = await healthAt(url);
    const untilOf = ({ scopes }: Health): number => Date.parse(scopes[0]?.until ?? "");
    expect(Math.abs(untilOf(later) - untilOf(told))).toBeLessThan(5_000);
  });

  it("know from the records who usually fails, before they have asked anybody", async () => {
    recordYesterday("sim/shaky");
    place.write(`
server: { port: 0, workers: 2 }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 }
routes:
  default: { targets: [sim/shaky, sim/fast], order: success }
`);
    const url = await place.start().ready();
    for (let n = 0; n < 8; n += 1) await call(url);
    expect(new Set(simulator.log.entries.map(({ model }) => model))).toEqual(new Set(["fast"]));
  });
});
