/**
 * What this language has and the hub has no word for is carried as `foreign` under this prefix, with the JSON as it
 * came: a translation to another language names it, and one back to this language restores it.
 */
const prefix = "openai-responses:";

/** Of an item, an event or a tool. */
export function foreignName(type: string): string {
  return `${prefix}${type}`;
}

/** Of a part of a message's content. */
export function foreignPartName(type: string): string {
  return `${prefix}content/${type}`;
}

export function isOwnPart(what: string): boolean {
  return what.startsWith(`${prefix}content/`);
}

export function isOwnForeign(what: string): boolean {
  return what.startsWith(prefix);
}
