import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Charge, Lender, Meter, Return, Taken, Want } from "#domain/account";
import { BorrowedMoney } from "#ledger/borrowed-money";
import { NodeLender } from "#ledger/node-lender";
import { Purse } from "#ledger/purse";
import { VirtualClock } from "#simulation/virtual-clock";
import { BudgetLender } from "./budget-lender.ts";
import { openSqlFile, type Sql, type SqlStore } from "./sql.ts";

const money = (limit: number, more: Partial<Meter> = {}): Meter => ({
  id: "key:a usd/day",
  account: "key:a",
  unit: "money",
  limit,
  period: "day",
  ...more,
});

/** A database that may fail, before or after it has done what it was asked. */
class Database {
  readonly store: SqlStore;
  readonly #clock: VirtualClock;
  /** Each statement takes so long: much happens on a node before a transaction of its own has ended. */
  statementMs = 0;
  fails: "not" | "before" | "after" | "never ends" = "not";

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    const opened = openSqlFile(":memory:");
    if (opened.kind === "refused") throw new Error(opened.message);
    this.store = opened.store;
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const { fails } = this;
    if (fails === "never ends") return new Promise(() => {});
    if (fails === "before") throw new Error("no connection");
    const slowly = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (this.statementMs > 0) await new Promise<void>((resolve) => void this.#clock.timer(this.statementMs, resolve));
      return ask();
    };
    const result = await this.store.transaction((sql) =>
      work({
        all: (text, ...values) => slowly(() => sql.all(text, ...values)),
        run: (text, ...values) => slowly(() => sql.run(text, ...values)),
      }),
    );
    if (fails === "after") throw new Error("the connection was lost");
    return result;
  }
}

interface Node {
  readonly lender: BudgetLender;
  readonly purses: readonly Purse[];
  readonly told: (readonly [number, number])[];
  readonly reach: (string | undefined)[];
}

const open: { database: Database; lenders: BudgetLender[] }[] = [];
afterEach(async () => {
  for (const { database } of open.splice(0)) await database.store.close();
});

function world() {
  const clock = new VirtualClock();
  const database = new Database(clock);
  open.push({ database, lenders: [] });
  let byAll = 0;

  /** A node with two workers, whose messages take a millisecond each way. `spentHere`: its own ledger. */
  function start(node: string, { spentHere = 0 } = {}): Node {
    const told: (readonly [number, number])[] = [];
    const reach: (string | undefined)[] = [];
    const lender = new BudgetLender({
      store: database,
      node,
      clock,
      spentHere: () => spentHere,
      spentByAll: async () => byAll,
      onSpent: (_meter, before, after) => void told.push([before, after]),
      onReach: (why) => void reach.push(why),
    });
    const source = new BorrowedMoney({ purse: new Purse({ lender, clock }), holders: () => 2 });
    const purses = new Map<string, Purse>();
    const workers = new NodeLender({
      source,
      clock,
      recall(holder, meters, id) {
        clock.timer(1, () => {
          purses.get(holder)?.recall(meters);
          clock.timer(1, () => workers.returned(holder, id));
        });
      },
    });
    for (const holder of ["w1", "w2"]) {
      const over: Lender = {
        borrow: (wants: readonly Want[]) =>
          new Promise((resolve) => {
            clock.timer(
              1,
              () => void workers.borrow(holder, wants).then((lent) => clock.timer(1, () => resolve(lent))),
            );
          }),
        giveBack: (returns: readonly Return[]) => void clock.timer(1, () => workers.giveBack(holder, returns)),
      };
      purses.set(holder, new Purse({ lender: over, clock }));
    }
    return { lender, purses: [...purses.values()], told, reach };
  }

  const left = async (meter: Meter): Promise<number> => {
    const [count] = await database.store.all("SELECT spent_nano FROM budget_counts WHERE meter = ?", meter.id);
    const [loans] = await database.store.all(
      "SELECT sum(lent_nano) AS lent FROM budget_loans WHERE meter = ?",
      meter.id,
    );
    return meter.limit - Number(count?.["spent_nano"] ?? 0) - Number(loans?.["lent"] ?? 0);
  };
  return {
    clock,
    database,
    start,
    left,
    spentBefore: (nano: number) => {
      byAll = nano;
    },
  };
}

async function take(clock: VirtualClock, purse: Purse | undefined, charges: readonly Charge[]): Promise<Taken> {
  const taking = Promise.resolve(purse?.take(charges));
  await clock.advanceAsync(60);
  return (await taking) ?? { kind: "unreachable", why: "no purse" };
}

