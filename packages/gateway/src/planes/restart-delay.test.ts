import { expect, it } from "vitest";
import { restartDelayMs } from "./restart-delay.ts";

it("doubles the delay of a worker that keeps dying, up to ten seconds", () => {
  const delays: number[] = [];
  let failures = 0;
  for (let time = 0; time < 9; time += 1) {
    const next = restartDelayMs(failures, 5_000);
    delays.push(next.delayMs);
    ({ failures } = next);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

it("begins anew after a minute without trouble", () => {
  expect(restartDelayMs(8, 60_000)).toEqual({ delayMs: 100, failures: 1 });
});
