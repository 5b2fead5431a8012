import type { WorkerLoad } from "#pipeline/data-plane";
import { LagMeter, LoadShedding } from "#policy/load-shedding";
import type { MetricsSample } from "./metrics.ts";

export interface LoadWatch extends WorkerLoad {
  close(): void;
}

const everyMs = 100;

/** Looks ten times a second at how late this process is, and at what it holds. */
export function watchLoad(mostLagMs: () => number): LoadWatch {
  const lag = new LagMeter(everyMs);
  let memoryBytes = process.memoryUsage.rss();
  const timer = setInterval(() => {
    lag.look(performance.now(), mostLagMs());
    memoryBytes = process.memoryUsage.rss();
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

export function shedFamilies({ counts }: LoadShedding): MetricsSample {
  if (counts.length === 0) return [];
  const series = counts.map(({ priority, cause, calls }) => ({ labels: [priority, cause], values: [calls] }));
  return [{ name: "hedgerow_shed_calls_total", series }];
}
