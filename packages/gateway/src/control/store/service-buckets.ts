import type { CallRecord } from "#domain/record";
import { errorClassOf, type ErrorClass } from "./error-class.ts";
import type { TimeWindow } from "./read-attempts.ts";
import type { LedgerReader } from "./sql.ts";
import type { Row, Store, Writes } from "./sqlite.ts";

/** Contracts count in intervals of five minutes (AWS' service level agreements among them). */
export const bucketMs = 300_000;

export interface ServiceCounts extends Readonly<Record<ErrorClass, number>> {
  readonly answered: number;
}

/** One interval of a provider's model, with at least one request. */
export interface ServiceBucket extends ServiceCounts {
  readonly provider: string;
  readonly model: string;
  /** Milliseconds since 1970 of its beginning. */
  readonly atMs: number;
  /** Of requests whose cost is known, and how many were answered at an unknown one. */
  readonly costNanoUsd: number;
  readonly unpriced: number;
}

/**
 * Counts records that came into the store, each attempt in the interval in which its call was accepted. Intervals are
 * written once, however many of the attempts they hold.
 */
export function countAttempts(store: Writes, records: readonly CallRecord[]): void {
  const tallies = new Map<string, Tally>();
  for (const record of records) {
    const bucket = Math.floor(Date.parse(record.at) / bucketMs);
    for (const attempt of record.attempts) {
      const { provider, model } = attempt;
      const key = JSON.stringify([provider, model, bucket]);
      let tally = tallies.get(key);
      if (tally === undefined) tallies.set(key, (tally = { provider, model, bucket, ...nothing }));
      const found = errorClassOf(attempt) ?? "answered";
      tally[found] += 1;
      tally.costNanoUsd += attempt.costNanoUsd ?? 0;
      if (found === "answered" && attempt.costNanoUsd === undefined) tally.unpriced += 1;
    }
  }
  for (const tally of tallies.values()) addToBucket(store, tally);
}

type Tally = typeof nothing & { readonly provider: string; readonly model: string; readonly bucket: number };

const nothing = { answered: 0, capacity: 0, fault: 0, timeout: 0, client: 0, costNanoUsd: 0, unpriced: 0 };

function addToBucket(store: Writes, tally: Tally): void {
  store.run(
    `INSERT INTO service_buckets
       (provider, model, bucket, answered, capacity, fault, timeout, client, cost_nano_usd, unpriced)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (provider, model, bucket) DO UPDATE SET answered = service_buckets.answered + excluded.answered,
       capacity = service_buckets.capacity + excluded.capacity, fault = service_buckets.fault + excluded.fault,
       timeout = service_buckets.timeout + excluded.timeout, client = service_buckets.client + excluded.client,
       cost_nano_usd = service_buckets.cost_nano_usd + excluded.cost_nano_usd,
       unpriced = service_buckets.unpriced + excluded.unpriced`,
    tally.provider,
    tally.model,
    tally.bucket,
    tally.answered,
    tally.capacity,
    tally.fault,
    tally.timeout,
    tally.client,
    tally.costNanoUsd,
    tally.unpriced,
  );
}

/** Intervals that the window touches, by provider, model and time: all, or so many of the newest in which the provider failed. */
export async function serviceBuckets(
  reader: LedgerReader,
  { fromMs, untilMs }: TimeWindow,
  which: "all" | { readonly troubled: number } = "all",
): Promise<readonly ServiceBucket[]> {
  const window = "SELECT * FROM service_buckets WHERE bucket >= ? AND bucket < ?";
  const newest = `SELECT * FROM (${window} AND capacity + fault + timeout > 0 ORDER BY bucket DESC LIMIT ?) AS newest`;
  const rows = await reader.all(
    `${which === "all" ? window : newest} ORDER BY provider, model, bucket`,
    Math.floor(fromMs / bucketMs),
    Math.ceil(untilMs / bucketMs),
    ...(which === "all" ? [] : [which.troubled]),
  );
  return rows.map((row) => Object.assign(countsOfRow(row), { atMs: Number(row["bucket"]) * bucketMs }));
}

