import type { AttemptRecord, CallRecord } from "#domain/record";
import { completionTokens, promptTokens } from "#domain/usage";
import { errorClassOf } from "./error-class.ts";
import { hourMs, hoursOfDay } from "./spend-span.ts";
import type { Writes } from "./sqlite.ts";

/** Names, then what is added up: integers and nothing else, so that a row may be counted piece by piece. */
const tables = {
  call_counts: {
    names: ["route", "decision", "provider"],
    sums: ["calls", "attempts", "unpriced", "prompt_tokens", "completion_tokens", "cost_nano_usd"],
  },
  target_counts: {
    names: ["route", "target", "provider", "model"],
    sums: ["answered", "failed", "excused", "tokens", "untold", "cost_nano_usd", "unpriced"],
  },
  first_content_counts: { names: ["provider", "model", "bin"], sums: ["answers"] },
} as const;
type CountTable = keyof typeof tables;
export const countTables = Object.keys(tables) as readonly CountTable[];

type Sums<T extends CountTable> = Readonly<Record<(typeof tables)[T]["sums"][number], number>>;

interface Tally {
  readonly table: CountTable;
  readonly key: readonly (string | number)[];
  readonly counts: number[];
}

/** Counts records that came into the store, in the transaction that put them there: each row once, however many are alike. */
export function countTraffic(store: Writes, records: readonly CallRecord[]): void {
  const tallies = new Map<string, Tally>();
  for (const record of records) {
    tallyCall(tallies, record);
    for (const attempt of record.attempts) tallyAttempt(tallies, record, attempt);
  }
  for (const { table, key, counts } of tallies.values()) store.run(statements[table], ...key, ...counts);
}

function tallyCall(tallies: Map<string, Tally>, record: CallRecord): void {
  const { usage, costNanoUsd, route, decision } = record;
  const counts: Sums<"call_counts"> = {
    calls: 1,
    attempts: record.attempts.filter(({ role }) => role === undefined).length,
    unpriced: Number(costNanoUsd === undefined && record.committed),
    prompt_tokens: usage === undefined ? 0 : promptTokens(usage),
    completion_tokens: usage === undefined ? 0 : completionTokens(usage),
    cost_nano_usd: costNanoUsd ?? 0,
  };
  for (const provider of ["", ...new Set(record.attempts.map((each) => each.provider))]) {
    add(tallies, record, { table: "call_counts", names: [route, decision, provider], counts });
  }
}

function tallyAttempt(tallies: Map<string, Tally>, record: CallRecord, attempt: AttemptRecord): void {
  const { target, provider, model, usage, costNanoUsd, firstContentMs } = attempt;
  const found = errorClassOf(attempt);
  const isAnswered = found === undefined;
  const counts: Sums<"target_counts"> = {
    answered: Number(isAnswered),
    failed: Number(!isAnswered && found !== "client"),
    excused: Number(found === "client"),
    tokens: isAnswered && usage !== undefined ? promptTokens(usage) + completionTokens(usage) : 0,
    untold: Number(isAnswered && usage === undefined),
    cost_nano_usd: isAnswered ? (costNanoUsd ?? 0) : 0,
    unpriced: Number(isAnswered && costNanoUsd === undefined),
  };
  add(tallies, record, { table: "target_counts", names: [record.route, target, provider, model], counts });
  if (!isAnswered || firstContentMs === undefined) return;
  const bin = binOf(firstContentMs - attempt.startedMs);
  add(tallies, record, { table: "first_content_counts", names: [provider, model, bin], counts: { answers: 1 } });
}

/** Bins are so many to a factor of e: each 2.5 % wide. */
const binsPerE = 40;

/** The bin of a time in milliseconds; all below one are alike. */
function binOf(ms: number): number {
  return ms < 1 ? 0 : Math.floor(Math.log(ms) * binsPerE) + 1;
}

/** The middle of a bin, milliseconds: within 1.3 % of every time in it. */
export function timeOfBin(bin: number): number {
  return bin === 0 ? 0.5 : Math.exp((bin - 0.5) / binsPerE);
}

interface Added<T extends CountTable> {
  readonly table: T;
  readonly names: readonly (string | number)[];
  readonly counts: Sums<T>;
}

function add<T extends CountTable>(
  tallies: Map<string, Tally>,
  { at }: Pick<CallRecord, "at">,
  { table, names, counts }: Added<T>,
): void {
  const hour = Math.floor(Date.parse(at) / hourMs);
  const values: readonly number[] = tables[table].sums.map(
    (name) => (counts as Readonly<Record<string, number>>)[name] ?? 0,
  );
  for (const span of [1, hoursOfDay]) {
    const key = [span, hour - (hour % span), ...names];
    const text = JSON.stringify([table, key]);
    const found = tallies.get(text);
    if (found === undefined) tallies.set(text, { table, key, counts: [...values] });
    else for (const [index, value] of values.entries()) found.counts[index] = (found.counts[index] ?? 0) + value;
  }
}

function upsert(table: CountTable): string {
  const { names, sums } = tables[table];
  const key = ["span", "bucket", ...names];
  const columns = [...key, ...sums];
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
    ON CONFLICT (${key.join(", ")}) DO UPDATE SET
    ${sums.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(", ")}`;
}

const statements: Readonly<Record<CountTable, string>> = {
  call_counts: upsert("call_counts"),
  target_counts: upsert("target_counts"),
  first_content_counts: upsert("first_content_counts"),
};
