import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Charge, Lender, Meter, Return, Taken, Want } from "#domain/account";
import { VirtualClock } from "#simulation/virtual-clock";
import { Book } from "./book.ts";
import { lendFrom } from "./book-source.ts";
import { NodeLender } from "./node-lender.ts";
import { Purse } from "./purse.ts";

const money = (limit: number, more: Partial<Meter> = {}): Meter => ({
  id: "key:a usd/day",
  account: "key:a",
  unit: "money",
  limit,
  period: "day",
  ...more,
});
const slots = (limit: number): Meter => ({ id: "key:a slots", account: "key:a", unit: "slots", limit });
const requests = (limit: number): Meter => ({ id: "team:t rpm", account: "team:t", unit: "requests", limit });
const tokens = (limit: number): Meter => ({ id: "team:t tpm", account: "team:t", unit: "tokens", limit });

/** A node with so many workers, whose messages take a millisecond each way. */
function openNode(workers: number, spentBefore = 0) {
  const clock = new VirtualClock();
  const book = new Book({ spentBefore: () => spentBefore, holders: () => workers });
  const purses = new Map<string, Purse>();
  const lender = new NodeLender({
    source: lendFrom(book, clock),
    clock,
    recall(holder, meters, id) {
      clock.timer(1, () => {
        purses.get(holder)?.recall(meters);
        clock.timer(1, () => lender.returned(holder, id));
      });
    },
  });
  const over = (holder: string): Lender => ({
    borrow: (wants: readonly Want[]) =>
      new Promise((resolve) => {
        clock.timer(1, () => {
          void lender.borrow(holder, wants).then((lent) => clock.timer(1, () => resolve(lent)));
        });
      }),
    giveBack: (returns: readonly Return[]) => void clock.timer(1, () => lender.giveBack(holder, returns)),
  });
  for (let index = 0; index < workers; index += 1) {
    const holder = `w${index + 1}`;
    purses.set(holder, new Purse({ lender: over(holder), clock }));
  }
  return { clock, book, lender, purses: [...purses.values()] };
}

const taking = async (purse: Purse | undefined, charges: readonly Charge[]): Promise<Taken | undefined> =>
  purse?.take(charges);

const isTaken = (taken: Taken): taken is Extract<Taken, { kind: "taken" }> => taken.kind === "taken";

