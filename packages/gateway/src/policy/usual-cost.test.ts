import fc from "fast-check";
import { expect, test } from "vitest";
import type { Target } from "#domain/plan";
import { emptyUsage } from "#domain/usage";
import { UsualCost } from "./usual-cost.ts";

const target: Target = { id: "p/m", provider: "p", model: "m", lastResort: false };
const unbounded: Target = {
  ...target,
  traits: {
    name: "m",
    capabilities: {},
    price: { input: 1e9, output: 1e9, from: { source: "test", date: "2026-11-26" } },
    from: { source: "test", date: "2026-11-26" },
  },
};

test("what a call may cost is half as much again as the dearest of the last 64, whatever came before", () => {
  const calls = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 900 })), {
    minLength: 20,
    maxLength: 200,
  });
  fc.assert(
    fc.property(calls, (noted) => {
      const usual = new UsualCost();
      for (const [bytes, output] of noted) usual.note(unbounded, bytes, { ...emptyUsage, output });
      const last = noted.slice(-64);
      const dearest = Math.max(...last.map(([, output]) => output));
      const largest = Math.max(...last.map(([bytes]) => bytes));
      const { tokens, nanoUsd } = usual.estimate(unbounded, { requestBytes: largest, askedOutput: 1_000_000 });
      expect(tokens).toBe(Math.ceil(dearest * 1.5));
      expect(nanoUsd).toBe(Math.ceil(dearest * 1_000 * 1.5));
    }),
  );
});

test("a request that is longer than any before may need as much more", () => {
  const usual = new UsualCost();
  for (let call = 0; call < 20; call += 1) usual.note(unbounded, 100, { ...emptyUsage, output: 10 });
  expect(usual.estimate(unbounded, { requestBytes: 1_000, askedOutput: 1_000_000 }).tokens).toBe(150);
});

test("too few calls say nothing of the next, and what nobody priced has no price", () => {
  const usual = new UsualCost();
  for (let call = 0; call < 19; call += 1) usual.note(target, 100, { ...emptyUsage, output: 10 });
  expect(usual.estimate(target, { requestBytes: 100, askedOutput: 500 })).toEqual({ tokens: 550 });
  usual.note(target, 100, { ...emptyUsage, output: 10 });
  expect(usual.estimate(target, { requestBytes: 100, askedOutput: 500 })).toEqual({ tokens: 15 });
});
