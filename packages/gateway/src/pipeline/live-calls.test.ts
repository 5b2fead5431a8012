import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { LiveCalls } from "./live-calls.ts";

const gone = failure("client_gone", "left");
const later = failure("draining", "stopping");

describe("CallControl", () => {
  it("tells whoever listens at the moment, and again where it is to stop now; the first reason holds", () => {
    const control = new LiveCalls().open();
    const told: string[] = [];
    control.listen(() => told.push("early"));
    control.listen((why) => told.push(why.kind));
    control.end(gone);
    control.end(later);
    expect(told).toEqual(["client_gone", "draining"]);
    expect(control.ended).toBe(gone);
  });

  it("tells a listener that comes too late at once", () => {
    const control = new LiveCalls().open();
    control.end(gone);
    const told: string[] = [];
    control.listen((why) => told.push(why.kind));
    expect(told).toEqual(["client_gone"]);
  });

  it("tells nobody who has stopped listening, and remembers all the same", () => {
    const control = new LiveCalls().open();
    const told: string[] = [];
    control.listen(() => told.push("told"));
    control.listen(undefined);
    control.end(gone);
    expect(told).toEqual([]);
    expect(control.ended).toBe(gone);
  });
});

describe("LiveCalls", () => {
  it("counts calls from open to close, and a second close is nothing", () => {
    const live = new LiveCalls();
    const [one, two] = [live.open(), live.open()];
    live.close(one);
    live.close(one);
    expect(live.count).toBe(1);
    live.close(two);
    expect(live.count).toBe(0);
  });

  it("is idle at once where there is no call, and else for all who wait when the last one closes", async () => {
    const live = new LiveCalls();
    await live.idle();
    const control = live.open();
    let idle = 0;
    const waiting = [live.idle(), live.idle()].map((each) => each.then(() => (idle += 1)));
    await Promise.resolve();
    expect(idle).toBe(0);
    live.close(control);
    await Promise.all(waiting);
    expect(idle).toBe(2);
  });

  it("ends every call that is left, also where ending one closes it", () => {
    const live = new LiveCalls();
    const kinds: string[] = [];
    for (let calls = 0; calls < 3; calls += 1) {
      const control = live.open();
      control.listen((why) => {
        kinds.push(why.kind);
        live.close(control);
      });
    }
    live.startDraining();
    live.endAll();
    expect(live.draining).toBe(true);
    expect(kinds).toEqual(["draining", "draining", "draining"]);
    expect(live.count).toBe(0);
  });
});
