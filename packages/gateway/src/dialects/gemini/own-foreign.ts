/**
 * What this language has and the hub has no word for is carried as `foreign` under this prefix, with the JSON as it
 * came: a translation to another language names it, and one back to this language restores it.
 */
const prefix = "gemini:";

export function foreignName(type: string): string {
  return `${prefix}${type}`;
}

export function isOwnForeign(what: string): boolean {
  return what.startsWith(prefix);
}
