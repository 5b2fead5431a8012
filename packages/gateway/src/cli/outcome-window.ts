import { resolve } from "node:path";
import { readConfiguration } from "#control/config/configuration";
import { renderProblem } from "#control/config/problem";
import { parseAge } from "#control/config/units";
import { outcomeSeries } from "#control/reports/outcome-series";
import type { OutcomeSeries } from "#supply/mine-edges";
import { targetGroups } from "#supply/target-groups";
import { UsageError, type CommandIo } from "./command.ts";
import { withRecordedCalls } from "./recorded-calls.ts";
import { terminalLine } from "./terminal-text.ts";

/** As on the command line. */
export interface WindowWish {
  readonly config?: string | undefined;
  /** `7d`, `30m`. */
  readonly since?: string | undefined;
  readonly every?: string | undefined;
  readonly data?: string | undefined;
  readonly json: boolean;
}

/** What recorded calls show of targets, over a span of time. */
export interface OutcomeWindow {
  readonly series: readonly OutcomeSeries[];
  readonly sinceMs: number;
  readonly nowMs: number;
  /** The data folder. */
  readonly folder: string;
}

/** Reads configuration and records and gives how every target did, or says what is wrong and gives 1. */
export function withOutcomes(
  wish: WindowWish,
  io: CommandIo,
  then: (window: OutcomeWindow) => number,
): Promise<number> {
  const nowMs = Date.now();
  const sinceMs = nowMs - durationOf("--since", wish.since ?? "7d");
  const intervalMs = durationOf("--every", wish.every ?? "30m");
  if (intervalMs < 1000) throw new UsageError("--every takes a second at least");
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const path = wish.config === undefined ? {} : { path: wish.config };
  const read = readConfiguration({ cwd: io.cwd, env: io.env, today, ...path });
  if (read.kind === "refused") {
    for (const problem of read.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
    return Promise.resolve(1);
  }
  if (read.kind === "unconfigured") {
    io.stderr(
      "hedgerow supply: without a configuration nobody knows whose the recorded targets are; name it with -c\n",
    );
    return Promise.resolve(1);
  }
  const groupsOf = targetGroups(read.snapshot, today);
  const folder = resolve(io.cwd, wish.data ?? read.server.data);
  const ofAll = wish.data === undefined ? read.server.store : undefined;
  return withRecordedCalls({ command: "supply", folder, ofAll, io }, async (store) => {
    const series = await outcomeSeries(store, { sinceMs, untilMs: nowMs, intervalMs, groupsOf });
    return then({ series, sinceMs, nowMs, folder });
  });
}

function durationOf(option: string, text: string): number {
  const parsed = parseAge(text);
  if (parsed.kind === "refused") throw new UsageError(`${option}: ${parsed.why}`);
  return parsed.value;
}
