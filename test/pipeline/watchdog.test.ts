import { beforeEach, describe, expect, it } from "vitest";
import type { Failure } from "#domain/failure";
import type { Timeouts } from "#domain/plan";
import { Watchdog, type WatchdogOptions } from "#pipeline/watchdog";
import { VirtualClock } from "#simulation/virtual-clock";

const timeouts: Timeouts = {
  connectMs: 1_000,
  firstByteMs: 2_000,
  firstTokenMs: 5_000,
  idleMs: 3_000,
  contentIdleMs: 8_000,
  totalMs: 60_000,
};

let clock: VirtualClock;
let fired: { readonly atMs: number; readonly failure: Failure }[];
let heartbeats: number[];

beforeEach(() => {
  clock = new VirtualClock();
  fired = [];
  heartbeats = [];
});

function watch(more: Partial<WatchdogOptions> = {}): Watchdog {
  return new Watchdog({
    clock,
    timeouts,
    deadlineAtMs: 60_000,
    streamed: true,
    heartbeatMs: 100_000,
    onTimeout: (failure) => fired.push({ atMs: clock.nowMs(), failure }),
    onQuiet: () => heartbeats.push(clock.nowMs()),
    ...more,
  });
}

/** Does something every so many milliseconds, from now until then. */
function every(stepMs: number, untilMs: number, act: (nowMs: number) => void): void {
  while (clock.nowMs() + stepMs <= untilMs) {
    clock.advance(stepMs);
    act(clock.nowMs());
  }
}

function expectFired(kind: Failure["kind"], atMs: number): void {
  clock.advance(200_000);
  expect(fired).toMatchObject([{ atMs, failure: { kind } }]);
  expect(clock.pending).toBe(0);
}

describe("the deadlines of a stream", () => {
  it("name the first byte, to the millisecond", () => {
    watch();
    clock.advance(1_999);
    expect(fired).toEqual([]);
    expectFired("first_byte_timeout", 2_000);
    expect(fired[0]?.failure.message).toContain("2000 ms");
  });

  it("name the first content where bytes come and say nothing", () => {
    const watchdog = watch();
    every(1_000, 4_000, (nowMs) => watchdog.sawByte(nowMs));
    expectFired("first_content_timeout", 5_000);
  });

  it("name the transport where bytes stop, before and after the first content", () => {
    const watchdog = watch();
    clock.advance(500);
    watchdog.sawByte(500);
    expectFired("transport_idle_timeout", 3_500);
    fired = [];
    const second = watch({ deadlineAtMs: 400_000 });
    const startMs = clock.nowMs();
    second.sawByte(startMs);
    second.sawContent(startMs);
    every(2_999, startMs + 2_999, (nowMs) => second.sawByte(nowMs));
    expectFired("transport_idle_timeout", startMs + 2_999 + 3_000);
  });

  it("name the content where only pings come", () => {
    const watchdog = watch();
    watchdog.sawByte(0);
    watchdog.sawContent(0);
    every(1_000, 7_000, (nowMs) => watchdog.sawByte(nowMs));
    clock.advance(999);
    expect(fired).toEqual([]);
    expectFired("content_idle_timeout", 8_000);
  });

  it("name the whole call, whatever still moves, and it wins where two are due together", () => {
    const watchdog = watch();
    every(1_000, 59_000, (nowMs) => {
      watchdog.sawByte(nowMs);
      watchdog.sawContent(nowMs);
    });
    expect(fired).toEqual([]);
    expectFired("total_timeout", 60_000);
    fired = [];
    watch({ deadlineAtMs: clock.nowMs() + 2_000 });
    const atMs = clock.nowMs() + 2_000;
    expectFired("total_timeout", atMs);
  });

  it("are moved by progress, also by progress just before one is due", () => {
    const watchdog = watch();
    clock.advance(1_999);
    watchdog.sawByte(1_999);
    clock.advance(2_999);
    watchdog.sawByte(4_998);
    watchdog.sawContent(4_998);
    clock.advance(2_999);
    expect(fired).toEqual([]);
    expectFired("transport_idle_timeout", 7_998);
  });

  it("leave a share of the time to others, until there is content", () => {
    watch({ shareMs: 1_500 });
    expectFired("first_byte_timeout", 1_500);
    fired = [];
    const startMs = clock.nowMs();
    const silent = watch({ shareMs: 2_500, deadlineAtMs: startMs + 60_000 });
    silent.sawByte(startMs);
    expectFired("first_content_timeout", startMs + 2_500);
    fired = [];
    const thenMs = clock.nowMs();
    const talking = watch({ shareMs: 1_500, deadlineAtMs: thenMs + 60_000 });
    talking.sawByte(thenMs);
    talking.sawContent(thenMs);
    expectFired("transport_idle_timeout", thenMs + 3_000);
  });
});

