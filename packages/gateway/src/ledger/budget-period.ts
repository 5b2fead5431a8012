import type { BudgetPeriod } from "#domain/account";

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** 1970 began on a Thursday: the Monday before it. */
const firstMondayMs = -3 * dayMs;
const weekMs = 7 * dayMs;

export interface PeriodBounds {
  /** Wall clock, milliseconds since 1970. */
  readonly startMs: number;
  /** Infinity for `total`. */
  readonly endMs: number;
}

/** The period of the calendar, in UTC, that a moment is in. */
export function periodAt(period: BudgetPeriod, wallMs: number): PeriodBounds {
  switch (period) {
    case "hour":
      return every(hourMs, 0, wallMs);
    case "day":
      return every(dayMs, 0, wallMs);
    case "week":
      return every(weekMs, firstMondayMs, wallMs);
    case "month": {
      const date = new Date(wallMs);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
    }
    case "total":
      return { startMs: 0, endMs: Number.POSITIVE_INFINITY };
  }
}

function every(lengthMs: number, originMs: number, wallMs: number): PeriodBounds {
  const startMs = originMs + Math.floor((wallMs - originMs) / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}
