import { costNanoUsd } from "#catalogue/catalogue";
import type { Price } from "#domain/model";
import { emptyUsage } from "#domain/usage";
import { firstHourAfterDays, readSpend, type SpendDimension, type SpendRow } from "#control/store/read-spend";
import type { SpendMeasure } from "#control/store/spend-buckets";
import type { SpendPart } from "#control/store/spend-part";
import { hourMs, hoursOf } from "#control/store/spend-span";
import type { LedgerReader } from "#control/store/sql";
import type { TimeWindow } from "#control/store/read-attempts";

export interface SpendWish {
  readonly window: TimeWindow;
  readonly by: readonly SpendDimension[];
  readonly limit: number;
  /** `provider/model`, and what it costs. */
  readonly baseline?: { readonly target: string; readonly price: Price };
}

/** Money in nano-dollars, as text: it may pass what a JSON number holds. */
export interface SpendFigures {
  readonly calls: number;
  /** Calls whose caller was given a whole answer; of those, that a gate accepted. */
  readonly answered: number;
  readonly accepted: number;
  readonly attempts: number;
  readonly costNanoUsd: string;
  /** Of it, what was counted by ourselves because a provider reported no usage. */
  readonly estimatedNanoUsd: string;
  /** Attempts of which nobody knows what they cost: they are in no sum. */
  readonly unpriced: number;
  /** Of it, what went to anything but the answers that were given. */
  readonly besideNanoUsd: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** All of the money over the calls that were answered, or accepted where gates looked; absent where there are none. */
  readonly perAnsweredNanoUsd?: string;
  readonly perAcceptedNanoUsd?: string;
  /** What the tokens of the answers that were given would have cost at the baseline; absent without one. */
  readonly baselineNanoUsd?: string;
}

export interface SpendGroup extends SpendFigures {
  /** In the order of what it is told by. */
  readonly names: readonly string[];
}

export interface SpendReport {
  readonly from: string;
  readonly until: string;
  readonly by: readonly SpendDimension[];
  readonly groups: readonly SpendGroup[];
  readonly total: SpendFigures;
  /** What the money went to. */
  readonly parts: Readonly<Partial<Record<SpendPart, string>>>;
  readonly baseline?: string;
  /** The window's beginning is kept by whole days alone. */
  readonly wholeDaysUntil?: string;
}

/** What was spent in whole hours that the window touches. */
export async function spendReport(
  reader: LedgerReader,
  { window, by, limit, baseline }: SpendWish,
): Promise<SpendReport> {
  const hours = hoursOf(window);
  const oldest = await firstHourAfterDays(reader);
  const rows = await readSpend(reader, { window: hours, by, limit });
  const all = by.length === 0 ? rows : await readSpend(reader, { window: hours, by: [], limit });
  const price = baseline?.price;
  return {
    from: dateOf(hours.from),
    until: dateOf(hours.until),
    by,
    groups: by.length === 0 ? [] : groupsOf(rows, by, price),
    total: figures(all, price),
    parts: partsOf(all),
    ...(baseline === undefined ? {} : { baseline: baseline.target }),
    ...(oldest !== undefined && oldest > hours.from ? { wholeDaysUntil: dateOf(oldest) } : {}),
  };
}

function groupsOf(
  rows: readonly SpendRow[],
  by: readonly SpendDimension[],
  price: Price | undefined,
): readonly SpendGroup[] {
  const groups = new Map<string, SpendRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(row.names);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const made: SpendGroup[] = [];
  for (const group of groups.values()) {
    made.push({ names: namesOf(group[0]?.names ?? [], by), ...figures(group, price) });
  }
  return made;
}

function figures(rows: readonly SpendRow[], price: Price | undefined): SpendFigures {
  const sum = (name: Exclude<SpendMeasure, `${string}_nano_usd`>): number =>
    rows.reduce((total, { counts }) => total + counts[name], 0);
  const money = (name: "cost_nano_usd" | "estimated_nano_usd" | "gated_nano_usd", of = rows): bigint =>
    of.reduce((total, row) => total + row.money[name], 0n);
  const given = rows.filter(({ part }) => part === "answered");
  const cost = money("cost_nano_usd");
  const [answered, accepted] = [sum("answered"), sum("accepted")];
  const baseline = price === undefined ? undefined : baselineOf(given, price);
  return {
    calls: sum("calls"),
    answered,
    accepted,
    attempts: sum("attempts"),
    costNanoUsd: String(cost),
    estimatedNanoUsd: String(money("estimated_nano_usd")),
    unpriced: sum("unpriced"),
    besideNanoUsd: String(cost - money("cost_nano_usd", given)),
    inputTokens: sum("input_uncached") + sum("cache_read") + sum("cache_write") + sum("cache_write_long"),
    outputTokens: sum("output") + sum("reasoning"),
    ...(answered === 0 ? {} : { perAnsweredNanoUsd: String(cost / BigInt(answered)) }),
    ...(accepted === 0 ? {} : { perAcceptedNanoUsd: String(money("gated_nano_usd") / BigInt(accepted)) }),
    ...(baseline === undefined ? {} : { baselineNanoUsd: String(baseline) }),
  };
}

/** By its usual rates: how long each prompt was is not known of a sum, nor whether it would have been in that cache. */
function baselineOf(given: readonly SpendRow[], price: Price): bigint | undefined {
  const { tiers: _tiers, modes: _modes, request = 0, ...rates } = price;
  let total = 0n;
  for (const { counts } of given) {
    const usage = {
      ...emptyUsage,
      inputUncached: counts.input_uncached + counts.cache_read + counts.cache_write + counts.cache_write_long,
      output: counts.output,
      reasoning: counts.reasoning,
    };
    const cost = costNanoUsd(usage, { ...rates, from: price.from });
    if (cost === undefined) return undefined;
    total += BigInt(cost) + BigInt(request) * BigInt(counts.attempts);
  }
  return total;
}

function partsOf(rows: readonly SpendRow[]): SpendReport["parts"] {
  const parts = new Map<SpendPart, bigint>();
  for (const { part, money } of rows) parts.set(part, (parts.get(part) ?? 0n) + money.cost_nano_usd);
  const paid = [...parts].filter(([, nano]) => nano > 0n).toSorted(([, a], [, b]) => (a < b ? 1 : -1));
  return Object.fromEntries(paid.map(([part, nano]) => [part, String(nano)]));
}

/** Hours and days as dates. */
function namesOf(names: readonly (string | number)[], by: readonly SpendDimension[]): readonly string[] {
  return names.map((name, at) => {
    if (typeof name === "string") return name;
    const date = dateOf(name);
    return by[at] === "day" ? date.slice(0, 10) : date;
  });
}

function dateOf(hour: number): string {
  return `${new Date(hour * hourMs).toISOString().slice(0, 16)}Z`;
}
