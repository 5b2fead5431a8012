import { expect, it } from "vitest";
import { failure } from "#domain/failure";
import type { HealthHint } from "#domain/health";
import { Health } from "#policy/health";
import { HealthBoard } from "./health-board.ts";

const place = (credential: string) => ({ provider: "a", model: "m", credential });

function limited(credential: string, retryAfterMs: number): readonly HealthHint[] {
  const health = new Health();
  health.begin(place(credential), 0).failed(failure("rate_limited", "x", { retryAfterMs }), 0, 0.5);
  return health.takeHints(0);
}

it("gives a worker that starts late what is left of what others found out", () => {
  const board = new HealthBoard();
  board.take(limited("a#1", 10_000), 500);
  board.take(limited("a#2", 1_000), 500);
  const late = new Health();
  late.hear(board.view(4_500), 77);
  expect(late.readiness(place("a#1"), 77)).toMatchObject({ untilMs: 6_077 });
  expect(late.readiness(place("a#2"), 77).kind).toBe("ready");
});

it("keeps the latest word on a scope, forgets what ended well, and all of it with another configuration", () => {
  const board = new HealthBoard();
  board.take(limited("a#1", 10_000), 0);
  board.take(limited("a#1", 20_000), 0);
  expect(board.view(0)).toMatchObject([{ coolForMs: 20_000 }]);
  board.take([{ ...limited("a#1", 1)[0]!, closed: true }], 0);
  expect(board.view(0)).toEqual([]);
  board.take(limited("a#1", 10_000), 0);
  board.clear();
  expect(board.view(0)).toEqual([]);
});

it("keeps a bounded number of scopes, the latest", () => {
  const board = new HealthBoard();
  for (let n = 0; n < 1_100; n += 1) board.take(limited(`a#${n}`, 10_000), 0);
  const view = board.view(0);
  expect(view.length).toBe(1_024);
  expect(view.at(-1)).toMatchObject({ scope: { credential: "a#1099" } });
});
