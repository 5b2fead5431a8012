import type { Charge, Meter, Taken } from "#domain/account";
import { openSqlFile, type Sql, type SqlStore } from "#control/store/sql";
import { VirtualClock } from "#simulation/virtual-clock";
import { Chance } from "../simulation-world/chance.ts";
import { Bounds } from "./bounds.ts";
import { Node } from "./node.ts";
import type { Metered, Worker } from "./worker.ts";

export interface LendingRun {
  readonly seed: number;
  readonly calls: number;
  readonly crashes: number;
  readonly spent: number;
  readonly problems: readonly string[];
}

/** The database that nodes share, now and then out of reach, slow, or silent about what it did. */
class Database {
  readonly store: SqlStore;
  readonly #clock: VirtualClock;
  readonly #chance: Chance;
  state: "well" | "gone" | "silent" | "hangs" = "well";

  constructor(clock: VirtualClock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
    const opened = openSqlFile(":memory:");
    if (opened.kind === "refused") throw new Error(opened.message);
    this.store = opened.store;
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void this.#clock.timer(ms, resolve));
    const { state } = this;
    if (state === "gone") throw new Error("no connection");
    if (state === "hangs") await wait(this.#chance.whole(300, 3_000));
    await wait(this.#chance.whole(0, 4));
    const result = await this.store.transaction(work);
    await wait(this.#chance.whole(0, 4));
    if (state === "silent") throw new Error("the connection was lost");
    return result;
  }
}

/** Calls over workers and nodes, with crashes, delays and partitions; then all is well again, and the counts must agree. */
export async function lendingWorld(seed: number): Promise<LendingRun> {
  const chance = new Chance(seed);
  const clock = new VirtualClock(Date.UTC(2026, 5, 15, 9, 0, chance.whole(0, 59)));
  const bounds = new Bounds();
  const metered = meters(chance);
  const count = chance.happens(0.5) ? 1 : chance.whole(2, 3);
  const database = count === 1 ? undefined : new Database(clock, chance.fork("database"));
  const nodes: Node[] = [];
  const spentByAll = (meter: Meter): number => nodes.reduce((sum, node) => sum + node.spent(meter), 0);
  for (let index = 1; index <= count; index += 1) {
    const name = `node-${index}`;
    const workers = chance.whole(1, 3);
    const shared = database === undefined ? {} : { shared: { store: database, spentByAll } };
    nodes.push(new Node({ name, clock, chance: chance.fork(name), bounds, metered, workers, ...shared }));
  }
  const world = { chance, clock, nodes, database };
  const crashes = await live(world);
  await recover(world);
  await hold(world, metered, bounds);
  await database?.store.close();
  return {
    seed,
    calls: nodes.flatMap(({ workers }) => workers).reduce((sum, { calls }) => sum + calls, 0),
    crashes,
    spent: spentByAll(metered.money[0] as Meter),
    problems: [...bounds.problems, ...nodes.flatMap((node) => node.unsettled())],
  };
}

interface World {
  readonly chance: Chance;
  readonly clock: VirtualClock;
  readonly nodes: readonly Node[];
  readonly database: Database | undefined;
}

function meters(chance: Chance): Metered {
  const money = (account: Meter["account"], limit: number): Meter => ({
    id: `${account} usd/day`,
    account,
    unit: "money",
    limit,
    period: "day",
  });
  return {
    traffic: [
      { id: "key:a rpm", account: "key:a", unit: "requests", limit: chance.whole(20, 400) },
      { id: "key:a tpm", account: "key:a", unit: "tokens", limit: chance.whole(2_000, 20_000) },
      { id: "key:a concurrency", account: "key:a", unit: "slots", limit: chance.whole(2, 30) },
    ],
    money: [
      money("team:t", chance.whole(300, 4_000)),
      money("key:a", chance.whole(300, 4_000)),
      money("model:p/m", chance.whole(2_000, 9_000)),
    ],
  };
}

/** Half a minute of calls in bursts, or two and a half, while things die. */
async function live({ chance, clock, nodes, database }: World): Promise<number> {
  let crashes = 0;
  // Some worlds last for minutes, so that rates come round.
  const longestGapMs = chance.pick([900, 900, 5_000]);
  for (let step = 0; step < 60; step += 1) {
    for (const node of nodes) {
      const { serving } = node;
      if (serving.length === 0) continue;
      const burst = chance.happens(0.15) ? chance.whole(5, 25) : chance.whole(0, 3);
      for (let call = 0; call < burst; call += 1) void chance.pick(serving).call();
    }
    if (chance.happens(0.12)) {
      const node = chance.pick(nodes);
      crashes += crash(node, chance) ? 1 : 0;
    }
    for (const node of nodes) if (!node.isUp && chance.happens(0.15)) node.start();
    if (database !== undefined && chance.happens(0.15)) {
      database.state = chance.pick(["well", "well", "gone", "silent", "hangs"] as const);
    }
    await clock.advanceAsync(chance.whole(1, longestGapMs));
  }
  return crashes;
}

function crash(node: Node, chance: Chance): boolean {
  const what = chance.pick(["worker", "worker", "worker", "supervisor", "machine"] as const);
  const victim = node.live.length === 0 ? undefined : chance.pick(node.live);
  if (what === "worker" && victim !== undefined) node.killWorker(victim);
  else if (what === "supervisor" && node.isUp) node.killSupervisor();
  else if (what === "machine") node.killAll();
  else return false;
  return true;
}

/** Nothing fails any more; calls end, workers without a supervisor leave, leases run out, journals are read. */
async function recover({ clock, nodes, database }: World): Promise<void> {
  if (database !== undefined) database.state = "well";
  for (const node of nodes) node.start();
  await clock.advanceAsync(30_000);
  for (const node of nodes) for (const worker of node.live) if (!worker.above.clock.alive) worker.kill();
  await clock.advanceAsync(25_000);
}

/** What the meters have left is what the records have not spent: exactly so much can still be had, at any node. */
async function hold({ clock, nodes, database }: World, metered: Metered, bounds: Bounds): Promise<void> {
  const groups = database === undefined ? nodes.map((node) => [node]) : [nodes];
  for (const group of groups) {
    const [first] = group as [Node];
    const probe = first.probe();
    for (const meter of metered.money) {
      const left = meter.limit - group.reduce((sum, node) => sum + node.spent(meter), 0);
      if (left > 0) await expectTaken(probe, { clock, bounds, charge: { meter, amount: left } });
      const more = await take(probe, clock, { meter, amount: 1 });
      if (more.kind !== "denied") bounds.problems.push(`of ${meter.id} there is more than the ${left} that are left`);
    }
  }
  for (const node of nodes) {
    const slots = metered.traffic.find(({ unit }) => unit === "slots");
    if (slots === undefined) continue;
    const charge = { meter: slots, amount: slots.limit };
    await expectTaken(node.probe(), { clock, bounds, charge });
  }
}

async function expectTaken(
  probe: Worker,
  { clock, bounds, charge }: { readonly clock: VirtualClock; readonly bounds: Bounds; readonly charge: Charge },
): Promise<void> {
  const taken = await take(probe, clock, charge);
  if (taken.kind === "taken") return;
  const left = taken.kind === "denied" ? taken.remaining : taken.why;
  bounds.problems.push(`${charge.amount} of ${charge.meter.id} should be free, and there is ${left}`);
}

/** Twice where the first answer is that nobody answered: a message may be late. */
async function take(probe: Worker, clock: VirtualClock, charge: Charge): Promise<Taken> {
  for (let attempt = 1; ; attempt += 1) {
    const taking = Promise.resolve(probe.purse.take([charge]));
    await clock.advanceAsync(6_000);
    const taken = await taking;
    if (taken.kind !== "unreachable" || attempt === 5) return taken;
    // What was lent too late to be used is on its way back.
    await clock.advanceAsync(5_000);
  }
}