async function noteTaken(taking: Taken | Promise<Taken>, note: () => void): Promise<void> {
  if ((await taking).kind === "taken") note();
}

describe("a budget of several nodes", () => {
  it.each([1, 2, 3])("is spent to the last and no further by 200 calls at once, on %d nodes", async (count) => {
    const { clock, start, left } = world();
    const nodes = Array.from({ length: count }, (_, index) => start(`n${index}`));
    const purses = nodes.flatMap((node) => node.purses);
    const meters = [money(50), money(80, { id: "team:t usd/day", account: "team:t" })];
    const charges = meters.map((meter) => ({ meter, amount: 1 }));
    const takes = Array.from({ length: 200 }, (_, index) =>
      Promise.resolve(purses[index % purses.length]?.take(charges)),
    );
    await clock.advanceAsync(1_000);
    const served = (await Promise.all(takes)).flatMap((each, index) => (each?.kind === "taken" ? [index] : []));
    expect(served).toHaveLength(50);
    for (const index of served) purses[index % purses.length]?.settle(charges, 0, [1, 1]);
    await clock.advanceAsync(3_000);
    expect(await left(meters[0] as Meter)).toBe(0);
    expect(await left(meters[1] as Meter)).toBe(30);
  });

  it("begins with what the ledger of all has, and each period after it with nothing", async () => {
    const { clock, start, spentBefore } = world();
    spentBefore(95);
    const { purses } = start("n1");
    const charges = [{ meter: money(100), amount: 10 }];
    clock.advance(1_000);
    expect(await take(clock, purses[0], charges)).toMatchObject({ kind: "denied", remaining: 5 });
    clock.advance(86_400_000);
    expect(await take(clock, purses[0], charges)).toMatchObject({ kind: "taken" });
  });

  it("knows what is spent while it is asked for more as lent, until that is told", async () => {
    const { clock, database, start } = world();
    const [one, two] = [start("n1"), start("n2")];
    const meter = money(20);
    await one.lender.borrow([{ meter, need: 10, like: 0 }]);
    database.statementMs = 10;
    const more = one.lender.borrow([{ meter, need: 1, like: 0 }]);
    // It is in the middle of its transaction.
    await clock.advanceAsync(35);
    one.lender.giveBack([{ meter, back: 0, spent: 10 }]);
    const other = two.lender.borrow([{ meter, need: 15, like: 0 }]);
    await clock.advanceAsync(300);
    expect(await more).toMatchObject({ kind: "lent", amounts: [1] });
    expect(await other).toMatchObject({ kind: "denied", remaining: 9 });
  });

  it("tells each share that is passed once, on whichever node", async () => {
    const { clock, start } = world();
    const [one, two] = [start("n1"), start("n2")];
    const charges = [{ meter: money(100), amount: 30 }];
    for (const { purses } of [one, two]) {
      await take(clock, purses[0], charges);
      purses[0]?.settle(charges, 0, [30]);
      await clock.advanceAsync(2_000);
    }
    expect([...one.told, ...two.told]).toEqual([
      [0, 30],
      [30, 60],
    ]);
  });
});

describe("a node that is gone", () => {
  async function gone(spent: number) {
    const { clock, database, start, left } = world();
    const meter = money(100);
    const dead = start("dead");
    await take(clock, dead.purses[0], [{ meter, amount: 40 }]);
    // It says nothing any more; what it spent stands in its journal.
    await dead.lender.close();
    const alive = start("alive");
    await take(clock, alive.purses[0], [{ meter, amount: 10 }]);
    alive.purses[0]?.settle([{ meter, amount: 10 }], 0, [10]);
    await clock.advanceAsync(12_000);
    expect((await take(clock, alive.purses[0], [{ meter, amount: 60 }])).kind).toBe("denied");
    await clock.advanceAsync(2_000);
    expect(await left(meter)).toBe(50);
    const back = start("dead", { spentHere: spent });
    await take(clock, back.purses[0], [{ meter, amount: 1 }]);
    back.purses[0]?.settle([{ meter, amount: 1 }], 0, [0]);
    await clock.advanceAsync(3_000);
    return { left: await left(meter), database };
  }

  it.each([0, 15, 40])("has spent all it had, until it is back and says that it was %d", async (spent) => {
    expect((await gone(spent)).left).toBe(90 - spent);
  });
});