/** What a row of sums and one of an interval have alike. */
function countsOfRow(row: Row) {
  return {
    provider: String(row["provider"]),
    model: String(row["model"]),
    answered: Number(row["answered"]),
    capacity: Number(row["capacity"]),
    fault: Number(row["fault"]),
    timeout: Number(row["timeout"]),
    client: Number(row["client"]),
    costNanoUsd: Number(row["cost_nano_usd"]),
    unpriced: Number(row["unpriced"]),
  };
}

/** Sums of a provider's model over a window's intervals. */
export interface ServiceTotals extends ServiceCounts {
  readonly provider: string;
  readonly model: string;
  readonly costNanoUsd: number;
  readonly unpriced: number;
  /** Of the intervals, each weighing the same: what share of its requests was lost to faults and timeouts. */
  readonly lostIntervals: number;
}

const valid = "answered + capacity + fault + timeout";

/** Every provider's model that was asked, by name: as many rows as models, however long the window. */
export async function serviceTotals(
  reader: LedgerReader,
  { fromMs, untilMs }: TimeWindow,
): Promise<readonly ServiceTotals[]> {
  const sums = ["answered", "capacity", "fault", "timeout", "client", "cost_nano_usd", "unpriced"] as const;
  const rows = await reader.all(
    `SELECT provider, model, ${sums.map((name) => `CAST(sum(${name}) AS TEXT) AS ${name}`).join(", ")},
       sum(CASE WHEN ${valid} > 0 THEN 1.0 * (fault + timeout) / (${valid}) ELSE 0 END) AS lost
     FROM service_buckets WHERE bucket >= ? AND bucket < ? GROUP BY provider, model ORDER BY provider, model`,
    Math.floor(fromMs / bucketMs),
    Math.ceil(untilMs / bucketMs),
  );
  return rows.map((row) => Object.assign(countsOfRow(row), { lostIntervals: Number(row["lost"]) }));
}

/** The same as `lostIntervals` over all models of a provider, of what counts as lost. */
export async function lostIntervals(
  reader: LedgerReader,
  { fromMs, untilMs }: TimeWindow,
  { provider, downtime }: { readonly provider: string; readonly downtime: readonly Exclude<ErrorClass, "client">[] },
): Promise<number> {
  const [row] = await reader.all(
    `SELECT sum(CASE WHEN valid > 0 THEN 1.0 * bad / valid ELSE 0 END) AS lost FROM (
       SELECT sum(${downtime.join(" + ") || "0"}) AS bad, sum(${valid}) AS valid FROM service_buckets
       WHERE bucket >= ? AND bucket < ? AND provider = ? GROUP BY bucket) AS intervals`,
    Math.floor(fromMs / bucketMs),
    Math.ceil(untilMs / bucketMs),
    provider,
  );
  return Number(row?.["lost"] ?? 0);
}

/** One day (UTC), without calls that say nothing of the provider. */
export interface DayCount {
  /** Milliseconds since 1970 of the day's end. */
  readonly untilMs: number;
  readonly answered: number;
  readonly failed: number;
}

const bucketsOfDay = 86_400_000 / bucketMs;

/** Sums of the window's intervals of one provider's model: 14 days of them take some 4 ms. */
export function countsByDay(
  store: Store,
  { provider, model }: { readonly provider: string; readonly model: string },
  { fromMs, untilMs }: TimeWindow,
): readonly DayCount[] {
  const rows = store.all(
    `SELECT bucket / ${bucketsOfDay} AS day, sum(answered) AS answered, sum(capacity + fault + timeout) AS failed
     FROM service_buckets WHERE provider = ? AND model = ? AND bucket >= ? AND bucket < ? GROUP BY day`,
    provider,
    model,
    Math.floor(fromMs / bucketMs),
    Math.ceil(untilMs / bucketMs),
  );
  return rows.map((row) => ({
    untilMs: (Number(row["day"]) + 1) * bucketsOfDay * bucketMs,
    answered: Number(row["answered"]),
    failed: Number(row["failed"]),
  }));
}

/** When the oldest interval that is kept began; undefined where there is none. */
export async function oldestBucketMs(reader: LedgerReader): Promise<number | undefined> {
  const [row] = await reader.all("SELECT min(bucket) AS oldest FROM service_buckets");
  const oldest = row?.["oldest"];
  return oldest === null || oldest === undefined ? undefined : Number(oldest) * bucketMs;
}
