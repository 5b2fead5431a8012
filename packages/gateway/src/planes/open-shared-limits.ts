import { randomUUID } from "node:crypto";
import type { SharedSettings } from "#control/config/compile-context";
import { Connection } from "#control/shared-limits/connection";
import { sharedScripts } from "#control/shared-limits/scripts";
import { SharedServer } from "#control/shared-limits/shared-server";
import { SharedSource } from "#control/shared-limits/shared-source";
import type { LendingSource } from "#ledger/node-lender";
import type { Log } from "./log.ts";
import { bucketBounds, type MetricsSample } from "./metrics.ts";
import { systemClock } from "./system-clock.ts";

export interface SharedLimits {
  readonly source: LendingSource;
  /** For the supervisor's part of `/metrics`. */
  metrics(): MetricsSample;
  /** What this node holds is free for others at once. */
  close(): Promise<void>;
}

export interface SharedLimitsOptions {
  readonly workers: number;
  readonly log: Pick<Log, "info" | "warn">;
}

/** A node begins without the server if it does not answer in this time, ms. */
const startWithinMs = 1_000;

const without: Readonly<Record<SharedSettings["down"], string>> = {
  deny: "calls that limits hold for are refused",
  "local-share": "this node holds to its share of them",
  allow: "nobody is held to them",
};

/**
 * Begins to count with other nodes, where that is configured. Resolves when the server has heard of this one, or has not
 * within a second.
 */
export async function openSharedLimits(
  settings: SharedSettings | undefined,
  { workers, log }: SharedLimitsOptions,
): Promise<SharedLimits | undefined> {
  if (settings === undefined) return undefined;
  const clock = systemClock;
  const { url, prefix, down } = settings;
  // The host alone: the address may hold a password.
  const server = URL.parse(url.reveal())?.host ?? "";
  const tally = new Tally();
  const scripts = sharedScripts();
  const began = Promise.withResolvers<void>();
  const runner = new Connection({
    url,
    scripts: Object.values(scripts),
    clock,
    onReady: () => source.connected(),
  });
  // A new name for every start: what an earlier run held is free when its lease ends.
  const node = randomUUID();
  const source = new SharedSource({
    server: new SharedServer({ runner, scripts, prefix, node, workers, clock }),
    clock,
    workers,
    down,
    onReach(why) {
      began.resolve();
      if (why === undefined) log.info("limits are counted with all nodes", { server, nodes: source.nodes });
      else log.warn(`limits are not counted with other nodes: ${without[down]}`, { server, why, nodes: source.nodes });
    },
    onAsked: (ms) => tally.add(ms),
  });
  const cancel = clock.timer(startWithinMs, () => {
    began.resolve();
    log.warn(`limits are not counted with other nodes: ${without[down]}`, { server, why: runner.why });
  });
  await began.promise;
  cancel();
  return {
    source,
    metrics: () => [
      { name: "hedgerow_shared_up", series: [{ labels: [], values: [source.isUp ? 1 : 0] }] },
      { name: "hedgerow_shared_nodes", series: [{ labels: [], values: [source.nodes] }] },
      { name: "hedgerow_shared_borrow_seconds", series: [{ labels: [], values: tally.values }] },
    ],
    async close() {
      await source.close();
      runner.close();
    },
  };
}

/** A histogram in the shape of `/metrics`: a count for each bound, one for beyond, and the sum of seconds. */
class Tally {
  readonly values: number[] = Array.from({ length: bucketBounds.length + 2 }, () => 0);

  add(ms: number): void {
    const seconds = ms / 1000;
    const found = bucketBounds.findIndex((bound) => seconds <= bound);
    const at = found === -1 ? bucketBounds.length : found;
    this.values[at] = (this.values[at] ?? 0) + 1;
    this.values[bucketBounds.length + 1] = (this.values[bucketBounds.length + 1] ?? 0) + seconds;
  }
}
