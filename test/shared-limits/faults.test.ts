import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DownMode } from "#control/config/shared-schema";
import type { Lent, Meter, Want } from "#domain/account";
import { Secret } from "#domain/secret";
import { openSharedLimits, type SharedLimits } from "#planes/open-shared-limits";
import { FaultProxy } from "../servers/fault-proxy.ts";
import { valkeyProgram, ValkeyServer } from "../servers/valkey.ts";

const requests = (limit: number): Meter => ({ id: "key:a rpm", account: "key:a", unit: "requests", limit });
const slots = (limit: number): Meter => ({ id: "key:a slots", account: "key:a", unit: "slots", limit });
const one = (meter: Meter): readonly Want[] => [{ meter, need: 1, like: 0 }];

/** Two questions of 50 ms, and what a busy machine adds. */
const boundMs = 2_000;

interface Fault {
  readonly begin: (world: World) => Promise<void> | void;
  readonly end: (world: World) => Promise<void> | void;
}

const faults: Readonly<Record<string, Fault>> = {
  "a server that is killed": {
    begin: (world) => world.server.stop(),
    end: async (world) => void (world.server = await world.server.restart()),
  },
  "a server that stands still": { begin: (world) => world.server.pause(), end: (world) => world.server.resume() },
  "a network that swallows everything": {
    begin: ({ proxy }) => proxy.set({ kind: "blackhole" }),
    end: ({ proxy }) => proxy.set({ kind: "pass" }),
  },
  "a network that is slow": {
    begin: ({ proxy }) => proxy.set({ kind: "slow", delayMs: 150 }),
    end: ({ proxy }) => proxy.set({ kind: "pass" }),
  },
  "connections that are refused": {
    begin({ proxy }) {
      proxy.set({ kind: "refuse" });
      proxy.drop();
    },
    end: ({ proxy }) => proxy.set({ kind: "pass" }),
  },
  "connections that end in the middle of an answer": {
    begin: ({ proxy }) => proxy.set({ kind: "cut", afterBytes: 3 }),
    end: ({ proxy }) => proxy.set({ kind: "pass" }),
  },
};

interface World {
  server: ValkeyServer;
  readonly proxy: FaultProxy;
}

let world: World;
let open: SharedLimits[];
const said: string[] = [];

async function openNode(down: DownMode, port = world.proxy.port): Promise<SharedLimits> {
  const settings = { url: new Secret(`redis://:secret-word@127.0.0.1:${port}`), prefix: "t", down };
  const log = {
    info: (message: string, fields?: object) => void said.push(message + JSON.stringify(fields)),
    warn: (message: string, fields?: object) => void said.push(message + JSON.stringify(fields)),
  };
  const limits = await openSharedLimits(settings, { workers: 1, log });
  if (limits === undefined) throw new Error("it is not open");
  open.push(limits);
  return limits;
}

async function borrow({ source }: SharedLimits, wants: readonly Want[]): Promise<Lent> {
  const beganMs = performance.now();
  const lent = await source.borrow("w", wants);
  expect(performance.now() - beganMs).toBeLessThan(boundMs);
  return lent;
}

