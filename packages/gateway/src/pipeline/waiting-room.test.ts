import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Meter, Taken } from "#domain/account";
import { failure } from "#domain/failure";
import { keyPriorities, type KeyPriority } from "#domain/gateway-key";
import { ownAccounts } from "#ledger/own-accounts";
import { VirtualClock } from "#simulation/virtual-clock";
import { CallControl } from "./live-calls.ts";
import { WaitingRoom, type Waited } from "./waiting-room.ts";

const slots = (limit: number, most = 100, waitMs = 2_000): Meter => ({
  id: "team:t concurrency",
  account: "team:t",
  unit: "slots",
  limit,
  queue: { waitMs, most },
});

interface Asked {
  readonly control: CallControl;
  ends: Waited[];
}

/** Places that each call has for so long. */
function openRoom(meters: readonly Meter[]) {
  const clock = new VirtualClock();
  const accounts = ownAccounts(clock);
  const room = new WaitingRoom({ accounts, clock });
  const charges = meters.map((meter) => ({ meter, amount: 1 }));
  let inUse = 0;
  let mostInUse = 0;
  const served: string[] = [];
  const leave = (atS: number): void => {
    inUse -= 1;
    room.settle(
      charges,
      atS,
      charges.map(() => 1),
    );
  };
  const ask = (
    caller: string,
    priority: KeyPriority,
    { forMs, deadlineAtMs = Number.POSITIVE_INFINITY }: { readonly forMs: number; readonly deadlineAtMs?: number },
  ): Asked => {
    const asked: Asked = { control: new CallControl(), ends: [] };
    const done = (ended: Waited): void => {
      asked.ends.push(ended);
      if (ended.kind !== "taken") return;
      inUse += 1;
      mostInUse = Math.max(mostInUse, inUse);
      served.push(caller);
      if (forMs !== Number.POSITIVE_INFINITY) clock.timer(forMs, () => leave(ended.atS));
    };
    const first = async (): Promise<void> => {
      const taken: Taken = await room.take(charges);
      if (taken.kind !== "denied") done(taken);
      else done(await room.wait(taken, { charges, caller, priority, deadlineAtMs, control: asked.control }));
    };
    void first();
    return asked;
  };
  return { clock, accounts, room, ask, leave, served, mostInUse: () => mostInUse, inUse: () => inUse };
}

