import { nearestNames } from "#catalogue/catalogue";

/** The candidate a mistyped name was probably meant to be, or undefined where none is close. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  // Swapped letters are the commonest slip, and in a short word they count as too much of it.
  return nearestNames(name, names, 1)[0] ?? names.find((each) => letters(each) === letters(name));
}

/** `did you mean "x"?`, or the list of what there is (at most ten of them), or undefined where there is nothing. */
export function suggestion(name: string, candidates: readonly string[], noun: string): string | undefined {
  const nearest = nearestName(name, candidates);
  if (nearest !== undefined) return `did you mean ${JSON.stringify(nearest)}?`;
  if (candidates.length === 0) return undefined;
  const listed = candidates.slice(0, 10).join(", ");
  return `${noun}: ${listed}${candidates.length > 10 ? `, … (${candidates.length} in all)` : ""}`;
}

function letters(word: string): string {
  return Array.from(word.toLowerCase()).toSorted().join("");
}
