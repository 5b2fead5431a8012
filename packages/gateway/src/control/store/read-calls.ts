import type { Decision } from "#domain/record";
import { sumsOver } from "./read-traffic.ts";
import { hourMs, hoursOfDay } from "./spend-span.ts";
import type { LedgerReader } from "./sql.ts";
import type { Row } from "./sqlite.ts";

export interface CallFilter {
  /** Wall clock, milliseconds since 1970; calls at or after it. */
  readonly sinceMs?: number;
  readonly route?: string;
  /** Calls with an attempt at this provider. */
  readonly provider?: string;
  readonly decision?: Decision;
}

/** One call as reports show it. Absent: unknown. */
export interface StoredCall {
  readonly id: string;
  /** ISO 8601 with milliseconds. */
  readonly at: string;
  readonly caller: string;
  readonly route: string;
  readonly requestedModel: string;
  readonly streamed: boolean;
  readonly decision: Decision;
  readonly code?: string;
  readonly status: number;
  readonly durationMs: number;
  /** Of the attempt that answered, after the call was accepted. */
  readonly firstContentMs?: number;
  /** Of the last attempt. */
  readonly target?: string;
  /** Asked for an answer to the caller: second opinions and judges are none. */
  readonly attempts: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly costNanoUsd?: number;
  readonly snapshot: string;
}

export interface CallTotals {
  readonly calls: number;
  readonly attempts: number;
  readonly byDecision: Readonly<Partial<Record<Decision, number>>>;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the calls whose cost is known. */
  readonly costNanoUsd: number;
  /** Calls that were answered and whose cost is not known. */
  readonly unpriced: number;
}

/** No listing is longer, whatever is asked for. */
export const maxListedCalls = 10_000;

const promptSum = "(input_uncached + cache_read + cache_write + cache_write_long)";

/** The newest calls first. */
export async function listCalls(
  reader: LedgerReader,
  filter: CallFilter,
  limit: number,
): Promise<readonly StoredCall[]> {
  const { from, where, values } = await sourceOf(reader, filter);
  const bounded = Math.max(0, Math.min(Math.trunc(limit), maxListedCalls));
  const rows = await reader.all(
    `SELECT calls.*, ${promptSum} AS prompt_tokens, (output + reasoning) AS completion_tokens,
       (SELECT count(*) FROM attempts WHERE call_id = calls.id AND role IS NULL) AS attempt_count,
       (SELECT target FROM attempts WHERE call_id = calls.id AND role IS NULL ORDER BY number DESC LIMIT 1) AS last_target,
       (SELECT first_content_ms FROM attempts WHERE call_id = calls.id AND role IS NULL ORDER BY number DESC LIMIT 1) AS last_content_ms
     FROM ${from} ${where} ORDER BY at_ms DESC, id DESC LIMIT ?`,
    ...values,
    bounded,
  );
  return rows.map(callOf);
}

/** Whose calls are fewer are looked up one by one; those of others are found soon, going back from the newest. */
const rareCalls = 20_000;

async function sourceOf(reader: LedgerReader, filter: CallFilter) {
  const { provider, ...rest } = filter;
  if (provider === undefined) return { from: "calls", ...conditions(filter) };
  const [counted] = await reader.all(
    "SELECT sum(calls) AS calls FROM call_counts WHERE span = ? AND provider = ?",
    hoursOfDay,
    provider,
  );
  if (Number(counted?.["calls"] ?? 0) > rareCalls) return { from: "calls", ...conditions(filter) };
  const { where, values } = conditions(rest);
  return {
    // SQLite goes through what is crossed in the order in which it is written.
    from: "(SELECT DISTINCT call_id FROM attempts WHERE provider = ?) AS those CROSS JOIN calls",
    where: `${where === "" ? "WHERE" : `${where} AND`} calls.id = those.call_id`,
    values: [provider, ...values],
  };
}

const totalSums = ["calls", "attempts", "unpriced", "prompt_tokens", "completion_tokens", "cost_nano_usd"] as const;

/**
 * Sums over all calls that are kept and pass the filter, not only the listed ones: of whole hours as they were counted when
 * calls came in, so that it takes as long for ten million as for a thousand.
 */
