import type { TimeWindow } from "#control/store/read-attempts";
import { UsageError } from "./command.ts";

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const longestMs = 400 * 86_400_000;

/** From `--since 7d` or `--month 2026-11` (UTC) to now, or to the month's end where that is earlier. */
export function windowOf(
  wish: { readonly since?: string | undefined; readonly month?: string | undefined; readonly usual: string },
  nowMs: number,
): TimeWindow {
  if (wish.since !== undefined && wish.month !== undefined)
    throw new UsageError("--since and --month exclude each other");
  if (wish.month === undefined) return { fromMs: nowMs - sinceMs(wish.since ?? wish.usual), untilMs: nowMs };
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/u.exec(wish.month) ?? [];
  if (year === undefined)
    throw new UsageError(`--month takes a month such as 2026-11, not ${JSON.stringify(wish.month)}`);
  const untilMs = Math.min(nowMs, Date.UTC(Number(year), Number(month)));
  return { fromMs: Date.UTC(Number(year), Number(month) - 1), untilMs };
}

function sinceMs(text: string): number {
  const [, count, unit = ""] = /^([0-9]{1,6})(m|h|d)$/u.exec(text) ?? [];
  const ms = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (ms >= 60_000 && ms <= longestMs) return ms;
  throw new UsageError(`--since takes a duration such as 30m, 12h or 7d, up to 400d, not ${JSON.stringify(text)}`);
}
