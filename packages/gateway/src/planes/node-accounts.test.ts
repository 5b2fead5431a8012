import { describe, expect, it } from "vitest";
import type { Meter, Want } from "#domain/account";
import type { CallRecord } from "#domain/record";
import { VirtualClock } from "#simulation/virtual-clock";
import { NodeAccounts } from "./node-accounts.ts";

const meter: Meter = { id: "key:alice usd/day", account: "key:alice", unit: "money", limit: 100, period: "day" };
const wants = (need: number): readonly Want[] => [{ meter, need, like: 0 }];

function open() {
  const warnings: string[] = [];
  const accounts = new NodeAccounts({
    clock: new VirtualClock(),
    workers: 2,
    spentBefore: () => 0,
    tell: ({ share, spentUsd }) => void warnings.push(`${share} ${Math.round(spentUsd * 1e9)}`),
  });
  const lender = accounts.lender(() => {});
  const end = (journal: string): void => accounts.ended(journal, lender.drop(journal));
  const left = async (): Promise<number | undefined> => {
    const lent = await lender.borrow("looking", wants(0));
    return lent.kind === "lent" ? lent.left?.[0] : undefined;
  };
  return { accounts, lender, end, left, warnings };
}

const costing = (costNanoUsd: number): CallRecord =>
  ({ caller: "alice", route: "main", costNanoUsd, attempts: [] }) as unknown as CallRecord;

describe("what a worker spent that is gone", () => {
  it("counts once where it was reported and comes into the ledger only later", async () => {
    const { accounts, lender, end, left } = open();
    await lender.borrow("w1", wants(10));
    lender.giveBack("w1", [{ meter, back: 0, spent: 10 }]);
    end("w1");
    accounts.stored("w1", [costing(10)]);
    accounts.read("w1");
    expect(await left()).toBe(90);
  });

  it("counts as spent until its journal is read, and then by what that says", async () => {
    const { accounts, lender, end, left } = open();
    await lender.borrow("w1", wants(60));
    lender.giveBack("w1", [{ meter, back: 0, spent: 10 }]);
    accounts.stored("w1", [costing(10)]);
    end("w1");
    expect(await left()).toBe(40);
    accounts.stored("w1", [costing(15)]);
    expect(await left()).toBe(40);
    accounts.read("w1");
    expect(await left()).toBe(75);
  });

  it("counts where it belonged to an earlier supervisor", async () => {
    const { accounts, left } = open();
    expect(await left()).toBe(100);
    accounts.stored("orphan", [costing(7)]);
    expect(await left()).toBe(93);
  });

  it("is told of as it passes the shares that somebody wants to know of, each once", async () => {
    const { lender, warnings } = open();
    const watched = { ...meter, alertsAt: [0.5, 1] };
    await lender.borrow("w1", [{ meter: watched, need: 100, like: 0 }]);
    for (const spent of [40, 20, 20, 20]) lender.giveBack("w1", [{ meter: watched, back: 0, spent }]);
    expect(warnings).toEqual(["0.5 60", "1 100"]);
  });
});
