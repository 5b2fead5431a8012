import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { configurationFor, eventually, Place, stream } from "./gateway-process.ts";

/** More than the worker has room for: each call needs a descriptor for its caller and one for the provider. */
const streams = 100;
const room = 60;

function limitable(): boolean {
  try {
    execFileSync("prlimit", ["--pid", String(process.pid), "--nofile"], { stdio: "ignore" });
    return readdirSync("/proc/self/fd").length > 0;
  } catch {
    return false;
  }
}

const canLimit = limitable();
if (!canLimit) console.log("descriptors: there is no prlimit or no /proc here; the unit test of watch-load plays it.");

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({
    script: [{ behaviour: { answer: { chunks: ["one ", "two ", "three "] }, interChunkDelayMs: 500 } }],
  });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

describe.skipIf(!canLimit)("a worker without descriptors to open", { timeout: 180_000 }, () => {
  it("finishes the calls it has, lives, and answers again when some are free", async () => {
    place.write(configurationFor(simulator).replace("workers: 2", "workers: 1"));
    const gateway = place.start();
    const url = await gateway.ready();
    expect((await stream(url)).kind).toBe("complete");
    const pid = place.workers()[0]?.pid ?? 0;
    const open = readdirSync(`/proc/${pid}/fd`).length;
    execFileSync("prlimit", ["--pid", String(pid), `--nofile=${open + room}:${open + room}`]);

    const seen = await Promise.all(Array.from({ length: streams }, () => stream(url)));
    const kinds = Map.groupBy(seen, ({ kind }) => kind);
    const [whole, rest] = [kinds.get("complete") ?? [], streams - (kinds.get("complete") ?? []).length];
    expect(whole.length).toBeGreaterThan(0);
    // Else the room was enough, and nothing was shown.
    expect(rest).toBeGreaterThan(0);

    await eventually(async () => expect((await stream(url)).kind).toBe("complete"));
    expect(place.workers().map((worker) => worker.pid)).toEqual([pid]);
    await gateway.stop();
    const calls = place.calls();
    for (const { id } of whole) expect(calls.get(id)).toBe("answered");
    // Who has an id was taken, and is written down however it ended.
    for (const { id } of seen.filter((each) => each.id !== "")) expect([...calls.keys()]).toContain(id);
  });
});
