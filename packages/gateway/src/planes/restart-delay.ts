const firstMs = 100;
const mostMs = 10_000;
const healthyAfterMs = 60_000;

/**
 * How long to wait before a worker is started again: 100 ms, doubled for each time in a row, at most 10 s. One that
 * had stayed up for a minute begins anew. `failures` is what to pass the next time.
 */
export function restartDelayMs(
  failures: number,
  upMs: number,
): { readonly delayMs: number; readonly failures: number } {
  const inARow = upMs >= healthyAfterMs ? 0 : failures;
  return { delayMs: Math.min(firstMs * 2 ** inARow, mostMs), failures: inARow + 1 };
}
