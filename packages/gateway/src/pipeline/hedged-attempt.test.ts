import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { VirtualClock } from "#simulation/virtual-clock";
import { hedgedAttempt, type Entrant } from "./hedged-attempt.ts";
import { CallControl } from "./live-calls.ts";

interface Running {
  readonly entrant: Entrant;
  readonly control: CallControl;
  readonly end: (word: string) => void;
  readonly fail: (bug: Error) => void;
  lost: boolean;
}

/** Two attempts that do what the test says. */
function race(more: { readonly endsCall?: (word: string) => boolean; readonly second?: boolean } = {}) {
  const clock = new VirtualClock();
  const control = new CallControl();
  const running: Running[] = [];
  const begin = (entrant: Entrant, own: CallControl): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const one: Running = { entrant, control: own, end: resolve, fail: reject, lost: false };
    entrant.onLost(() => {
      one.lost = true;
      resolve("lost");
    });
    running.push(one);
    return promise;
  };
  const ends = hedgedAttempt({
    clock,
    control,
    afterMs: 100,
    first: begin,
    second: () => (more.second === false ? undefined : begin),
    endsCall: more.endsCall ?? (() => false),
  });
  return { clock, control, running, ends };
}

describe("Two attempts at one call", () => {
  it("begin one after the other, and one of them has the call, however often both ask", async () => {
    const { clock, running, ends } = race();
    expect(running).toHaveLength(1);
    clock.advance(100);
    const [first, second] = running;
    expect(second?.entrant.claim()).toBe(true);
    expect(first?.lost).toBe(true);
    expect(first?.entrant.claim()).toBe(false);
    expect(second?.entrant.claim()).toBe(true);
    second?.end("won");
    expect(await ends).toEqual(["lost", "won"]);
  });

  it("are one where the first has the call before the wait is over, or has ended", async () => {
    for (const word of ["won", "failed"]) {
      const { clock, running, ends } = race();
      if (word === "won") expect(running[0]?.entrant.claim()).toBe(true);
      if (word === "won") clock.advance(1_000);
      running[0]?.end(word);
      expect(await ends).toEqual([word]);
      clock.advance(1_000);
      expect(running).toHaveLength(1);
    }
  });

  it("are one where no second may begin after all", async () => {
    const { clock, running, ends } = race({ second: false });
    clock.advance(100);
    running[0]?.end("won");
    expect(await ends).toEqual(["won"]);
  });

  it("end where the first ends the call for all", async () => {
    const { clock, running, ends } = race({ endsCall: (word) => word === "refused" });
    clock.advance(100);
    running[0]?.end("refused");
    expect(await ends).toEqual(["refused", "lost"]);
  });

  it("both hear what ends the call from outside, and none begins afterwards", async () => {
    const { clock, control, running, ends } = race();
    clock.advance(100);
    const why = failure("client_gone", "gone");
    control.end(why);
    expect(running.map((each) => each.control.ended)).toEqual([why, why]);
    for (const each of running) each.end("cancelled");
    expect(await ends).toEqual(["cancelled", "cancelled"]);
    const early = race();
    early.control.end(why);
    early.clock.advance(100);
    expect(early.running).toHaveLength(1);
    early.running[0]?.end("cancelled");
    expect(await early.ends).toEqual(["cancelled"]);
  });

  it("leave nothing behind after a bug in either", async () => {
    const bug = new Error("a bug");
    const inFirst = race();
    inFirst.running[0]?.fail(bug);
    await expect(inFirst.ends).rejects.toBe(bug);
    inFirst.clock.advance(1_000);
    expect(inFirst.running).toHaveLength(1);

    const beside = race();
    beside.clock.advance(100);
    beside.running[0]?.fail(bug);
    await expect(beside.ends).rejects.toBe(bug);
    expect(beside.running[1]?.lost).toBe(true);

    const inSecond = race();
    inSecond.clock.advance(100);
    inSecond.running[1]?.fail(bug);
    await new Promise((resolve) => setImmediate(resolve));
    inSecond.running[0]?.end("failed");
    await expect(inSecond.ends).rejects.toBe(bug);
  });
});
