const allowed = /^[a-zA-Z0-9_-]+$/u;
const prefix = "hedgerow_";

/**
 * A tool call's id as the Messages API accepts it (`^[a-zA-Z0-9_-]+$`). Ids that fit stay; others are escaped so that
 * different ids stay different and the original can be read back: `_` and code points that do not fit become
 * `_hex_` behind a prefix, and an id that already begins with the prefix is escaped too.
 */
export function messagesToolId(id: string): string {
  if (allowed.test(id) && !id.startsWith(prefix)) return id;
  let escaped = prefix;
  for (const character of id) {
    escaped += /[a-zA-Z0-9-]/u.test(character) ? character : `_${(character.codePointAt(0) ?? 0).toString(16)}_`;
  }
  return escaped;
}