export async function callTotals(reader: LedgerReader, filter: CallFilter): Promise<CallTotals> {
  // Each by itself is the index's one end; together SQLite would walk from one to the other.
  const [kept] = await reader.all(
    "SELECT (SELECT min(at_ms) FROM calls) AS oldest, (SELECT max(at_ms) FROM calls) AS newest",
  );
  const { oldest, newest } = kept ?? {};
  if (typeof oldest !== "number" || typeof newest !== "number") return totalsOf([]);
  const sinceMs = Math.max(filter.sinceMs ?? oldest, oldest);
  const from = Math.ceil(sinceMs / hourMs);
  const edge = await edgeSums(reader, { ...filter, sinceMs }, from * hourMs);
  const { provider = "", route, decision } = filter;
  const named = Object.entries({ provider, route, decision }).filter(([, value]) => value !== undefined);
  const whole = await sumsOver(
    reader,
    { from, until: Math.floor(newest / hourMs) + 1 },
    {
      table: "call_counts",
      names: ["decision"],
      sums: totalSums,
      only: {
        where: named.map(([name]) => `${name} = ?`).join(" AND "),
        values: named.map(([, value]) => String(value)),
      },
    },
  );
  return totalsOf([...edge, ...whole]);
}

/** Of the part of an hour that the window begins with, from the calls themselves. */
function edgeSums(reader: LedgerReader, filter: CallFilter, untilMs: number): readonly Row[] | Promise<readonly Row[]> {
  const { where, values } = conditions(filter);
  return reader.all(
    `SELECT decision, count(*) AS calls, coalesce(sum(${promptSum}), 0) AS prompt_tokens,
       coalesce(sum(output + reasoning), 0) AS completion_tokens, coalesce(sum(cost_nano_usd), 0) AS cost_nano_usd,
       coalesce(sum(CASE WHEN cost_nano_usd IS NULL AND committed = 1 THEN 1 ELSE 0 END), 0) AS unpriced,
       coalesce(sum((SELECT count(*) FROM attempts WHERE call_id = calls.id AND role IS NULL)), 0) AS attempts
     FROM calls ${where} AND at_ms < ? GROUP BY decision`,
    ...values,
    untilMs,
  );
}

function totalsOf(rows: readonly Row[]): CallTotals {
  const sum = (name: (typeof totalSums)[number], of = rows): number =>
    of.reduce((total, row) => total + Number(row[name] ?? 0), 0);
  const byDecision = Map.groupBy(rows, (row) => String(row["decision"]) as Decision);
  return {
    calls: sum("calls"),
    attempts: sum("attempts"),
    byDecision: Object.fromEntries([...byDecision].map(([decision, of]) => [decision, sum("calls", of)])),
    promptTokens: sum("prompt_tokens"),
    completionTokens: sum("completion_tokens"),
    costNanoUsd: sum("cost_nano_usd"),
    unpriced: sum("unpriced"),
  };
}

/** The text holds only what is written here; everything a user chose is a parameter. */
function conditions(filter: CallFilter): { readonly where: string; readonly values: readonly (string | number)[] } {
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, value: string | number | undefined) => {
    if (value === undefined) return;
    parts.push(sql);
    values.push(value);
  };
  add("at_ms >= ?", filter.sinceMs);
  add("route = ?", filter.route);
  add("decision = ?", filter.decision);
  add("EXISTS (SELECT 1 FROM attempts WHERE call_id = calls.id AND provider = ?)", filter.provider);
  return { where: parts.length === 0 ? "" : `WHERE ${parts.join(" AND ")}`, values };
}

function callOf(row: Row): StoredCall {
  return {
    id: String(row["id"]),
    at: new Date(Number(row["at_ms"])).toISOString(),
    caller: String(row["caller"]),
    route: String(row["route"]),
    requestedModel: String(row["requested_model"]),
    streamed: row["streamed"] === 1,
    decision: String(row["decision"]) as Decision,
    status: Number(row["status"]),
    durationMs: Number(row["duration_ms"]),
    attempts: Number(row["attempt_count"]),
    snapshot: String(row["snapshot"]),
    ...(row["code"] === null ? {} : { code: String(row["code"]) }),
    ...(row["last_target"] === null ? {} : { target: String(row["last_target"]) }),
    ...numbers(row, {
      firstContentMs: "last_content_ms",
      promptTokens: "prompt_tokens",
      completionTokens: "completion_tokens",
      costNanoUsd: "cost_nano_usd",
    }),
  };
}

function numbers<K extends string>(row: Row, columns: Readonly<Record<K, string>>): Partial<Record<K, number>> {
  const found: Partial<Record<K, number>> = {};
  for (const [name, column] of Object.entries(columns) as [K, string][]) {
    const value = row[column];
    if (value !== null && value !== undefined) found[name] = Number(value);
  }
  return found;
}
