import { describe, expect, it } from "vitest";
import type { PipelineWorld } from "./pipeline-world.ts";
import { finish, gatedWorld, onlyRecord, stream, sure, told, unsure, type Setting } from "./gated-world.ts";
import { done } from "./pipeline-world.ts";

const usualMs = 1_000;

/** A route whose first target is known to take a second, with enough traffic for one hedge. */
function hedgedWorld(setting: Setting = {}): PipelineWorld {
  const world = gatedWorld({ ...setting, route: { hedge: { share: 0.02, sideEffects: false } } });
  for (let n = 0; n < 50; n += 1) {
    world.plane.retryBudgets.of("main").deposit(world.clock.nowMs());
    world.plane.speeds.note("a/m", { firstContentMs: usualMs }, world.clock.nowMs());
  }
  return world;
}

describe("A gate on a route that hedges", () => {
  it("asks again whom the hedge cut short, once the quicker answer is doubted", async () => {
    const world = hedgedWorld();
    const { exchange, done: served } = await world.chat({ stream: true });
    await world.advance(usualMs);
    expect(world.sent).toHaveLength(2);
    stream(world.request(0), [["quick", unsure]]);
    expect(world.request(1).cancelled).toBe(true);
    await world.settle();
    expect(world.sent).toHaveLength(3);
    stream(world.request(2), [["right", sure]]);
    await served;
    expect(exchange.status).toBe(200);
    expect(exchange.text).toContain("right");
    expect(onlyRecord(world).attempts).toMatchObject([
      { target: "a/m", outcome: "doubted" },
      { target: "b/m", outcome: "outrun" },
      { target: "b/m", outcome: "answered" },
    ]);
  });
});

const words = (name: string, [from, to]: readonly [number, number], logprob: number): string =>
  Array.from({ length: to - from }, (_, at) => told(`${name}${from + at} `, logprob)).join("");

describe("A target that is asked beside a prefix whose confidence falls", () => {
  const rule = { stream: "prefix" as const, hedgeBelow: 0.5, min: 0.2 };

  it("sends nothing while the first may still be given", async () => {
    const world = gatedWorld({ rule });
    const { exchange, done: served } = await world.chat({ stream: true });
    world
      .request(0)
      .head()
      .bytes(words("a", [0, 8], -2));
    await world.settle();
    expect(world.sent).toHaveLength(2);
    world
      .request(1)
      .head()
      .bytes(words("b", [0, 20], sure));
    await world.settle();
    expect(exchange.text).toBe("");
    world
      .request(0)
      .bytes(words("a", [8, 200], sure) + finish + done)
      .end();
    await served;
    expect(exchange.text).toContain("a199");
    expect(exchange.text).not.toContain("b0");
    expect(world.request(1).cancelled).toBe(true);
    onlyRecord(world);
  });

  it("has not answered where it was done before the first, which is given", async () => {
    const world = gatedWorld({ rule: { hedgeBelow: 0.5, min: 0.2 } });
    const { done: served } = await world.chat({ stream: true });
    world
      .request(0)
      .head()
      .bytes(words("a", [0, 8], -2));
    await world.settle();
    stream(world.request(1), [["early", sure]]);
    await world.settle();
    world
      .request(0)
      .bytes(words("a", [8, 200], sure) + finish + done)
      .end();
    await served;
    expect(onlyRecord(world).attempts).toMatchObject([
      { target: "a/m", outcome: "answered" },
      { target: "b/m", outcome: "outrun" },
    ]);
  });

  it("is given whole where the first is doubted", async () => {
    const world = gatedWorld({ rule: { ...rule, min: 0.85 } });
    const { exchange, done: served } = await world.chat({ stream: true });
    world
      .request(0)
      .head()
      .bytes(words("a", [0, 8], -2));
    await world.settle();
    world
      .request(1)
      .head()
      .bytes(words("b", [0, 20], sure));
    world.request(0).bytes(words("a", [8, 17], -2));
    await world.settle();
    world
      .request(1)
      .bytes(words("b", [20, 24], sure) + finish + done)
      .end();
    await served;
    expect(exchange.text).toContain("b23");
    expect(exchange.text).not.toContain("a0");
    expect(onlyRecord(world)).toMatchObject({ decision: "escalated" });
  });
});
