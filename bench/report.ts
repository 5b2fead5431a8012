/** One figure of a subject over all rounds. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What a workload gave: printed as a table, written as JSON, drawn from that. */
export interface WorkloadReport {
  readonly workload: string;
  /** How it was done, in one line: rounds, requests, connections. */
  readonly how: string;
  /** A row for each subject; every row has the same columns, each named with its unit ("CPU µs per request"). */
  readonly rows: readonly { readonly subject: string; readonly figures: Readonly<Record<string, Figure>> }[];
  /** What a reader must know besides: who failed, what was left out and why. */
  readonly notes: readonly string[];
}

/** The middle and the ends; of an even number the higher of the two in the middle. */
export function figure(numbers: readonly number[]): Figure {
  const sorted = numbers.toSorted((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
  };
}

/** Who failed, and how often over all rounds. */
export function failedNotes(
  results: ReadonlyMap<string, readonly { readonly failed: number }[]>,
  what: string,
): readonly string[] {
  return [...results].flatMap(([name, own]) => {
    const failed = own.reduce((sum, each) => sum + each.failed, 0);
    return failed === 0 ? [] : [`${name}: ${failed} ${what} failed`];
  });
}

function digits({ median }: Figure): number {
  return Math.abs(median) < 10 ? 2 : Math.abs(median) < 100 ? 1 : 0;
}

function cell(of: Figure | undefined): string {
  if (of === undefined || Number.isNaN(of.median)) return "–";
  const places = digits(of);
  const middle = of.median.toFixed(places);
  if (of.least === of.most) return middle;
  return `${middle} (${of.least.toFixed(places)}–${of.most.toFixed(places)})`;
}

/** The report as a person reads it: a heading, a table in Markdown, notes. */
export function table({ workload, how, rows, notes }: WorkloadReport): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const lines = rows.map(
    ({ subject, figures }) => `| ${[subject, ...columns.map((name) => cell(figures[name]))].join(" | ")} |`,
  );
  const head = [`| ${["subject", ...columns].join(" | ")} |`, `|${"---|".repeat(columns.length + 1)}`];
  return ["", `${workload}: ${how}`, ...head, ...lines, ...notes].join("\n");
}
