import { describe, expect, it } from "vitest";
import type { Meter } from "#domain/account";
import { Book } from "./book.ts";
import { lendFrom } from "./book-source.ts";
import { splitByUnit } from "./split-source.ts";

const clock = { wallMs: () => 1_700_000_000_000 };
const money = (limit: number): Meter => ({
  id: "key:a usd/day",
  account: "key:a",
  unit: "money",
  limit,
  period: "day",
});
const slots = (limit: number): Meter => ({ id: "key:a slots", account: "key:a", unit: "slots", limit });
const requests = (limit: number): Meter => ({ id: "key:a rpm", account: "key:a", unit: "requests", limit });

function open() {
  const [traffic, paid] = [0, 1].map(() => new Book({ spentBefore: () => 0, holders: () => 1 })) as [Book, Book];
  return { traffic, paid, source: splitByUnit({ traffic: lendFrom(traffic, clock), money: lendFrom(paid, clock) }) };
}

describe("a source of two", () => {
  it("sends wants where their units are counted and answers in their order", async () => {
    const { traffic, paid, source } = open();
    const wants = [
      { meter: requests(10), need: 1, like: 0 },
      { meter: money(100), need: 30, like: 0 },
      { meter: slots(5), need: 2, like: 0 },
    ];
    expect(await source.borrow("w", wants)).toEqual({ kind: "lent", amounts: [1, 30, 2], left: [9, 70, 3] });
    expect([traffic.free(requests(10), 0), paid.free(money(100), clock.wallMs())]).toEqual([9, 70]);
    expect([traffic.size, paid.size]).toEqual([2, 1]);
  });

  it("lends nothing of one where the other denies", async () => {
    const { traffic, paid, source } = open();
    const wants = [
      { meter: slots(5), need: 2, like: 3 },
      { meter: money(10), need: 30, like: 0 },
    ];
    expect(await source.borrow("w", wants)).toMatchObject({ kind: "denied", meter: { unit: "money" } });
    expect(traffic.free(slots(5), clock.wallMs())).toBe(5);
    const others = [
      { meter: slots(1), need: 2, like: 0 },
      { meter: money(10), need: 3, like: 0 },
    ];
    expect(await source.borrow("w", others)).toMatchObject({ kind: "denied", meter: { unit: "slots" } });
    expect(paid.free(money(10), clock.wallMs())).toBe(10);
  });

  it("lends nothing of one where the other fails", async () => {
    const traffic = new Book({ spentBefore: () => 0, holders: () => 1 });
    const failing = { ...lendFrom(traffic, clock), borrow: () => Promise.reject(new Error("no database")) };
    const source = splitByUnit({ traffic: lendFrom(traffic, clock), money: failing });
    const wants = [
      { meter: slots(5), need: 2, like: 0 },
      { meter: money(10), need: 3, like: 0 },
    ];
    await expect(source.borrow("w", wants)).rejects.toThrow("no database");
    expect(traffic.free(slots(5), clock.wallMs())).toBe(5);
  });

  it("takes back at each, names the others of both, and says what money a holder had", async () => {
    const { traffic, paid, source } = open();
    await source.borrow("w1", [{ meter: slots(5), need: 2, like: 0 }]);
    await source.borrow("w2", [{ meter: money(100), need: 30, like: 0 }]);
    expect(source.othersWith("w3", [slots(5), money(100)])).toEqual(["w1", "w2"]);
    expect(source.othersWith("w3", [slots(5)])).toEqual(["w1"]);
    source.giveBack("w2", [{ meter: money(100), back: 5, spent: 10 }]);
    expect(paid.free(money(100), clock.wallMs())).toBe(75);
    expect([...source.drop("w2")].map(([{ id }, nano]) => [id, nano])).toEqual([["key:a usd/day", 15]]);
    expect([...source.drop("w1")]).toEqual([]);
    expect(traffic.free(slots(5), clock.wallMs())).toBe(5);
  });
});
