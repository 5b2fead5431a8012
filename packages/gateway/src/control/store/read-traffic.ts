import type { TimeWindow } from "./read-attempts.ts";
import { hoursOf, spansOf, type HourWindow } from "./spend-span.ts";
import type { LedgerReader } from "./sql.ts";
import type { Row } from "./sqlite.ts";
import { timeOfBin } from "./traffic-counts.ts";

/** What was asked of one target in one route, second opinions, judges and shadows included. */
export interface TargetCounts {
  readonly route: string;
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  readonly answered: number;
  /** Its own doing, or for lack of capacity. */
  readonly failed: number;
  /** The caller's doing, or ours. */
  readonly excused: number;
  /** Of the answered ones, prompts and answers; and how many of them told none. */
  readonly tokens: number;
  readonly untold: number;
  readonly costNanoUsd: number;
  readonly unpriced: number;
}

interface Counted {
  readonly table: "call_counts" | "target_counts" | "first_content_counts";
  readonly names: readonly string[];
  readonly sums: readonly string[];
  /** Besides the time; `?` for each value. */
  readonly only?: { readonly where: string; readonly values: readonly (string | number)[] };
}

/** Sums over whole hours, from days where the window holds whole ones: as many rows for ten million calls as for a thousand. */
export async function sumsOver(
  reader: LedgerReader,
  window: HourWindow,
  { table, names, sums, only }: Counted,
): Promise<readonly Row[]> {
  const spans = spansOf(window);
  if (spans.length === 0) return [];
  const more = only === undefined ? "" : ` AND ${only.where}`;
  const one = `SELECT ${[...names, ...sums].join(", ")} FROM ${table} WHERE span = ? AND bucket >= ? AND bucket < ?${more}`;
  // As text: PostgreSQL's sums are, and money may pass what a double holds.
  const columns = [...names, ...sums.map((name) => `CAST(sum(${name}) AS TEXT) AS ${name}`)];
  const values: (string | number)[] = [];
  for (const { span, from, until } of spans) values.push(span, from, until, ...(only?.values ?? []));
  return reader.all(
    `SELECT ${columns.join(", ")} FROM (${spans.map(() => one).join(" UNION ALL ")}) AS counted GROUP BY ${names.join(", ")}`,
    ...values,
  );
}

/** By route and target, those that answered most first, over the whole hours that the window touches. */
export async function targetCounts(reader: LedgerReader, window: TimeWindow): Promise<readonly TargetCounts[]> {
  const rows = await sumsOver(reader, hoursOf(window), {
    table: "target_counts",
    names: ["route", "target", "provider", "model"],
    sums: ["answered", "failed", "excused", "tokens", "untold", "cost_nano_usd", "unpriced"],
  });
  const counts = rows.map((row) => ({
    route: String(row["route"]),
    target: String(row["target"]),
    provider: String(row["provider"]),
    model: String(row["model"]),
    answered: Number(row["answered"]),
    failed: Number(row["failed"]),
    excused: Number(row["excused"]),
    tokens: Number(row["tokens"]),
    untold: Number(row["untold"]),
    costNanoUsd: Number(row["cost_nano_usd"]),
    unpriced: Number(row["unpriced"]),
  }));
  return counts.toSorted(
    (a, b) => b.answered - a.answered || compared(a.route, b.route) || compared(a.target, b.target),
  );
}

/** How many answers had their first content after about so long, ascending. */
export interface FirstContentCount {
  readonly ms: number;
  readonly answers: number;
}

/** By provider and model (`["p","m"]` as JSON), over the whole hours that the window touches; times within 1.3 %. */
export async function firstContentCounts(
  reader: LedgerReader,
  window: TimeWindow,
): Promise<ReadonlyMap<string, readonly FirstContentCount[]>> {
  const rows = await sumsOver(reader, hoursOf(window), {
    table: "first_content_counts",
    names: ["provider", "model", "bin"],
    sums: ["answers"],
  });
  const found = new Map<string, FirstContentCount[]>();
  for (const row of rows.toSorted((a, b) => Number(a["bin"]) - Number(b["bin"]))) {
    const key = JSON.stringify([String(row["provider"]), String(row["model"])]);
    const counted = { ms: timeOfBin(Number(row["bin"])), answers: Number(row["answers"]) };
    const list = found.get(key);
    if (list === undefined) found.set(key, [counted]);
    else list.push(counted);
  }
  return found;
}

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
