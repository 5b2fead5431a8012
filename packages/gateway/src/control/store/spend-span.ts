/** Rows sum up an hour or a day; of days that are too old to be kept apart, one row has the whole past. */
export const hoursOfDay = 24;
export const wholePast = 0;
export const hourMs = 3_600_000;

/** Whole hours since 1970, `[from, until)`. */
export interface HourWindow {
  readonly from: number;
  readonly until: number;
}

/** Rows of one length, `[from, until)` in hours since 1970. */
export interface Span extends HourWindow {
  readonly span: number;
}

/** The hour that a day begins with: no day is ever known in part. */
export function dayBefore(ms: number): number {
  return Math.floor(ms / hourMs / hoursOfDay) * hoursOfDay;
}

/** The whole hours that a window of time touches. */
export function hoursOf({ fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number }): HourWindow {
  return { from: Math.floor(fromMs / hourMs), until: Math.ceil(untilMs / hourMs) };
}

/** Days where the window holds whole ones, hours at its edges: what has to be read to have every hour of it once. */
export function spansOf({ from, until }: HourWindow): readonly Span[] {
  const firstDay = Math.ceil(from / hoursOfDay) * hoursOfDay;
  const lastDay = Math.floor(until / hoursOfDay) * hoursOfDay;
  const spans =
    firstDay >= lastDay
      ? [{ span: 1, from, until }]
      : [
          { span: 1, from, until: firstDay },
          { span: hoursOfDay, from: firstDay, until: lastDay },
          { span: 1, from: lastDay, until },
        ];
  return spans.filter((each) => each.from < each.until);
}
