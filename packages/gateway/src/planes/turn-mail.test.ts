import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { TurnMail } from "./turn-mail.ts";

function mail(): { readonly handed: (readonly number[])[]; readonly mail: TurnMail<number> } {
  const handed: (readonly number[])[] = [];
  return { handed, mail: new TurnMail<number>((messages) => handed.push(messages)) };
}

it("hands over at the end of the turn, together and in order, what was said in it", async () => {
  const { handed, mail: words } = mail();
  words.say(1);
  await Promise.resolve();
  words.say(2);
  expect(handed).toEqual([]);
  await setImmediate();
  expect(handed).toEqual([[1, 2]]);
  words.say(3);
  await setImmediate();
  expect(handed).toEqual([[1, 2], [3]]);
});

it("hands over at once where it is told to, and nothing twice", async () => {
  const { handed, mail: words } = mail();
  words.flush();
  words.say(1);
  words.flush();
  words.say(2);
  words.flush();
  await setImmediate();
  expect(handed).toEqual([[1], [2]]);
});

it("keeps for the next turn what is said while it hands over", async () => {
  const handed: (readonly number[])[] = [];
  const words = new TurnMail<number>((messages) => {
    handed.push(messages);
    if (handed.length === 1) words.say(9);
  });
  words.say(1);
  await setImmediate();
  await setImmediate();
  expect(handed).toEqual([[1], [9]]);
});