describe("the deadlines of an answer in one piece", () => {
  it("are the whole call's alone while nobody else could be asked: it may think for long", () => {
    watch({ streamed: false });
    expectFired("total_timeout", 60_000);
  });

  it("are a share where somebody else could be asked", () => {
    watch({ streamed: false, shareMs: 30_000 });
    expectFired("first_byte_timeout", 30_000);
  });

  it("are the transport's once it has begun", () => {
    const watchdog = watch({ streamed: false, shareMs: 30_000 });
    clock.advance(29_999);
    watchdog.sawByte(29_999);
    expectFired("transport_idle_timeout", 32_999);
  });
});

describe("a client that holds the provider up", () => {
  it("stops every deadline but the whole call's, and starts them anew", () => {
    const watchdog = watch();
    watchdog.sawByte(0);
    watchdog.sawContent(0);
    clock.advance(2_000);
    watchdog.paused(2_000);
    clock.advance(30_000);
    expect(fired).toEqual([]);
    watchdog.resumed(32_000);
    clock.advance(2_999);
    expect(fired).toEqual([]);
    expectFired("transport_idle_timeout", 35_000);
  });

  it("does not move the end of the whole call", () => {
    const watchdog = watch();
    watchdog.sawByte(0);
    watchdog.sawContent(0);
    watchdog.paused(0);
    expectFired("total_timeout", 60_000);
  });

  it("gets no heartbeat: it has more waiting than it takes", () => {
    const watchdog = watch({ heartbeatMs: 1_000 });
    watchdog.sawByte(0);
    watchdog.sawContent(0);
    watchdog.wroteDownstream(0);
    watchdog.paused(0);
    clock.advance(50_000);
    expect(heartbeats).toEqual([]);
    watchdog.stop();
  });
});

describe("heartbeats", () => {
  it("come after silence towards the client, and never before anything went to it", () => {
    const watchdog = watch({ heartbeatMs: 1_000 });
    clock.advance(1_900);
    expect(heartbeats).toEqual([]);
    watchdog.sawByte(1_900);
    watchdog.sawContent(1_900);
    watchdog.wroteDownstream(1_900);
    clock.advance(2_500);
    expect(heartbeats).toEqual([2_900, 3_900]);
    watchdog.sawByte(4_400);
    watchdog.wroteDownstream(4_400);
    clock.advance(1_100);
    expect(heartbeats).toEqual([2_900, 3_900, 5_400]);
    watchdog.stop();
  });

  it("do not keep a silent provider alive", () => {
    const watchdog = watch({ heartbeatMs: 1_000 });
    watchdog.sawByte(0);
    watchdog.sawContent(0);
    watchdog.wroteDownstream(0);
    expectFired("transport_idle_timeout", 3_000);
    expect(heartbeats).toEqual([1_000, 2_000]);
  });
});

describe("a watchdog", () => {
  it("is silent once stopped, and leaves no timer", () => {
    const watchdog = watch();
    watchdog.stop();
    watchdog.resumed(0);
    watchdog.sawByte(0);
    expect(clock.pending).toBe(0);
    clock.advance(100_000);
    expect(fired).toEqual([]);
  });

  it("fires once, and at once where its time has passed already", () => {
    clock.advance(70_000);
    watch();
    clock.advance(1);
    expectFired("total_timeout", 70_001);
  });

  it("costs one timer, however much comes", () => {
    const watchdog = watch();
    for (let nowMs = 0; nowMs < 1_000; nowMs += 1) {
      clock.advance(1);
      watchdog.sawByte(clock.nowMs());
      watchdog.sawContent(clock.nowMs());
      expect(clock.pending).toBe(1);
    }
    watchdog.stop();
  });

  it("sleeps no longer than Node can", () => {
    const delays: number[] = [];
    const spying = {
      nowMs: () => 0,
      wallMs: () => 0,
      timer(delayMs: number) {
        delays.push(delayMs);
        return () => {};
      },
    };
    const forever = { ...timeouts, totalMs: 1e12, idleMs: 1e12 };
    watch({ clock: spying, timeouts: forever, deadlineAtMs: 1e12, streamed: false });
    expect(delays).toEqual([2 ** 31 - 1]);
  });

  it("sets one timer for a stream that goes on", () => {
    const timer = clock.timer.bind(clock);
    let timers = 0;
    clock.timer = (delayMs, then) => {
      timers += 1;
      return timer(delayMs, then);
    };
    const dog = watch({ heartbeatMs: 4_000 });
    every(100, 1_900, (nowMs) => {
      dog.sawByte(nowMs);
      dog.sawContent(nowMs);
      dog.wroteDownstream(nowMs);
    });
    expect(timers).toBe(1);
    dog.stop();
  });
});
