import { describe, expect, it } from "vitest";
import type { PipelineWorld } from "./pipeline-world.ts";
import { gatedWorld, onlyRecord, stream, sure, unsure, type Setting } from "./gated-world.ts";

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