describe("calls that wait for a place", () => {
  it("get it when a call ends, and those that come meanwhile do not overtake them", async () => {
    const { clock, ask, served, room } = openRoom([slots(1)]);
    ask("first", "normal", { forMs: 500 });
    await clock.advanceAsync(10);
    ask("second", "normal", { forMs: 500 });
    await clock.advanceAsync(489);
    ask("third", "normal", { forMs: 100 });
    await clock.advanceAsync(1_200);
    expect(served).toEqual(["first", "second", "third"]);
    expect(room.counts).toEqual({ served: 2, refused: 0, gone: 0 });
  });

  it("are told after the time of the queue, or at their own deadline", async () => {
    const { clock, ask, room } = openRoom([slots(1)]);
    ask("holds", "normal", { forMs: Number.POSITIVE_INFINITY });
    await clock.advanceAsync(10);
    const patient = ask("patient", "normal", { forMs: 1 });
    const hurried = ask("hurried", "normal", { forMs: 1, deadlineAtMs: 300 });
    await clock.advanceAsync(400);
    expect(hurried.ends).toMatchObject([{ kind: "denied", meter: { unit: "slots" } }]);
    expect(patient.ends).toEqual([]);
    await clock.advanceAsync(2_000);
    expect(patient.ends).toMatchObject([{ kind: "denied" }]);
    expect(room.size).toBe(0);
  });

  it("leave at once when their client does, and take no place", async () => {
    const { clock, ask, served, room } = openRoom([slots(1)]);
    ask("holds", "normal", { forMs: 500 });
    await clock.advanceAsync(10);
    const leaves = ask("leaves", "normal", { forMs: 1 });
    ask("stays", "normal", { forMs: 1 });
    await clock.advanceAsync(10);
    leaves.control.end(failure("client_gone", "gone"));
    expect(room.size).toBe(1);
    await clock.advanceAsync(1_000);
    expect(leaves.ends).toEqual([{ kind: "gone" }]);
    expect(served).toEqual(["holds", "stays"]);
  });

  it("are refused beyond the bound, but for one whose caller has none there yet", async () => {
    const { clock, ask } = openRoom([slots(1, 2)]);
    ask("holds", "normal", { forMs: Number.POSITIVE_INFINITY });
    await clock.advanceAsync(10);
    const burst = [
      ask("burst", "normal", { forMs: 1 }),
      ask("burst", "normal", { forMs: 1 }),
      ask("burst", "normal", { forMs: 1 }),
    ];
    await clock.advanceAsync(30);
    expect(burst.map(({ ends }) => ends.length)).toEqual([0, 0, 1]);
    const single = ask("single", "normal", { forMs: 1 });
    await clock.advanceAsync(30);
    expect(single.ends).toEqual([]);
    expect(burst.map(({ ends }) => ends.length)).toEqual([0, 1, 1]);
  });

  it("wait where they have no place when they are next elsewhere, and hold up nobody behind them", async () => {
    const clock = new VirtualClock();
    const accounts = ownAccounts(clock);
    const room = new WaitingRoom({ accounts, clock });
    const [team, own] = [slots(1), { ...slots(1), id: "key:k concurrency", account: "key:k" as const }];
    const both = [
      { meter: team, amount: 1 },
      { meter: own, amount: 1 },
    ];
    const hold = async (charges: typeof both): Promise<void> => {
      expect(await accounts.take(charges)).toMatchObject({ kind: "taken" });
    };
    const holding = [hold([{ meter: team, amount: 1 }]), hold([{ meter: own, amount: 1 }])];
    await clock.advanceAsync(50);
    await Promise.all(holding);
    const ends: string[] = [];
    const wait = async (name: string, charges: typeof both): Promise<void> => {
      const denied = await room.take(charges);
      if (denied.kind !== "denied") throw new Error("a place was free");
      const whose = { caller: name, priority: "normal" as const, control: new CallControl() };
      const { kind } = await room.wait(
        { ...denied, meter: team },
        { charges, ...whose, deadlineAtMs: Number.POSITIVE_INFINITY },
      );
      ends.push(`${name} ${kind}`);
    };
    const waits = [wait("both", both), wait("team", [{ meter: team, amount: 1 }])];
    await clock.advanceAsync(30);
    room.settle([{ meter: team, amount: 1 }], 0, [1]);
    await clock.advanceAsync(200);
    expect(ends).toEqual(["team taken"]);
    room.settle([{ meter: team, amount: 1 }], 0, [1]);
    room.settle([{ meter: own, amount: 1 }], 0, [1]);
    await clock.advanceAsync(200);
    expect(ends).toEqual(["team taken", "both taken"]);
    await Promise.all(waits);
  });

  it("end exactly once each, never more at once than places, and none waits while a place is free", async () => {
    const steps = fc.array(
      fc.record({
        gapMs: fc.nat(120),
        caller: fc.constantFrom("a", "b", "c"),
        priority: fc.constantFrom(...keyPriorities),
        forMs: fc.integer({ min: 1, max: 900 }),
        leavesMs: fc.option(fc.nat(600)),
      }),
      { minLength: 1, maxLength: 50 },
    );
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 8 }),
        async (doing, limit, most) => {
          const { clock, accounts, room, ask, mostInUse, inUse } = openRoom([slots(limit, most)]);
          const asked: Asked[] = [];
          for (const { gapMs, caller, priority, forMs, leavesMs } of doing) {
            await clock.advanceAsync(gapMs);
            const one = ask(caller, priority, { forMs });
            asked.push(one);
            const gone = (): void => one.control.end(failure("client_gone", "gone"));
            if (leavesMs !== null) clock.timer(leavesMs, gone);
            expect(room.size).toBeLessThanOrEqual(most);
            if (inUse() < limit && room.size > 0) {
              await clock.advanceAsync(120);
              expect(inUse() === limit || room.size === 0).toBe(true);
            }
          }
          await clock.advanceAsync(60_000);
          expect(asked.map(({ ends }) => ends.length)).toEqual(asked.map(() => 1));
          expect(mostInUse()).toBeLessThanOrEqual(limit);
          expect([room.size, inUse()]).toEqual([0, 0]);
          accounts.close();
          expect(clock.pending).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
