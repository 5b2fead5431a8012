import type { ShareInterval } from "#domain/supply";

/** All of it. */
export const whole: ShareInterval = [1, 1];

/** The share of a share: of a thing that hangs on A by so much, when A hangs on B by so much. */
export function along(first: ShareInterval, then: ShareInterval): ShareInterval {
  return [first[0] * then[0], first[1] * then[1]];
}

/** What two sources both allow; undefined where they contradict each other. */
export function common(one: ShareInterval, other: ShareInterval): ShareInterval | undefined {
  const [least, most] = [Math.max(one[0], other[0]), Math.min(one[1], other[1])];
  return least <= most ? [least, most] : undefined;
}

/** Two sources that contradict each other: whatever either of them allows. */
export function hull(one: ShareInterval, other: ShareInterval): ShareInterval {
  return [Math.min(one[0], other[0]), Math.max(one[1], other[1])];
}

/** Two ways to the same group: at least the larger, at most both together. */
export function either(one: ShareInterval, other: ShareInterval): ShareInterval {
  return [Math.max(one[0], other[0]), Math.min(1, one[1] + other[1])];
}

/** How much of two things hangs on the same group at once: at least what cannot be apart, at most the smaller. */
export function both(one: ShareInterval, other: ShareInterval): ShareInterval {
  return [Math.max(0, one[0] + other[0] - 1), Math.min(one[1], other[1])];
}
