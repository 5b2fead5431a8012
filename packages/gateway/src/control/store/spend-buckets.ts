import { payerOf } from "#domain/gateway-key";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { decidingAttempt, isAnswered, isGated, isUnpriced, partOf } from "./spend-part.ts";
import { hourMs, hoursOfDay } from "./spend-span.ts";
import type { Writes } from "./sqlite.ts";

/**
 * What is counted, in the order of the columns. Integers that are added up and nothing else, so that a row may be counted
 * piece by piece and any rows may be summed.
 */
export const spendMeasures = [
  "calls",
  "answered",
  "gated",
  "accepted",
  "attempts",
  "unpriced",
  "estimated",
  "input_uncached",
  "cache_read",
  "cache_write",
  "cache_write_long",
  "output",
  "reasoning",
  "cost_nano_usd",
  "estimated_nano_usd",
  "gated_nano_usd",
] as const;
export type SpendMeasure = (typeof spendMeasures)[number];

/**
 * A row sums up one hour or one day (UTC) of attempts that are alike in all of the table's names. An attempt's tokens and
 * money stand in exactly one row of an hour, under the provider and model that were paid, and its call counts in exactly one
 * row: that of the answer that was given, else of the last attempt, else of none. So nothing is counted twice by whatever
 * names rows are summed: over all providers they give what calls cost with every attempt and everybody asked aside, over one
 * provider what was paid there. Days hold the same once more and are never summed with their hours.
 */
const buckets = {
  table: "spend_buckets",
  names: ["caller", "organisation", "team", "route", "provider", "model", "part"],
} as const;

/** The same by end user and by tag, whom calls may name without number. A call with two tags counts for both. */
const named = { table: "spend_names", names: ["kind", "name", "provider", "model", "part"] } as const;

type BucketTable = typeof buckets | typeof named;

interface Tally {
  readonly into: BucketTable;
  readonly key: readonly [span: number, bucket: number, ...names: string[]];
  readonly counts: number[];
}

/** Counts records that came into the store, in the transaction that put them there: each row once, however many are alike. */
export function countSpend(store: Writes, records: readonly CallRecord[]): void {
  const tallies = new Map<string, Tally>();
  for (const record of records) tallyCall(tallies, record);
  for (const { into, key, counts } of tallies.values()) store.run(statements[into.table], ...key, ...counts);
}

function tallyCall(tallies: Map<string, Tally>, record: CallRecord): void {
  const deciding = decidingAttempt(record);
  const isShadow = record.decision === "shadow";
  const { attempts } = record;
  for (const [index, attempt] of attempts.entries()) {
    const counts = attemptCounts(record, attempt);
    if (index === deciding && !isShadow) countCall(counts, record, attempt);
    const part = partOf(record, index, deciding);
    tally(tallies, record, { provider: attempt.provider, model: attempt.model, part, counts });
  }
  if (deciding >= 0 || isShadow) return;
  const counts = spendMeasures.map(() => 0);
  countCall(counts, record, undefined);
  tally(tallies, record, { provider: "", model: "", part: "none", counts });
}

interface Counted {
  readonly provider: string;
  readonly model: string;
  readonly part: string;
  readonly counts: readonly number[];
}

function tally(tallies: Map<string, Tally>, record: CallRecord, { provider, model, part, counts }: Counted): void {
  const hour = Math.floor(Date.parse(record.at) / hourMs);
  const day = hour - (hour % hoursOfDay);
  const { organisation = "", team = "", route, user, tags = [] } = record;
  const names = [payerOf(record), organisation, team, route, provider, model, part];
  const more: [kind: string, name: string][] = [...new Set(tags)].map((tag) => ["tag", tag]);
  if (user !== undefined) more.push(["user", userName(record, user)]);
  for (const [span, bucket] of [
    [1, hour],
    [hoursOfDay, day],
  ] as const) {
    add(tallies, { into: buckets, key: [span, bucket, ...names], counts });
    for (const each of more) add(tallies, { into: named, key: [span, bucket, ...each, provider, model, part], counts });
  }
}

function add(tallies: Map<string, Tally>, { into, key, counts }: Omit<Tally, "counts"> & Counts): void {
  const text = JSON.stringify(key);
  const found = tallies.get(text);
  if (found === undefined) tallies.set(text, { into, key, counts: [...counts] });
  else for (const [at, count] of counts.entries()) found.counts[at] = (found.counts[at] ?? 0) + count;
}

interface Counts {
  readonly counts: readonly number[];
}

/** Two tenants may call their users the same. */
function userName(record: CallRecord, user: string): string {
  return `${record.organisation ?? record.team ?? payerOf(record)}/${user}`;
}

function attemptCounts(record: CallRecord, attempt: AttemptRecord): number[] {
  const { usage, costNanoUsd = 0 } = attempt;
  const isEstimated = usage?.estimated === true;
  const counts: Readonly<Record<SpendMeasure, number>> = {
    calls: 0,
    answered: 0,
    gated: 0,
    accepted: 0,
    attempts: 1,
    unpriced: Number(isUnpriced(record, attempt)),
    estimated: Number(isEstimated),
    // As in the table of attempts, sound counts with the rest.
    input_uncached: (usage?.inputUncached ?? 0) + (usage?.inputAudio ?? 0),
    cache_read: usage?.cacheRead ?? 0,
    cache_write: usage?.cacheWrite ?? 0,
    cache_write_long: usage?.cacheWriteLong ?? 0,
    output: (usage?.output ?? 0) + (usage?.outputAudio ?? 0),
    reasoning: usage?.reasoning ?? 0,
    cost_nano_usd: costNanoUsd,
    estimated_nano_usd: isEstimated ? costNanoUsd : 0,
    gated_nano_usd: isGated(record) ? costNanoUsd : 0,
  };
  return spendMeasures.map((name) => counts[name]);
}

const at = (name: SpendMeasure): number => spendMeasures.indexOf(name);
const [callsAt, answeredAt, gatedAt, acceptedAt] = [at("calls"), at("answered"), at("gated"), at("accepted")];

function countCall(counts: number[], record: CallRecord, attempt: AttemptRecord | undefined): void {
  const answered = isAnswered(record);
  const isAccepted = answered && attempt?.judgement?.verdict === "accepted";
  counts[callsAt] = 1;
  counts[answeredAt] = Number(answered);
  counts[gatedAt] = Number(isGated(record));
  counts[acceptedAt] = Number(isAccepted);
}

function upsert({ table, names }: BucketTable): string {
  const key = ["span", "bucket", ...names];
  const columns = [...key, ...spendMeasures];
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
    ON CONFLICT (${key.join(", ")}) DO UPDATE SET
    ${spendMeasures.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(", ")}`;
}

const statements: Readonly<Record<BucketTable["table"], string>> = {
  spend_buckets: upsert(buckets),
  spend_names: upsert(named),
};
