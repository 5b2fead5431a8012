import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storeFile } from "#control/store/sqlite";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, kill, Place, readiness } from "./gateway-process.ts";

const token = "admin-token-0123456789abcdef";
/** What is promised. */
const revokedWithinMs = 2_000;
/** Connections of their own, so that both workers are asked. */
const knocks = 24;

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  const chunks = Array.from({ length: 20 }, (_, index) => `word${index} `);
  simulator = await startSimulator({
    script: [
      { match: { model: "slow" }, behaviour: { answer: { chunks }, interChunkDelayMs: 200 } },
      { behaviour: { answer: { text: "yes" } } },
    ],
  });
  place.write(`
server: { port: 0, workers: 2, admin: { token: ${token} } }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 }
routes:
  default: { targets: [sim/quick] }
  slow: { targets: [sim/slow] }
`);
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

async function admin(url: string, request: `${string} ${string}`, body?: object) {
  const [method = "", path = ""] = request.split(" ");
  const answer = await fetch(`${url}/admin/api/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      connection: "close",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as { readonly id: string; readonly key: string } };
}

/** Each on a connection of its own; how they were answered. */
async function knock(url: string, key: string, times = knocks): Promise<readonly number[]> {
  const statuses = await Promise.all(
    Array.from({ length: times }, async () => {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", connection: "close" },
        body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "x" }] }),
      });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  return statuses.toSorted((a, b) => a - b);
}

const all = (status: number) => Array.from({ length: knocks }, () => status);

/** How long until nobody lets the key in any more, ms. */
async function refusedAfter(url: string, key: string, sinceMs: number): Promise<number> {
  for (;;) {
    const askedAtMs = performance.now();
    const statuses = await knock(url, key);
    if (statuses.every((status) => status === 401)) return askedAtMs - sinceMs;
    if (performance.now() - sinceMs > 30_000) throw new Error(`still let in: ${statuses.join(" ")}`);
  }
}

/** How long a key is let in after somebody asked to revoke it, ms. */
async function revocationMs(url: string, { id, key }: { readonly id: string; readonly key: string }): Promise<number> {
  const revokedAtMs = performance.now();
  expect((await admin(url, `DELETE keys/${id}`)).status).toBe(200);
  return refusedAfter(url, key, revokedAtMs);
}

describe("an issued key", { timeout: 180_000 }, () => {
  it("is known to all workers when it is told, refused by all soon after it is revoked, and known after a restart", async () => {
    const gateway = place.start();
    const url = await gateway.ready();
    const made = await admin(url, "POST keys", { name: "app" });
    expect(made.status).toBe(201);
    await eventually(async () => expect(await knock(url, made.body.key)).toEqual(all(200)));

    const other = (await admin(url, "POST keys", { name: "other" })).body;
    const slow = fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${other.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "slow", stream: true, messages: [{ role: "user", content: "x" }] }),
    });
    expect((await slow).status).toBe(200);
    const tookMs = [await revocationMs(url, other)];
    // It was under way when the key was revoked.
    expect(await (await slow).text()).toContain("data: [DONE]");
    // A machine that is busy with other things may be slow once.
    while (Math.min(...tookMs) >= revokedWithinMs && tookMs.length < 3) {
      tookMs.push(await revocationMs(url, (await admin(url, "POST keys", { name: "other" })).body));
    }
    expect(Math.min(...tookMs)).toBeLessThan(revokedWithinMs);
    expect(await knock(url, made.body.key)).toEqual(all(200));

    expect(await gateway.stop()).toBe(0);
    const again = place.start();
    const url2 = await again.ready();
    expect(await knock(url2, made.body.key)).toEqual(all(200));
    expect(await knock(url2, other.key)).toEqual(all(401));
    expect(gateway.stderr + again.stderr).not.toContain(made.body.key);
  });

  it("is revoked beside the gateway by the command, and has two secrets while it is rotated", async () => {
    const gateway = place.start();
    const url = await gateway.ready();
    const issued = await place.command(["keys", "create", "--name", "app", "--json"]);
    const { key } = JSON.parse(issued.stdout) as { readonly key: string };
    await eventually(async () => expect(await knock(url, key)).toEqual(all(200)));
    const rotated = JSON.parse(
      (await place.command(["keys", "rotate", "app", "--overlap", "1h", "--json"])).stdout,
    ) as {
      readonly key: string;
    };
    await eventually(async () => expect(await knock(url, rotated.key)).toEqual(all(200)));
    expect(await knock(url, key)).toEqual(all(200));
    const now = JSON.parse((await place.command(["keys", "rotate", "app", "--overlap", "0s", "--json"])).stdout) as {
      readonly key: string;
    };
    await refusedAfter(url, key, performance.now());
    await refusedAfter(url, rotated.key, performance.now());
    expect(await knock(url, now.key)).toEqual(all(200));
    const revoked = await place.command(["keys", "revoke", "app"]);
    expect(await revoked.exited).toBe(0);
    await refusedAfter(url, now.key, performance.now());
  });

  it("works on where the store is locked, and where the supervisor is gone", async () => {
    const gateway = place.start();
    const url = await gateway.ready();
    const { key, id } = (await admin(url, "POST keys", { name: "app" })).body;
    await eventually(async () => expect(await knock(url, key)).toEqual(all(200)));

    const locked = new DatabaseSync(join(place.folder, ".hedgerow", storeFile));
    locked.exec("BEGIN EXCLUSIVE");
    expect(await knock(url, key)).toEqual(all(200));
    expect((await admin(url, `DELETE keys/${id}`)).status).toBe(503);
    expect(await knock(url, key)).toEqual(all(200));
    locked.exec("ROLLBACK");
    locked.close();

    kill(gateway.pid, "SIGKILL");
    await gateway.exited;
    expect(await knock(url, key)).toEqual(all(200));
    expect((await admin(url, "POST keys", { name: "late" })).status).toBe(503);
  });

  it("is all that a gateway needs that other machines reach; without any it does not start", async () => {
    place.write(`
server: { host: 0.0.0.0, port: 0, workers: 1 }
providers: { sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000 } }
routes: { default: { targets: [sim/quick] } }
`);
    const refused = place.start();
    expect(await refused.exited).toBe(1);
    expect(refused.stderr).toMatch(/"0\.0\.0\.0" can be reached from other machines.*hedgerow keys create/su);
    const { key } = JSON.parse((await place.command(["keys", "create", "--name", "app", "--json"])).stdout) as {
      readonly key: string;
    };
    const url = (await place.start().ready()).replace("0.0.0.0", "127.0.0.1");
    expect(await knock(url, key, 1)).toEqual([200]);
    expect(await knock(url, "hr_nobody", 1)).toEqual([401]);
  });

  it("has limits of its own, which a later key of its name does not inherit", async () => {
    const gateway = place.start();
    const url = await gateway.ready();
    const limited = { name: "app", limits: { rpm: 5 } };
    const first = (await admin(url, "POST keys", limited)).body;
    await eventually(async () => expect(await knock(url, first.key, 1)).toEqual([200]));
    const statuses = await knock(url, first.key, 12);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(4);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(8);
    await admin(url, `DELETE keys/${first.id}`);
    const second = (await admin(url, "POST keys", limited)).body;
    await eventually(async () => expect(await knock(url, second.key, 1)).toEqual([200]));
    expect((await readiness(url)).status).toBe(200);
  });
});
