import { spendMeasures, type SpendMeasure } from "./spend-buckets.ts";
import type { SpendPart } from "./spend-part.ts";
import { hoursOfDay, spansOf, type HourWindow } from "./spend-span.ts";
import type { LedgerReader } from "./sql.ts";
import type { Row } from "./sqlite.ts";

/** What money can be told by. `day` and `hour` are in UTC. */
export const spendDimensions = [
  "caller",
  "team",
  "organisation",
  "user",
  "tag",
  "route",
  "provider",
  "model",
  "part",
  "day",
  "hour",
] as const;
export type SpendDimension = (typeof spendDimensions)[number];

/** Dimensions that are kept by themselves, without who called and by which route. */
const namedDimensions: ReadonlySet<SpendDimension> = new Set(["user", "tag"]);
const beside: ReadonlySet<SpendDimension> = new Set(["provider", "model", "part", "day", "hour"]);

export interface SpendQuery {
  readonly window: HourWindow;
  readonly by: readonly SpendDimension[];
  /** Most groups, those that cost most; by time the latest. */
  readonly limit: number;
}

/** What a group paid to one provider's model for one thing. */
export interface SpendRow {
  /** In the order of `by`; hours and days as hours since 1970. */
  readonly names: readonly (string | number)[];
  readonly provider: string;
  readonly model: string;
  readonly part: SpendPart;
  /** Money too: exact below 2^53, and `money` always. */
  readonly counts: Readonly<Record<Exclude<SpendMeasure, Money>, number>>;
  readonly money: Readonly<Record<Money, bigint>>;
}

type Money = "cost_nano_usd" | "estimated_nano_usd" | "gated_nano_usd";

const isMoney = (name: SpendMeasure): name is Money => name.endsWith("_nano_usd");

/** Why these cannot be told by together; undefined where they can. */
export function whyNotTogether(by: readonly SpendDimension[]): string | undefined {
  const own = by.find((each) => namedDimensions.has(each));
  const other = by.find((each) => each !== own && !beside.has(each));
  if (own === undefined || other === undefined) return undefined;
  return `${own} can be combined with ${[...beside].join(", ")}, not with ${other}`;
}

/** The groups of the window, each by provider, model and part; the groups that come first, first. */
export async function readSpend(reader: LedgerReader, { window, by, limit }: SpendQuery): Promise<readonly SpendRow[]> {
  const { sql, values } = sourceOf(window, by);
  const names = by.map((_, index) => `d${index}`);
  const listed = names.map((name) => `${name}, `).join("");
  const sums = spendMeasures.map((name) => (isMoney(name) ? `CAST(sum(${name}) AS TEXT)` : `sum(${name})`));
  const columns = spendMeasures.map((name, index) => `${sums[index]} AS ${name}`).join(", ");
  if (names.length === 0) {
    const rows = await reader.all(
      `SELECT provider, model, part, ${columns} FROM (${sql}) AS spends GROUP BY provider, model, part`,
      ...values,
    );
    return rows.map((row) => rowOf(row, []));
  }
  const time = by.findIndex((each) => each === "day" || each === "hour");
  const order = [...(time < 0 ? ["spent DESC"] : [`d${time} DESC`, "spent DESC"]), ...names].join(", ");
  const top = `SELECT ${listed} sum(cost_nano_usd) AS spent FROM (${sql}) AS every GROUP BY ${names.join(", ")}
    ORDER BY ${order} LIMIT ?`;
  const same = names.map((name) => `top.${name} = spends.${name}`).join(" AND ");
  const rows = await reader.all(
    `SELECT ${names.map((name) => `spends.${name} AS ${name}, `).join("")} provider, model, part, top.spent AS spent, ${columns}
     FROM (${top}) AS top JOIN (${sql}) AS spends ON ${same}
     GROUP BY ${names.map((name) => `spends.${name}, `).join("")} provider, model, part, top.spent
     ORDER BY ${time < 0 ? "spent DESC, " : ""} ${names.map((name) => `spends.${name}`).join(", ")}`,
    ...values,
    limit,
    ...values,
  );
  return rows.map((row) => rowOf(row, names));
}

/** The first hour that is kept apart from its day, where older days are kept whole; undefined where all have their hours. */
export async function firstHourAfterDays(reader: LedgerReader): Promise<number | undefined> {
  const rows = await reader.all("SELECT span, min(bucket) AS oldest FROM spend_buckets WHERE span > 0 GROUP BY span");
  const oldest = (span: number): number | undefined => {
    const row = rows.find((each) => Number(each["span"]) === span);
    return row === undefined ? undefined : Number(row["oldest"]);
  };
  const [hour, day] = [oldest(1), oldest(hoursOfDay)];
  return hour === undefined || day === undefined || hour < day + hoursOfDay ? undefined : hour;
}

function sourceOf(window: HourWindow, by: readonly SpendDimension[]) {
  const named = by.find((each) => namedDimensions.has(each));
  const table = named === undefined ? "spend_buckets" : "spend_names";
  const where = `${named === undefined ? "" : `kind = '${named}' AND `}span = ? AND bucket >= ? AND bucket < ?`;
  const columns = by.map((each, index) => `${expressionOf(each)} AS d${index}, `).join("");
  const select = `SELECT ${columns}provider, model, part, ${spendMeasures.join(", ")} FROM ${table} WHERE ${where}`;
  const spans = by.includes("hour") ? [{ span: 1, ...window }] : spansOf(window);
  return {
    sql: spans.map(() => select).join(" UNION ALL "),
    values: spans.flatMap(({ span, from, until }) => [span, from, until]),
  };
}

function expressionOf(dimension: SpendDimension): string {
  if (namedDimensions.has(dimension)) return "name";
  if (dimension === "hour") return "bucket";
  return dimension === "day" ? `bucket - bucket % ${hoursOfDay}` : dimension;
}

function rowOf(row: Row, names: readonly string[]): SpendRow {
  const numbers = spendMeasures.filter((name) => !isMoney(name)).map((name) => [name, Number(row[name])]);
  const money = spendMeasures.filter(isMoney).map((name) => [name, BigInt(String(row[name]))]);
  return {
    names: names.map((name) => {
      const value = row[name];
      return typeof value === "string" ? value : Number(value);
    }),
    provider: String(row["provider"]),
    model: String(row["model"]),
    part: String(row["part"]) as SpendPart,
    counts: Object.fromEntries(numbers) as SpendRow["counts"],
    money: Object.fromEntries(money) as SpendRow["money"],
  };
}
