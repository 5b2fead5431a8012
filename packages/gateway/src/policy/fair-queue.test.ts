import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyPriorities, type KeyPriority } from "#domain/gateway-key";
import { FairQueue, type Waiting } from "./fair-queue.ts";

interface Call extends Waiting {
  readonly name: string;
}

const call = (name: string, caller: string, priority: KeyPriority = "normal"): Call => ({ name, caller, priority });

function drain(queue: FairQueue<Call>, most = Number.POSITIVE_INFINITY): string[] {
  const names: string[] = [];
  for (let head = queue.head(); head !== undefined && names.length < most; head = queue.head()) {
    queue.served(head);
    names.push(head.name);
  }
  return names;
}

describe("a fair queue", () => {
  it("serves the classes 16 : 4 : 1 while all wait", () => {
    const queue = new FairQueue<Call>();
    for (const priority of keyPriorities) {
      for (let at = 0; at < 400; at += 1) queue.add(call(priority, `${priority}-${at % 7}`, priority));
    }
    const served = drain(queue, 210);
    const of = (name: string): number => served.filter((each) => each === name).length;
    expect(of("high")).toBeCloseTo(160, -1);
    expect(of("normal")).toBeCloseTo(40, -1);
    expect(of("low")).toBeCloseTo(10, -1);
    expect(of("low")).toBeGreaterThanOrEqual(9);
  });

  it("serves one call of each caller in turn, whoever has how many", () => {
    const queue = new FairQueue<Call>();
    for (let at = 0; at < 100; at += 1) queue.add(call("burst", "many"));
    queue.add(call("single", "one"));
    queue.add(call("pair", "two"));
    queue.add(call("pair", "two"));
    expect(drain(queue, 6)).toEqual(["burst", "single", "pair", "burst", "pair", "burst"]);
  });

  it("lets a class that did not wait save nothing up", () => {
    const queue = new FairQueue<Call>();
    for (let at = 0; at < 320; at += 1) queue.add(call("high", "a", "high"));
    drain(queue, 160);
    for (let at = 0; at < 100; at += 1) queue.add(call("low", "b", "low"));
    expect(drain(queue, 34).filter((name) => name === "low").length).toBeLessThanOrEqual(3);
  });

  it("makes room at its bound for a higher class, and for a caller with fewer calls", () => {
    const queue = new FairQueue<Call>();
    for (const name of ["l1", "l2", "l3"]) queue.add(call(name, "burst", "low"));
    expect(queue.outrankedBy(call("new", "x", "high"))?.name).toBe("l3");
    expect(queue.outrankedBy(call("new", "single", "low"))?.name).toBe("l3");
    expect(queue.outrankedBy(call("new", "burst", "low"))).toBeUndefined();
    const high = new FairQueue<Call>();
    for (const name of ["h1", "h2"]) high.add(call(name, name, "high"));
    expect(high.outrankedBy(call("new", "x", "low"))).toBeUndefined();
    expect(high.outrankedBy(call("new", "h3", "high"))).toBeUndefined();
  });

  it("gives everybody who stays exactly one turn, in the order in which a caller's calls came", () => {
    const steps = fc.array(
      fc.record({
        do: fc.constantFrom("add" as const, "add" as const, "serve" as const, "leave" as const),
        caller: fc.constantFrom("a", "b", "c"),
        priority: fc.constantFrom(...keyPriorities),
        which: fc.nat(20),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(steps, (doing) => {
        const queue = new FairQueue<Call>();
        const waiting: Call[] = [];
        const turns = new Map<string, string[]>();
        const turnOf = (served: Call): void => {
          const line = `${served.priority} ${served.caller}`;
          expect(waiting).toContain(served);
          const first = waiting.find((each) => each.caller === served.caller && each.priority === served.priority);
          expect(served).toBe(first);
          waiting.splice(waiting.indexOf(served), 1);
          turns.set(line, [...(turns.get(line) ?? []), served.name]);
        };
        for (const [at, step] of doing.entries()) {
          if (step.do === "add") {
            const added = call(String(at), step.caller, step.priority);
            queue.add(added);
            waiting.push(added);
          }
          const head = queue.head();
          if (step.do === "serve" && head !== undefined) {
            queue.served(head);
            turnOf(head);
          }
          const [left] = step.do === "leave" ? waiting.splice(step.which % Math.max(1, waiting.length), 1) : [];
          if (left !== undefined) queue.remove(left);
          expect(queue.size).toBe(waiting.length);
        }
        for (let head = queue.head(); head !== undefined; head = queue.head()) {
          queue.served(head);
          turnOf(head);
        }
        expect(waiting).toEqual([]);
        expect(queue.size).toBe(0);
      }),
    );
  });
});
