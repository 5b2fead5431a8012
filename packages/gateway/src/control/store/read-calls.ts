import type { Decision } from "#domain/record";
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
  const { where, values } = conditions(filter);
  const bounded = Math.max(0, Math.min(Math.trunc(limit), maxListedCalls));
  const rows = await reader.all(
    `SELECT calls.*, ${promptSum} AS prompt_tokens, (output + reasoning) AS completion_tokens,
       (SELECT count(*) FROM attempts WHERE call_id = calls.id AND role IS NULL) AS attempt_count,
       (SELECT target FROM attempts WHERE call_id = calls.id AND role IS NULL ORDER BY number DESC LIMIT 1) AS last_target,
       (SELECT first_content_ms FROM attempts WHERE call_id = calls.id AND role IS NULL ORDER BY number DESC LIMIT 1) AS last_content_ms
     FROM calls ${where} ORDER BY at_ms DESC, id DESC LIMIT ?`,
    ...values,
    bounded,
  );
  return rows.map(callOf);
}

/** Sums over all calls that pass the filter, not only the listed ones. */
export async function callTotals(reader: LedgerReader, filter: CallFilter): Promise<CallTotals> {
  const { where, values } = conditions(filter);
  const [sums] = await reader.all(
    `SELECT count(*) AS calls, coalesce(sum(${promptSum}), 0) AS prompt_tokens,
       coalesce(sum(output + reasoning), 0) AS completion_tokens, coalesce(sum(cost_nano_usd), 0) AS cost_nano_usd,
       coalesce(sum(CASE WHEN cost_nano_usd IS NULL AND committed = 1 THEN 1 ELSE 0 END), 0) AS unpriced,
       coalesce(sum((SELECT count(*) FROM attempts WHERE call_id = calls.id AND role IS NULL)), 0) AS attempts
     FROM calls ${where}`,
    ...values,
  );
  const decisions = await reader.all(
    `SELECT decision, count(*) AS calls FROM calls ${where} GROUP BY decision`,
    ...values,
  );
  return {
    calls: Number(sums?.["calls"] ?? 0),
    attempts: Number(sums?.["attempts"] ?? 0),
    byDecision: Object.fromEntries(decisions.map((row) => [String(row["decision"]), Number(row["calls"])])),
    promptTokens: Number(sums?.["prompt_tokens"] ?? 0),
    completionTokens: Number(sums?.["completion_tokens"] ?? 0),
    costNanoUsd: Number(sums?.["cost_nano_usd"] ?? 0),
    unpriced: Number(sums?.["unpriced"] ?? 0),
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
