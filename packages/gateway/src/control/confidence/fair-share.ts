/**
 * The most that each may have so that all together have `room`: whoever has less keeps all of it, and what is left is
 * divided evenly among the others (max-min fairness). Infinity where there is room for everything.
 */
export function fairShare(amounts: readonly number[], room: number): number {
  let left = room;
  for (const [at, amount] of amounts.toSorted((a, b) => a - b).entries()) {
    const even = left / (amounts.length - at);
    if (amount > even) return even;
    left -= amount;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * So many of the rows, in their order: the first of each caller's, and of nobody more than a fair share, so that a caller who
 * says a lot does not push out what others said.
 */
export function fairlyFirst<Row extends { readonly caller: string }>(
  rows: readonly Row[],
  most: number,
): readonly Row[] {
  if (rows.length <= most) return rows;
  const counts = [...Map.groupBy(rows, ({ caller }) => caller).values()].map(({ length }) => length);
  const each = Math.max(1, Math.floor(fairShare(counts, most)));
  const taken = new Map<string, number>();
  const chosen = rows.filter(({ caller }) => {
    const before = taken.get(caller) ?? 0;
    taken.set(caller, before + 1);
    return before < each;
  });
  return chosen.slice(0, most);
}
