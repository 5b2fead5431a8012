import { beforeEach, describe, expect, it } from "vitest";
import { CommitGate, type GateOptions } from "#pipeline/gate";
import { Outlet } from "#pipeline/outlet";
import { VirtualClock } from "#simulation/virtual-clock";
import { FakeExchange } from "./pipeline-world.ts";

let exchange: FakeExchange;
let clock: VirtualClock;
let told: string[];
let bugs: unknown[];

beforeEach(() => {
  exchange = new FakeExchange({});
  clock = new VirtualClock();
  told = [];
  bugs = [];
});

function options(): GateOptions {
  return {
    exchange,
    clock,
    stalledMs: 1_000,
    maxHeldBytes: 20,
    heartbeat: bytes("♥"),
    onFull: () => void told.push("full"),
    onFree: () => void told.push("free"),
    onStalled: () => void told.push("stalled"),
    onWrote: () => void told.push("wrote"),
    guard(work) {
      try {
        work();
      } catch (bug) {
        bugs.push(bug);
      }
    },
  };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** As the attempt does after each of the upstream's reads. */
async function give(gate: CommitGate, ...pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) gate.add(bytes(piece), piece.length);
  gate.flushSoon();
  await Promise.resolve();
}

describe("CommitGate", () => {
  it("holds everything until it is committed, then gives all of it in order", async () => {
    const gate = new CommitGate(options());
    await give(gate, "a", "b");
    expect(exchange).toMatchObject({ text: "", status: 0 });
    expect(gate.bytes).toBe(2);
    gate.commit({ "x-a": "1" });
    await give(gate, "c");
    expect(exchange).toMatchObject({ text: "abc", status: 200, fields: { "x-a": "1" } });
    expect(gate).toMatchObject({ committed: true, bytes: 3 });
  });

  it("writes what one read of the upstream brought in one go", async () => {
    const gate = new CommitGate(options());
    gate.commit({});
    await give(gate, "a", "b", "c");
    await give(gate);
    await give(gate, "", "d");
    expect(told).toEqual(["wrote", "wrote"]);
    expect(exchange.text).toBe("abcd");
  });

  it("gives neighbours in memory without copying them, and strangers in order all the same", async () => {
    const written: Uint8Array[] = [];
    exchange.write = (piece) => written.push(piece) > 0;
    const whole = Buffer.from("one two three ");
    const gate = new CommitGate(options());
    gate.commit({});
    gate.add(whole.subarray(0, 4), 4);
    gate.add(whole.subarray(4, 8), 4);
    gate.flushSoon();
    await Promise.resolve();
    expect(written[0]?.buffer).toBe(whole.buffer);
    await give(gate, "x", "y");
    gate.add(whole.subarray(8), 6);
    gate.add(whole.subarray(0, 4), 4);
    gate.flushSoon();
    await Promise.resolve();
    expect(written.map((piece) => Buffer.from(piece).toString())).toEqual(["one two ", "xy", "three one "]);
  });

  it("keeps the completing bytes back until it may finish, and lets them be edited", async () => {
    const gate = new CommitGate(options());
    gate.commit({});
    await give(gate, "words ");
    gate.holdLast(bytes("[DONE]"));
    expect(gate.bytes).toBe(12);
    gate.close();
    expect(exchange.text).toBe("words ");
    gate.finish((last) => bytes(`facts ${Buffer.from(last).toString()}`));
    expect(exchange).toMatchObject({ text: "words facts [DONE]", ended: true });
  });

  it("gives what was on its way when it closed with the end, and once", async () => {
    const gate = new CommitGate(options());
    gate.commit({});
    gate.add(bytes("last words "), 11);
    gate.flushSoon();
    gate.close();
    await Promise.resolve();
    expect(exchange.text).toBe("");
    gate.finish((last) => last);
    expect(exchange.text).toBe("last words ");
  });

  it("breaks off behind what was said, without the completion it held", async () => {
    const gate = new CommitGate(options());
    gate.commit({});
    gate.add(bytes("half "), 5);
    gate.holdLast(bytes("[DONE]"));
    gate.close();
    gate.breakOff(bytes("error"));
    expect(exchange).toMatchObject({ text: "half error", ended: true });
  });

  it("beats only between commit and close, and not into a full client", async () => {
    const gate = new CommitGate(options());
    gate.heartbeat();
    expect(exchange.text).toBe("");
    gate.commit({});
    gate.heartbeat();
    expect(exchange.text).toBe("♥");
    exchange.takes = false;
    await give(gate, "a");
    gate.heartbeat();
    exchange.drain();
    gate.close();
    gate.heartbeat();
    expect(exchange.text).toBe("♥a");
  });

  it("lets no exception of a socket out into the event loop", async () => {
    exchange.write = () => {
      throw new Error("no such header");
    };
    const gate = new CommitGate(options());
    gate.commit({});
    await give(gate, "a");
    gate.heartbeat();
    expect(bugs).toHaveLength(2);
  });
});

describe("Outlet", () => {
  it("stops the upstream once when its client is full, and frees it once", () => {
    const outlet = new Outlet(options());
    exchange.takes = false;
    outlet.write(bytes("one"));
    outlet.write(bytes("two"));
    expect(outlet).toMatchObject({ full: true, bytes: 6 });
    exchange.drain();
    exchange.drain();
    expect(told).toEqual(["full", "free"]);
    expect(clock.pending).toBe(0);
  });

  it("gives up a client that takes nothing for so long, counted from the moment it was full", () => {
    const outlet = new Outlet(options());
    outlet.write(bytes("fine"));
    clock.advance(5_000);
    exchange.takes = false;
    outlet.write(bytes("full"));
    clock.advance(999);
    expect(told).toEqual(["full"]);
    clock.advance(1);
    expect(told).toEqual(["full", "stalled"]);
  });

  it("says nothing more once it is closed, and leaves no timer", () => {
    const outlet = new Outlet(options());
    exchange.takes = false;
    outlet.write(bytes("full"));
    outlet.close();
    exchange.drain();
    clock.advance(5_000);
    expect(told).toEqual(["full"]);
    expect(clock.pending).toBe(0);
  });

  it("writes nothing for nothing: an empty first piece would send the head", () => {
    const outlet = new Outlet(options());
    exchange.write = () => {
      throw new Error("written");
    };
    outlet.write(new Uint8Array(0));
    expect(outlet.bytes).toBe(0);
  });
});
