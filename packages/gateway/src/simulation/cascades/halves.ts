import { seededChance } from "#simulation/outages/seeded-chance";

export interface Halves<T> {
  readonly calibration: readonly T[];
  readonly test: readonly T[];
}

/** A shuffle (Fisher and Yates) that depends on the seed alone, cut in the middle. */
export function halvesOf<T>(rows: readonly T[], seed: number): Halves<T> {
  const chance = seededChance(seed);
  const shuffled = [...rows];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = Math.floor(chance() * (at + 1));
    [shuffled[at], shuffled[other]] = [shuffled[other] as T, shuffled[at] as T];
  }
  const middle = Math.floor(shuffled.length / 2);
  return { calibration: shuffled.slice(0, middle), test: shuffled.slice(middle) };
}