describe("what a node lends to its workers", () => {
  it.each([1, 2, 4])("is the whole of a budget and no more, over %d workers at once", async (workers) => {
    const { clock, purses, book } = openNode(workers);
    const meters = [money(50), { ...money(80), id: "team:t usd/day" }];
    const charges: readonly Charge[] = meters.map((meter) => ({ meter, amount: 1 }));
    const takes = Array.from({ length: 200 }, (_, index) => taking(purses[index % workers], charges));
    await clock.advanceAsync(500);
    const taken = (await Promise.all(takes)).filter((each) => each !== undefined && isTaken(each));
    expect(taken).toHaveLength(50);
    for (let index = 0; index < 50; index += 1) purses[index % workers]?.settle(charges, 0, [1, 1]);
    await clock.advanceAsync(1_000);
    expect(book.free(meters[0] as Meter, clock.wallMs())).toBe(0);
    expect(book.free(meters[1] as Meter, clock.wallMs())).toBe(30);
  });

  it("charges all meters of a call or none", async () => {
    const { clock, purses, book } = openNode(2);
    const [plenty, scarce] = [money(1_000), slots(3)];
    const charges = [
      { meter: plenty, amount: 10 },
      { meter: scarce, amount: 1 },
    ];
    const takes = Array.from({ length: 20 }, (_, index) => taking(purses[index % 2], charges));
    await clock.advanceAsync(200);
    const results = await Promise.all(takes);
    expect(results.filter((each) => each?.kind === "taken")).toHaveLength(3);
    expect(results.find((each) => each?.kind === "denied")).toMatchObject({ meter: { id: scarce.id }, remaining: 0 });
    await clock.advanceAsync(2_000);
    expect(book.free(plenty, clock.wallMs())).toBe(1_000 - 30);
  });

  it("frees what a call did not use of what was taken for it, and counts what it used beyond", async () => {
    const { clock, purses, book } = openNode(1);
    const [purse] = purses;
    const charges = [{ meter: money(100), amount: 40 }];
    const first = purse?.take(charges);
    await clock.advanceAsync(10);
    await first;
    purse?.settle(charges, 0, [10]);
    await clock.advanceAsync(2_000);
    expect(book.free(money(100), clock.wallMs())).toBe(90);
    const second = purse?.take(charges);
    await clock.advanceAsync(10);
    await second;
    purse?.settle(charges, 0, [95]);
    await clock.advanceAsync(2_000);
    expect(book.free(money(100), clock.wallMs())).toBe(-5);
    const third = purse?.take(charges);
    await clock.advanceAsync(10);
    expect(await third).toMatchObject({ kind: "denied", remaining: 0 });
  });

  it("counts what was spent before it began, and begins anew with the period", async () => {
    const { clock, purses } = openNode(1, 95);
    const charges = [{ meter: money(100), amount: 10 }];
    const before = purses[0]?.take(charges);
    await clock.advanceAsync(10);
    expect(await before).toMatchObject({ kind: "denied", remaining: 5, resetMs: 86_400_000 - 1 });
    clock.advance(86_400_000);
    const after = purses[0]?.take(charges);
    await clock.advanceAsync(10);
    expect(await after).toMatchObject({ kind: "taken" });
  });

  it("gives a dead worker's slots to others at once, and says what money it may have spent", async () => {
    const { clock, purses, lender } = openNode(2);
    const charges = [
      { meter: slots(2), amount: 1 },
      { meter: money(10), amount: 5 },
    ];
    const dead = [taking(purses[0], charges), taking(purses[0], charges)];
    await clock.advanceAsync(10);
    await Promise.all(dead);
    expect([...lender.drop("w1")].map(([meter, nano]) => [meter.id, nano])).toEqual([["key:a usd/day", 10]]);
    const next = purses[1]?.take(charges);
    await clock.advanceAsync(50);
    expect(await next).toMatchObject({ kind: "taken" });
  });

  it("is not forgotten while more of it is asked for, however long the answer takes", async () => {
    const clock = new VirtualClock();
    const book = new Book({ spentBefore: () => 0, holders: () => 1 });
    const purse = new Purse({
      clock,
      lender: {
        borrow: (wants) =>
          new Promise((resolve) => void clock.timer(450, () => resolve(book.borrow("w", wants, clock.wallMs())))),
        giveBack: (returns) => book.giveBack("w", returns, clock.wallMs()),
      },
    });
    const charges = [{ meter: money(40), amount: 4 }];
    const takes = [purse.take(charges)];
    await clock.advanceAsync(440);
    // These wait behind the first, and more is asked for them ahead of need.
    for (let call = 0; call < 3; call += 1) takes.push(purse.take(charges));
    await clock.advanceAsync(3_000);
    for (const each of takes) expect(await each).toMatchObject({ kind: "taken" });
    for (let call = 0; call < 4; call += 1) purse.settle(charges, 0, [3]);
    await clock.advanceAsync(2_000);
    expect(book.free(money(40), clock.wallMs())).toBe(28);
  });

  it("asks others for what they do not use, and waits for none that is silent", async () => {
    const clock = new VirtualClock();
    const book = new Book({ spentBefore: () => 0, holders: () => 2 });
    const lender = new NodeLender({ source: lendFrom(book, clock), clock, recall: () => {} });
    const wants = [{ meter: slots(2), need: 2, like: 0 }];
    expect(await lender.borrow("silent", wants)).toMatchObject({ kind: "lent" });
    const asking = lender.borrow("other", wants);
    await clock.advanceAsync(25);
    expect(await asking).toMatchObject({ kind: "denied" });
  });

  it("answers a worker beyond its limit without asking again and again", async () => {
    const { clock, purses, lender } = openNode(1);
    let asked = 0;
    const borrow = lender.borrow.bind(lender);
    lender.borrow = (...more) => ((asked += 1), borrow(...more));
    const charges = [{ meter: requests(1), amount: 1 }];
    for (let round = 0; round < 100; round += 1) {
      void purses[0]?.take(charges);
      await clock.advanceAsync(1);
    }
    expect(asked).toBeLessThan(12);
  });
});

describe("a limit that a reload changes", () => {
  it.each([
    ["money", money],
    ["slots", slots],
    ["requests", requests],
  ] as const)("holds from the next call on, lower and higher, of %s", async (_unit, meterOf) => {
    const [before, lower, higher] = [meterOf(100), meterOf(40), meterOf(160)];
    const { clock, purses } = openNode(2);
    const take = async (meter: Meter, amount: number, worker = 0) => {
      const taken = purses[worker]?.take([{ meter, amount }]);
      await clock.advanceAsync(100);
      return taken;
    };
    expect(await take(before, 50)).toMatchObject({ kind: "taken" });
    // Ten more are used than there are now; what is to be used beyond is denied on every worker.
    expect(await take(lower, 1)).toMatchObject({ kind: "denied", remaining: 0 });
    expect(await take(lower, 1, 1)).toMatchObject({ kind: "denied", remaining: 0 });
    expect(await take(higher, 111)).toMatchObject({ kind: "denied", remaining: 110 });
    expect(await take(higher, 110)).toMatchObject({ kind: "taken" });
    expect(await take(higher, 1, 1)).toMatchObject({ kind: "denied", remaining: 0 });
  });

  it("is what somebody is told of when it is reached, and so are new shares of it", async () => {
    const told: (readonly [limit: number, shares: readonly number[] | undefined, after: number])[] = [];
    const book = new Book({
      spentBefore: () => 0,
      holders: () => 1,
      onSpent: ({ limit, alertsAt }, _before, after) => void told.push([limit, alertsAt, after]),
    });
    const spend = (meter: Meter, nano: number): void => {
      book.borrow("w1", [{ meter, need: nano, like: 0 }], 0);
      book.giveBack("w1", [{ meter, back: 0, spent: nano }], 0);
    };
    spend(money(100, { alertsAt: [0.5] }), 10);
    spend(money(200, { alertsAt: [0.9] }), 20);
    // Of a worker that has not read the new configuration yet.
    book.giveBack("w2", [{ meter: money(100), back: -5, spent: 5 }], 0);
    expect(told).toEqual([
      [100, [0.5], 10],
      [200, [0.9], 30],
      [200, [0.9], 35],
    ]);
  });
});

