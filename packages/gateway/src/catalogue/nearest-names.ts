import { modelKey } from "./names.ts";

const maxNameChars = 128;
const maxCandidates = 20_000;

/**
 * The `count` candidates most like a name, best first: for "did you mean". Names are compared without case, vendor
 * and punctuation; one that would need more than two letters in five changed is not offered. Ties go by alphabet.
 */
export function nearestNames(name: string, candidates: Iterable<string>, count = 3): readonly string[] {
  const wanted = modelKey(name.slice(0, maxNameChars));
  if (wanted === "") return [];
  const scored: { candidate: string; distance: number }[] = [];
  let seen = 0;
  for (const candidate of new Set(candidates)) {
    if (++seen > maxCandidates) break;
    const key = modelKey(candidate.slice(0, maxNameChars));
    const bound = Math.max(1, Math.floor(Math.max(wanted.length, key.length) * 0.4));
    const distance = editDistance(wanted, key, bound);
    if (distance <= bound) scored.push({ candidate, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, Math.max(0, count)).map(({ candidate }) => candidate);
}

/** Levenshtein distance; anything above `bound` where it is above, found without finishing. */
export function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) > bound) return bound + 1;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let best = row;
    for (let column = 1; column <= b.length; column++) {
      const swap = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const cost = Math.min(swap, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      current.push(cost);
      best = Math.min(best, cost);
    }
    if (best > bound) return bound + 1;
    above = current;
  }
  return above[b.length] ?? 0;
}
