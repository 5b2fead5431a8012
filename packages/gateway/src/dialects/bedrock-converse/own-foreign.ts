/**
 * What this language has and the hub has no word for is carried as `foreign` under this prefix, with the JSON as it
 * came: a translation to another language names it, and one back to this language restores it.
 */
const prefix = "bedrock:";

export function foreignName(member: string): string {
  return `${prefix}${member}`;
}

export function isOwnForeign(what: string): boolean {
  return what.startsWith(prefix);
}

/** Request fields that only this language has: kept in the hub's `rest` under their own names, and written back here. */
export const ownRequestFields: readonly string[] = [
  "guardrailConfig",
  "promptVariables",
  "requestMetadata",
  "performanceConfig",
];
