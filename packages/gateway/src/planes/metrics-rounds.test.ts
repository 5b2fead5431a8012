import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MetricsRounds } from "./metrics-rounds.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function rounds() {
  const asked: string[] = [];
  const answers: string[] = [];
  const made = new MetricsRounds<string, readonly unknown[]>({
    ask: (worker, id) => asked.push(`${worker} ${id}`),
    answer: (asker, id, reports) => answers.push(`${asker} ${id}: ${reports.length}`),
  });
  return { made, asked, answers };
}

describe("a round of metrics", () => {
  it("asks the others and answers as soon as all have answered", () => {
    const { made, asked, answers } = rounds();
    made.begin("w1", 77, ["w2", "w3"]);
    expect(asked).toEqual(["w2 1", "w3 1"]);
    made.take("w2", 1, []);
    expect(answers).toEqual([]);
    made.take("w3", 1, []);
    expect(answers).toEqual(["w1 77: 2"]);
  });

  it("does not wait long for a worker that hangs, nor at all for one that died", () => {
    const { made, answers } = rounds();
    made.begin("w1", 1, ["w2", "w3"]);
    made.take("w2", 1, []);
    vi.advanceTimersByTime(150);
    expect(answers).toEqual(["w1 1: 1"]);
    made.take("w3", 1, []);
    made.begin("w1", 2, ["w3"]);
    made.forget("w3");
    expect(answers).toEqual(["w1 1: 1", "w1 2: 0"]);
  });

  it("answers at once where there is nobody else, and ignores a second answer of one worker", () => {
    const { made, answers } = rounds();
    made.begin("w1", 1, []);
    made.begin("w1", 2, ["w2", "w3"]);
    made.take("w2", 2, []);
    made.take("w2", 2, []);
    expect(answers).toEqual(["w1 1: 0"]);
  });
});
