import type { LedgerReader } from "#control/store/sql";
import { failureTraits, type FailureKind } from "#domain/failure";
import type { Target } from "#domain/plan";
import type { RiskGroup } from "#domain/supply";
import type { OutcomeSeries } from "#supply/mine-edges";

export interface SeriesWish {
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly intervalMs: number;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

/** A fifth of a year in half hours; longer spans are cut off at their beginning. */
const maxIntervals = 3500;

/** More than so many of an interval's attempts failed: it was bad. */
const badAbove = 0.1;

/**
 * How every target did, interval by interval, from what was recorded. Only its own faults and its want of capacity count
 * against it: not a limit of our account, nor what a caller got wrong or left.
 */
export async function outcomeSeries(reader: LedgerReader, wish: SeriesWish): Promise<readonly OutcomeSeries[]> {
  const { intervalMs, untilMs, groupsOf } = wish;
  const sinceMs = Math.max(wish.sinceMs, untilMs - maxIntervals * intervalMs);
  const length = Math.max(1, Math.ceil((untilMs - sinceMs) / intervalMs));
  const rows = await reader.all(
    `SELECT target, provider, model, outcome, failure, floor((at_ms + started_ms - ?) / ?) AS slot,
       count(*) AS attempts
     FROM attempts JOIN calls ON calls.id = attempts.call_id
     WHERE at_ms >= ? AND at_ms < ?
     GROUP BY target, provider, model, outcome, failure, slot`,
    sinceMs,
    intervalMs,
    sinceMs,
    untilMs,
  );
  const counts = new Map<string, { readonly target: Target; readonly asked: number[]; readonly failed: number[] }>();
  for (const row of rows) {
    const verdict = verdictOf(String(row["outcome"]), row["failure"]);
    const at = Number(row["slot"]);
    if (verdict === undefined || at < 0 || at >= length) continue;
    const id = String(row["target"]);
    const target = { id, provider: String(row["provider"]), model: String(row["model"]), lastResort: false };
    const count = counts.get(id) ?? { target, asked: zeros(length), failed: zeros(length) };
    counts.set(id, count);
    const attempts = Number(row["attempts"]);
    count.asked[at] = (count.asked[at] ?? 0) + attempts;
    if (verdict === "bad") count.failed[at] = (count.failed[at] ?? 0) + attempts;
  }
  return [...counts.values()].map(({ target, asked, failed }) => ({
    target: target.id,
    groups: groupsOf(target),
    bad: asked.map((sent, at) => (sent === 0 ? undefined : (failed[at] ?? 0) > sent * badAbove)),
  }));
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

/** Undefined: it says nothing of the target. */
function verdictOf(outcome: string, failure: unknown): "good" | "bad" | undefined {
  if (outcome === "answered" || outcome === "doubted" || outcome === "blocked") return "good";
  const kind = Object.keys(failureTraits).find((each): each is FailureKind => each === failure);
  if (kind === undefined) return undefined;
  const { blame, health } = failureTraits[kind];
  return blame === "upstream" && (health === "hard" || health === "soft") ? "bad" : undefined;
}
