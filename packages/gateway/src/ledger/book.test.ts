import { expect, it } from "vitest";
import type { Meter } from "#domain/account";
import { Book } from "./book.ts";

const slots = (key: string): Meter => ({ id: `key:${key} slots`, account: `key:${key}`, unit: "slots", limit: 10 });

function openBook(mostMeters: number) {
  const book = new Book({ spentBefore: () => 0, holders: () => 1, mostMeters });
  const lend = (key: string): void => {
    expect(book.borrow("w1", [{ meter: slots(key), need: 1, like: 0 }], 0).kind).toBe("lent");
  };
  const back = (key: string): void => book.giveBack("w1", [{ meter: slots(key), back: 1, spent: 0 }], 0);
  return { book, lend, back };
}

it("never forgets a meter of which something is lent, however many come", () => {
  const { book, lend, back } = openBook(8);
  lend("kept");
  for (let index = 0; index < 1_000; index += 1) {
    lend(`k${index}`);
    back(`k${index}`);
  }
  expect(book.free(slots("kept"), 0)).toBe(9);
  expect(book.size).toBeLessThanOrEqual(8);
});

it("grows where all is lent, and comes back to its bound once that is given back", () => {
  const { book, lend, back } = openBook(8);
  for (let index = 0; index < 100; index += 1) lend(`k${index}`);
  expect(book.size).toBe(100);
  for (let index = 0; index < 100; index += 1) back(`k${index}`);
  for (let index = 0; index < 30; index += 1) lend(`n${index}`);
  // The thirty that are lent, and hardly any of the others.
  expect(book.size).toBeLessThan(40);
});

it("forgets who was not used since it was last looked at, and not who is used all the time", () => {
  const { book, lend, back } = openBook(64);
  // What was noted of it, and is in no ledger here, goes with its meter.
  const busy: Meter = { ...slots("busy"), unit: "money", period: "day", limit: 1_000 };
  book.note(busy, 300, 0);
  for (let index = 0; index < 1_000; index += 1) {
    expect(book.free(busy, 0)).toBe(700);
    lend(`k${index}`);
    back(`k${index}`);
  }
  expect(book.size).toBeLessThanOrEqual(64);
});