describe("a database that does not answer", () => {
  it("is not waited for longer than 600 ms, and lends again when it is back", async () => {
    const { clock, database, start } = world();
    const { lender, reach } = start("n1");
    const meter = money(100);
    database.fails = "before";
    expect(await lender.borrow([{ meter, need: 1, like: 0 }])).toMatchObject({ kind: "unreachable" });
    expect(await lender.borrow([{ meter, need: 1, like: 0 }])).toMatchObject({ kind: "unreachable" });
    database.fails = "not";
    await clock.advanceAsync(2_500);
    expect(await lender.borrow([{ meter, need: 1, like: 0 }])).toMatchObject({ kind: "lent" });
    expect(reach).toEqual(["no connection", undefined]);
    database.fails = "never ends";
    const asking = lender.borrow([{ meter, need: 1, like: 0 }]);
    await clock.advanceAsync(600);
    expect(await asking).toMatchObject({ kind: "unreachable" });
    // Nobody else waits for the same.
    expect(await lender.borrow([{ meter, need: 1, like: 0 }])).toMatchObject({ kind: "unreachable" });
  });

  it("holds up no call whose budget only warns, and hears of it later", async () => {
    const { clock, database, start, left } = world();
    const { purses } = start("n1");
    const meter = money(100, { id: "key:a usd/day soft", soft: true });
    database.fails = "before";
    const charges = [{ meter, amount: 150 }];
    expect(await take(clock, purses[0], charges)).toMatchObject({ kind: "taken" });
    purses[0]?.settle(charges, 0, [150]);
    database.fails = "not";
    await clock.advanceAsync(5_000);
    expect(await left(meter)).toBe(-50);
  });

  it("that did what it was asked and could not say so counts it once", async () => {
    const { clock, database, start, left } = world();
    const { purses } = start("n1");
    const meter = money(100);
    await take(clock, purses[0], [{ meter, amount: 20 }]);
    database.fails = "after";
    purses[0]?.settle([{ meter, amount: 20 }], 0, [20]);
    await take(clock, purses[0], [{ meter, amount: 30 }]);
    await clock.advanceAsync(5_000);
    database.fails = "not";
    await clock.advanceAsync(5_000);
    expect(await left(meter)).toBe(80);
  });
});

describe("over any order of calls, ends, failures and deaths of nodes", () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("take" as const),
        at: fc.nat(3),
        amount: fc.integer({ min: 1, max: 30 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("end" as const),
        which: fc.nat(50),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 15_000 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("fail" as const),
        how: fc.constantFrom("before" as const, "after" as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  );

  it("no more is promised than there is, and what is not spent is free in the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom(0, 12, 40),
        async (doing, limit, statementMs) => {
          const { clock, database, start, left } = world();
          database.statementMs = statementMs;
          const nodes = [start("n1"), start("n2")];
          const purses = nodes.flatMap((node) => node.purses);
          const meter = money(limit);
          const running: { purse: Purse; charges: readonly Charge[] }[] = [];
          let [promised, spent] = [0, 0];
          const end = (one: (typeof running)[number], share: number): void => {
            const amount = one.charges[0]?.amount ?? 0;
            const used = Math.floor(amount * share);
            one.purse.settle(one.charges, 0, [used]);
            promised -= amount;
            spent += used;
          };
          for (const each of doing) {
            if (each.do === "wait") await clock.advanceAsync(each.ms);
            if (each.do === "fail") database.fails = each.how;
            if (each.do === "heal") database.fails = "not";
            if (each.do === "take") {
              const purse = purses[each.at] as Purse;
              const charges = [{ meter, amount: each.amount }];
              void noteTaken(purse.take(charges), () => {
                running.push({ purse, charges });
                promised += each.amount;
              });
              await clock.advanceAsync(each.at * 15);
            }
            const [one] = each.do === "end" ? running.splice(each.which % Math.max(1, running.length), 1) : [];
            if (one !== undefined && each.do === "end") end(one, each.share);
            expect(promised + spent).toBeLessThanOrEqual(limit);
          }
          database.fails = "not";
          await clock.advanceAsync(8_000);
          const look = async (): Promise<number> => {
            const looking = left(meter);
            await clock.advanceAsync(1_000);
            return looking;
          };
          expect(await look()).toBe(limit - promised - spent);
          for (const one of running) end(one, 0);
          await clock.advanceAsync(8_000);
          expect(await look()).toBe(limit - spent);
          const closed = Promise.all(nodes.map(({ lender }) => lender.close()));
          await clock.advanceAsync(4_000);
          await closed;
        },
      ),
      { numRuns: 60 },
    );
  });
});
