import type { MatrixClient } from "./clients/matrix-client.ts";
import type { Outcomes } from "./cell-entry.ts";
import type { CellResult } from "./run-cell.ts";
import type { FailureResult } from "./run-failure.ts";
import type { MatrixUpstream } from "./upstreams.ts";

/** One cell that was run, or for a reason was not. */
export interface Tallied<Result> {
  readonly client: MatrixClient;
  readonly upstream: MatrixUpstream;
  /** Of the scenario, or of the class of failures. */
  readonly name: string;
  readonly streamed: boolean;
  readonly result: Result;
}

/** What came of every cell, for the page and for the table the tests print. */
export class Tally<Result extends CellResult | FailureResult> {
  readonly cells: Tallied<Result>[] = [];

  add(of: Omit<Tallied<Result>, "streamed" | "result">, { whole, streamed }: Outcomes<Result>): void {
    if (whole !== undefined) this.cells.push({ ...of, streamed: false, result: whole });
    this.cells.push({ ...of, streamed: true, result: streamed });
  }

  count(kind: Result["kind"], within: readonly Tallied<Result>[] = this.cells): number {
    return within.filter(({ result }) => result.kind === kind).length;
  }
}

/** Items by what they have in common, in the order of their first. */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

export function unique<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Set(items)];
}
