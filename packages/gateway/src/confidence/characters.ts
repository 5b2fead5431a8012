/** Unicode characters of a text: what JSON Schema counts, and what makes one script as long as another. */
export function characters(text: string): number {
  return Array.from(text).length;
}
