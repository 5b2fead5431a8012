import type { WorkerLoad } from "#pipeline/data-plane";
import type { WaitingRoom } from "#pipeline/waiting-room";
import { LagMeter, LoadShedding } from "#policy/load-shedding";
import type { MetricsSample } from "./metrics.ts";

export interface LoadWatch extends WorkerLoad {
  close(): void;
}

const everyMs = 100;

/** Looks ten times a second at how late this process is, and at what it holds. */
export function watchLoad(mostLagMs: () => number, rss: () => number = () => process.memoryUsage.rss()): LoadWatch {
  const lag = new LagMeter(everyMs);
  let memoryBytes = rss();
  const timer = setInterval(() => {
    lag.look(performance.now(), mostLagMs());
    try {
      memoryBytes = rss();
    } catch {
      // It is read from a file: with no descriptor left that throws, and the calls that have theirs go on.
    }
  }, everyMs).unref();
  return {
    shedding: new LoadShedding(),
    get lagMs() {
      return lag.lagMs;
    },
    get memoryBytes() {
      return memoryBytes;
    },
    close: () => clearInterval(timer),
  };
}

/** Who is refused for want of room, and who waits for it; nothing of what never was. */
export function loadFamilies({ counts }: LoadShedding, room: WaitingRoom): MetricsSample {
  const shed = counts.map(({ priority, cause, calls }) => ({ labels: [priority, cause], values: [calls] }));
  const queued = Object.entries(room.counts).filter(([, calls]) => calls > 0);
  const ended = queued.map(([outcome, calls]: [string, number]) => ({ labels: [outcome], values: [calls] }));
  const waiting = [{ labels: [], values: [room.size] }];
  return [
    ...(shed.length === 0 ? [] : [{ name: "hedgerow_shed_calls_total" as const, series: shed }]),
    ...(ended.length === 0 ? [] : [{ name: "hedgerow_queued_calls_total" as const, series: ended }]),
    ...(ended.length + room.size === 0 ? [] : [{ name: "hedgerow_queue_waiting" as const, series: waiting }]),
  ];
}
