import { readSpend } from "#control/store/read-spend";
import type { TimeWindow } from "#control/store/read-attempts";
import { hourMs, hoursOf } from "#control/store/spend-span";
import type { LedgerReader } from "#control/store/sql";
import type { ExportRow } from "./usage-export.ts";

export interface ReconcileWish {
  readonly provider: string;
  readonly rows: readonly ExportRow[];
  /** Whole days (UTC). */
  readonly window: TimeWindow;
  /** 0.01: differences up to a hundredth of theirs are none. */
  readonly tolerance: number;
}

interface Side {
  /** Nano-dollars, as text; absent where a side does not say it. */
  readonly costNanoUsd?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export interface ReconciledRow {
  readonly day: string;
  readonly model: string;
  readonly status: "same" | "different" | "only here" | "only there";
  readonly ours: Side & { readonly unpriced: number };
  readonly theirs: Side;
  /** Ours beyond theirs as a share of theirs: of money, else of tokens; absent where one side has nothing. */
  readonly difference?: number;
}

export interface Reconciled {
  readonly provider: string;
  readonly from: string;
  readonly until: string;
  readonly tolerance: number;
  readonly rows: readonly ReconciledRow[];
  readonly oursNanoUsd: string;
  readonly theirsNanoUsd: string;
}

interface Sums {
  cost: bigint | undefined;
  input: number | undefined;
  output: number | undefined;
  unpriced: number;
}

const mostGroups = 10_000;

/** What a provider says was used, beside what the ledger has of it, by day and model. */
export async function reconcile(reader: LedgerReader, wish: ReconcileWish): Promise<Reconciled> {
  const { provider, window, tolerance } = wish;
  const hours = hoursOf(window);
  const from = dateOf(hours.from * hourMs);
  const until = dateOf(hours.until * hourMs);
  const theirs = new Map<string, Sums>();
  for (const { day, model, costNanoUsd, inputTokens, outputTokens } of wish.rows) {
    if (day < from || day >= until) continue;
    const sums = sumsOf(theirs, day, model);
    if (costNanoUsd !== undefined) sums.cost = (sums.cost ?? 0n) + costNanoUsd;
    if (inputTokens !== undefined) sums.input = (sums.input ?? 0) + inputTokens;
    if (outputTokens !== undefined) sums.output = (sums.output ?? 0) + outputTokens;
  }
  const ours = new Map<string, Sums>();
  for (const row of await readSpend(reader, { window: hours, by: ["day", "provider", "model"], limit: mostGroups })) {
    const { names, counts, money } = row;
    if (row.provider !== provider) continue;
    const sums = sumsOf(ours, dateOf(Number(names[0]) * hourMs), row.model);
    const { input_uncached, cache_read, cache_write, cache_write_long } = counts;
    sums.cost = (sums.cost ?? 0n) + money.cost_nano_usd;
    sums.input = (sums.input ?? 0) + input_uncached + cache_read + cache_write + cache_write_long;
    sums.output = (sums.output ?? 0) + counts.output + counts.reasoning;
    sums.unpriced += counts.unpriced;
  }
  const keys = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted();
  const rows = keys.map((key) => compared(key, { ours: ours.get(key), theirs: theirs.get(key) }, tolerance));
  const total = (of: ReadonlyMap<string, Sums>): string =>
    String([...of.values()].reduce((sum, { cost }) => sum + (cost ?? 0n), 0n));
  return { provider, from, until, tolerance, rows, oursNanoUsd: total(ours), theirsNanoUsd: total(theirs) };
}

/** Day and model as one text; a day has no slash. */
function sumsOf(all: Map<string, Sums>, day: string, model: string): Sums {
  const key = `${day}/${model}`;
  let sums = all.get(key);
  if (sums === undefined) all.set(key, (sums = { cost: undefined, input: undefined, output: undefined, unpriced: 0 }));
  return sums;
}

function compared(
  key: string,
  { ours, theirs }: { readonly ours: Sums | undefined; readonly theirs: Sums | undefined },
  tolerance: number,
): ReconciledRow {
  const slash = key.indexOf("/");
  const about = {
    day: key.slice(0, slash),
    model: key.slice(slash + 1),
    ours: { ...side(ours), unpriced: ours?.unpriced ?? 0 },
    theirs: side(theirs),
  };
  if (theirs === undefined) return { ...about, status: "only here" };
  if (ours === undefined) return { ...about, status: "only there" };
  const pairs: readonly (readonly [number | undefined, number | undefined])[] =
    theirs.cost === undefined
      ? [
          [ours.input, theirs.input],
          [ours.output, theirs.output],
        ]
      : [[Number(ours.cost ?? 0n), Number(theirs.cost)]];
  const differences = pairs.flatMap(([here, there]) => (there === undefined ? [] : [shareOf(here ?? 0, there)]));
  const difference = differences.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0);
  const isSame = Math.abs(difference) <= tolerance && (theirs.cost === undefined || ours.unpriced === 0);
  return { ...about, status: isSame ? "same" : "different", difference };
}

function shareOf(here: number, there: number): number {
  if (there === 0) return here === 0 ? 0 : 1;
  return (here - there) / Math.abs(there);
}

function side(sums: Sums | undefined): Side {
  return {
    ...(sums?.cost === undefined ? {} : { costNanoUsd: String(sums.cost) }),
    ...(sums?.input === undefined ? {} : { inputTokens: sums.input }),
    ...(sums?.output === undefined ? {} : { outputTokens: sums.output }),
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