describe("a rate", () => {
  it("holds in every minute, however calls come, over several workers", async () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.nat(1), fc.integer({ min: 1, max: 4 })), {
      minLength: 5,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(gaps, fc.integer({ min: 1, max: 12 }), async (calls, limit) => {
        const { clock, purses } = openNode(2);
        const charges = [{ meter: requests(limit), amount: 1 }];
        const served: number[] = [];
        for (const [gapMs, worker, burst] of calls) {
          await clock.advanceAsync(gapMs);
          const takes = Array.from({ length: burst }, () => taking(purses[worker], charges));
          await clock.advanceAsync(60);
          for (const take of takes) if ((await take)?.kind === "taken") served.push(clock.nowMs());
        }
        for (const from of served) {
          expect(served.filter((at) => at >= from && at < from + 60_000 - 60).length).toBeLessThanOrEqual(limit);
        }
        expect(served.length).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });

  it("is free again a minute later, and says when", async () => {
    const { clock, purses } = openNode(1);
    const charges = [{ meter: requests(2), amount: 2 }];
    const take = async () => {
      const taken = purses[0]?.take(charges);
      await clock.advanceAsync(10);
      return taken;
    };
    expect(await take()).toMatchObject({ kind: "taken" });
    const denied = await take();
    expect(denied).toMatchObject({ kind: "denied", remaining: 0 });
    const resetMs = denied?.kind === "denied" ? (denied.resetMs ?? 0) : 0;
    expect(resetMs).toBeGreaterThan(58_000);
    expect(resetMs).toBeLessThanOrEqual(62_000);
    await clock.advanceAsync(resetMs);
    expect(await take()).toMatchObject({ kind: "taken" });
  });

  it("is corrected by what a call used of it", async () => {
    const { clock, purses, book } = openNode(1);
    const meter = tokens(1_000);
    const charges = [{ meter, amount: 800 }];
    const take = purses[0]?.take(charges);
    await clock.advanceAsync(10);
    const taken = await take;
    if (taken?.kind !== "taken") throw new Error("not taken");
    purses[0]?.settle(charges, taken.atS, [100]);
    await clock.advanceAsync(2_000);
    expect(book.free(meter, clock.wallMs())).toBe(900);
    purses[0]?.settle(charges, taken.atS, [2_000]);
    await clock.advanceAsync(2_000);
    expect(book.free(meter, clock.wallMs())).toBe(-300);
  });
});

describe("over any order of calls, ends and deaths", () => {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant("take" as const),
          worker: fc.nat(2),
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
      { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
    ),
    { minLength: 1, maxLength: 80 },
  );

  it("no more money is promised than there is, and what is not spent is free in the end", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 200 }), async (doing, limit) => {
        const { clock, purses, book } = openNode(3);
        const meter = money(limit);
        const open: { purse: Purse; charges: readonly Charge[] }[] = [];
        let promised = 0;
        let spent = 0;
        for (const step of doing) {
          if (step.do === "wait") await clock.advanceAsync(step.ms);
          if (step.do === "take") {
            const purse = purses[step.worker] as Purse;
            const charges = [{ meter, amount: step.amount }];
            const taking = purse.take(charges);
            await clock.advanceAsync(60);
            if ((await taking).kind === "taken") {
              open.push({ purse, charges });
              promised += step.amount;
            } else expect(promised + spent + step.amount).toBeGreaterThan(limit);
          }
          if (step.do === "end") {
            const [one] = open.splice(step.which % Math.max(1, open.length), 1);
            if (one === undefined) continue;
            const amount = one.charges[0]?.amount ?? 0;
            const used = Math.floor(amount * step.share);
            one.purse.settle(one.charges, 0, [used]);
            promised -= amount;
            spent += used;
          }
          expect(promised + spent).toBeLessThanOrEqual(limit);
        }
        await clock.advanceAsync(3_000);
        expect(book.free(meter, clock.wallMs())).toBe(limit - promised - spent);
        for (const { purse, charges } of open) purse.settle(charges, 0, [0]);
        await clock.advanceAsync(3_000);
        expect(book.free(meter, clock.wallMs())).toBe(limit - spent);
        await clock.advanceAsync(2_000);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
