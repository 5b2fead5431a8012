// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * Text of others made safe for a terminal: escape sequences cannot paint, move the cursor or set titles, and marks of
 * writing direction cannot reorder what is read. Line feeds and tabs stay; everything else shows as `�`.
 */
export function terminalText(text: string): string {
  return text.replace(/\r\n/gu, "\n").replace(controls, "�");
}

/** The same on one line, for tables and messages. */
export function terminalLine(text: string): string {
  return terminalText(text).replace(/[\n\t]+/gu, " ");
}
