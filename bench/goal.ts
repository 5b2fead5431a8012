import type { Figure } from "./report.ts";

/** What a figure should stay below, and whether its median does: said either way. */
export function goalLine(what: string, found: Figure | undefined, below: number): string {
  const median = found?.median ?? Number.NaN;
  const how = Number.isNaN(median) ? "not measured" : median < below ? "met" : "missed";
  return `goal: ${what} below ${below}: ${how}${Number.isNaN(median) ? "" : ` (${median.toFixed(2)})`}`;
}
