import type { ShareInterval } from "#domain/supply";

/** `-` where it is unknown. */
export function whole(value: number | undefined): string {
  return value === undefined ? "-" : String(Math.round(value));
}

/** Of nano-dollars; `?` where it is unknown, which is not zero. */
export function usd(nano: number | undefined): string {
  return nano === undefined ? "?" : (nano / 1e9).toFixed(4);
}

export function percent(share: number | undefined, digits = 3): string {
  return share === undefined ? "-" : `${(share * 100).toFixed(digits)} %`;
}

/** One figure where both ends are the same, else both. */
export function interval([lo, hi]: ShareInterval, show: (value: number) => string): string {
  const [least, most] = [show(lo), show(hi)];
  return least === most ? least : `${least} to ${most}`;
}
