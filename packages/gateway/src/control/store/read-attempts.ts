import type { FinishReason } from "#domain/answer";
import type { AttemptRecord, Decision } from "#domain/record";
import type { FailureKind } from "#domain/failure";
import type { Operation } from "#domain/call";
import type { Usage } from "#domain/usage";
import type { LedgerReader } from "./sql.ts";
import type { Row } from "./sqlite.ts";

/** Wall clock, milliseconds since 1970; calls accepted in `[fromMs, untilMs)`. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface AttemptWindow extends TimeWindow {
  /** Without second opinions, judges and shadows, which the gateway asks for itself. */
  readonly forCallers?: true;
}

/** One attempt and what is to be known of its call. Absent: unknown. */
export interface StoredAttempt {
  readonly callId: string;
  /** When its call was accepted. */
  readonly atMs: number;
  readonly route: string;
  readonly requestedModel: string;
  readonly operation: Operation;
  readonly decision: Decision;
  /** How the call's answer ended. */
  readonly finish?: FinishReason;
  /** From 1. */
  readonly number: number;
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  readonly outcome: AttemptRecord["outcome"];
  readonly failure?: FailureKind;
  /** Of the attempt alone, from when it began. */
  readonly firstContentMs?: number;
  readonly durationMs: number;
  readonly usage?: Usage;
  readonly costNanoUsd?: number;
}

/** Every attempt of the window's calls: calls in the order they were accepted, attempts in the order they were made. */
export async function eachAttempt(
  reader: LedgerReader,
  window: AttemptWindow,
  visit: (attempt: StoredAttempt) => void,
): Promise<void> {
  const only = window.forCallers === true ? "AND role IS NULL AND decision <> 'shadow'" : "";
  await reader.each(
    (row) => visit(attemptOf(row)),
    `SELECT calls.id, at_ms, route, requested_model, operation, decision, finish, number, target, provider, model, outcome,
       failure, started_ms, first_content_ms, ended_ms, attempts.input_uncached, attempts.cache_read,
       attempts.cache_write, attempts.cache_write_long, attempts.output, attempts.reasoning,
       attempts.usage_estimated, attempts.cost_nano_usd
     FROM calls JOIN attempts ON attempts.call_id = calls.id
     WHERE at_ms >= ? AND at_ms < ? ${only} ORDER BY at_ms, calls.id, number`,
    window.fromMs,
    window.untilMs,
  );
}

/** When the oldest call that is kept was accepted; undefined where there is none. */
export async function oldestCallMs(reader: LedgerReader): Promise<number | undefined> {
  const [row] = await reader.all("SELECT min(at_ms) AS oldest FROM calls");
  const oldest = row?.["oldest"];
  return oldest === null || oldest === undefined ? undefined : Number(oldest);
}

function attemptOf(row: Row): StoredAttempt {
  const startedMs = Number(row["started_ms"]);
  const usage = usageOf(row);
  return {
    callId: String(row["id"]),
    atMs: Number(row["at_ms"]),
    route: String(row["route"]),
    requestedModel: String(row["requested_model"]),
    operation: String(row["operation"]) as Operation,
    decision: String(row["decision"]) as Decision,
    number: Number(row["number"]),
    target: String(row["target"]),
    provider: String(row["provider"]),
    model: String(row["model"]),
    outcome: String(row["outcome"]) as StoredAttempt["outcome"],
    durationMs: Number(row["ended_ms"]) - startedMs,
    ...(row["finish"] === null ? {} : { finish: String(row["finish"]) as FinishReason }),
    ...(row["failure"] === null ? {} : { failure: String(row["failure"]) as FailureKind }),
    ...(row["first_content_ms"] === null ? {} : { firstContentMs: Number(row["first_content_ms"]) - startedMs }),
    ...(usage === undefined ? {} : { usage }),
    ...(row["cost_nano_usd"] === null ? {} : { costNanoUsd: Number(row["cost_nano_usd"]) }),
  };
}

function usageOf(row: Row): Usage | undefined {
  if (row["input_uncached"] === null) return undefined;
  return {
    inputUncached: Number(row["input_uncached"]),
    cacheRead: Number(row["cache_read"]),
    cacheWrite: Number(row["cache_write"]),
    cacheWriteLong: Number(row["cache_write_long"]),
    output: Number(row["output"]),
    reasoning: Number(row["reasoning"]),
    estimated: row["usage_estimated"] === 1,
  };
}