function isUp(limits: SharedLimits): boolean {
  return limits.metrics().find(({ name }) => name === "hedgerow_shared_up")?.series[0]?.values[0] === 1;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const untilMs = performance.now() + 40_000; performance.now() < untilMs;) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} did not come: ${said.join("\n")}`);
}

describe.skipIf(valkeyProgram() === undefined)("without the shared server", { timeout: 120_000 }, () => {
  beforeEach(async () => {
    const server = await ValkeyServer.start({ password: "secret-word" });
    world = { server, proxy: await FaultProxy.start(server.port) };
    open = [];
    said.length = 0;
  }, 90_000);

  afterEach(async () => {
    // What stands still would not end.
    world.server.resume();
    await Promise.all(open.map((limits) => limits.close()));
    await world.proxy.close();
    await world.server.stop();
    expect(said.join("\n")).not.toContain("secret-word");
  });

  const each = Object.keys(faults).flatMap((fault) =>
    (["deny", "local-share", "allow"] as const).map((down) => [fault, down] as const),
  );

  it.each(each)("%s in the middle of work: %s", async (name, down) => {
    const limits = await openNode(down);
    const fault = faults[name] as Fault;
    await until(() => isUp(limits), "the server");
    expect(await borrow(limits, one(requests(4)))).toMatchObject({ kind: "lent" });
    await fault.begin(world);
    const kinds: string[] = [];
    await until(async () => {
      kinds.push((await borrow(limits, one(requests(4)))).kind);
      return !isUp(limits);
    }, "the loss");
    for (let call = 0; call < 6; call += 1) kinds.push((await borrow(limits, one(requests(4)))).kind);
    // One was lent before; what the server still said in time was counted there.
    const lent = kinds.filter((kind) => kind === "lent").length;
    if (down === "deny") expect(kinds.at(-1)).toBe("unreachable");
    if (down === "local-share") expect([kinds.at(-1), lent <= 3]).toEqual(["denied", true]);
    if (down === "allow") expect(kinds.at(-1)).toBe("lent");
    expect(said.filter((line) => line.startsWith("limits are not counted"))).toHaveLength(1);
    await fault.end(world);
    await until(() => isUp(limits), "the return");
    const after = await until(async () => {
      const answer = await borrow(limits, one(requests(4)));
      // What was used meanwhile is counted there now. A server that was killed has forgotten what was before.
      return down === "deny" ? answer.kind === "lent" : answer.kind !== "unreachable";
    }, "an answer").then(() => borrow(limits, one(requests(4))));
    if (down === "allow") expect(after).toMatchObject({ kind: "denied" });
  });

  it.each(["local-share", "deny", "allow"] as const)("from the start: %s", async (down) => {
    for (const fault of [faults["a network that swallows everything"], faults["connections that are refused"]]) {
      await fault?.begin(world);
      const limits = await openNode(down);
      const kinds = [];
      for (let call = 0; call < 3; call += 1) kinds.push((await borrow(limits, one(requests(2)))).kind);
      const [lent, denied, unreachable] = ["lent", "denied", "unreachable"];
      const expected = { deny: [unreachable, unreachable, unreachable], allow: [lent, lent, lent] };
      expect(kinds).toEqual(down === "local-share" ? [lent, lent, denied] : expected[down]);
      await fault?.end(world);
      await until(() => isUp(limits), "the server");
      await world.server.command("FLUSHALL");
    }
  });

  it("a loss of all it knew: slots in use are told again, and rates begin anew", async () => {
    const [here, there] = [await openNode("deny"), await openNode("deny")];
    for (const limits of [here, here, there]) {
      await until(async () => (await borrow(limits, one(slots(4)))).kind === "lent", "a slot");
    }
    await world.server.command("FLUSHALL");
    // Whoever is not known tells what it holds before it is lent anything; the others follow with their signs of life.
    await until(async () => (await borrow(here, [])).kind === "lent", "the return");
    const [heldHere, heldThere] = [2, 1];
    await until(async () => {
      const answer = await borrow(here, [{ meter: slots(4), need: 2, like: 0 }]);
      if (answer.kind === "lent") here.source.giveBack("w", [{ meter: slots(4), back: 2, spent: 0 }]);
      return answer.kind === "denied" && answer.remaining === 4 - heldHere - heldThere;
    }, "what the other holds");
  });

  it("each of two nodes holds to a half, until both count together again", async () => {
    const [here, there] = [await openNode("local-share"), await openNode("local-share")];
    // How many there are is known from the next sign of life on.
    await until(() => nodesOf(here) === 2 && nodesOf(there) === 2, "the other node");
    world.proxy.set({ kind: "refuse" });
    world.proxy.drop();
    for (const limits of [here, there]) {
      await until(async () => {
        await borrow(limits, []);
        return !isUp(limits);
      }, "the loss");
      const kinds = [];
      for (let call = 0; call < 4; call += 1) kinds.push((await borrow(limits, one(requests(6)))).kind);
      expect(kinds).toEqual(["lent", "lent", "lent", "denied"]);
    }
    world.proxy.set({ kind: "pass" });
    await until(() => isUp(here) && isUp(there), "the return");
    // Six of six were used, three at each.
    await until(async () => (await borrow(here, one(requests(6)))).kind === "denied", "what both used");
    await until(async () => (await borrow(there, one(requests(7)))).kind === "lent", "the seventh");
  });

  it("what it lends too late goes back", async () => {
    const limits = await openNode("local-share");
    await until(() => isUp(limits), "the server");
    world.proxy.set({ kind: "slow", delayMs: 150 });
    await until(async () => {
      const answer = await borrow(limits, [{ meter: slots(10), need: 4, like: 0 }]);
      if (answer.kind === "lent") limits.source.giveBack("w", [{ meter: slots(10), back: 4, spent: 0 }]);
      return !isUp(limits);
    }, "the loss");
    world.proxy.set({ kind: "pass" });
    await until(() => isUp(limits), "the return");
    await until(async () => (await borrow(limits, [{ meter: slots(10), need: 10, like: 0 }])).kind === "lent", "all");
  });
});

function nodesOf(limits: SharedLimits): number {
  return limits.metrics().find(({ name }) => name === "hedgerow_shared_nodes")?.series[0]?.values[0] ?? 0;
}
