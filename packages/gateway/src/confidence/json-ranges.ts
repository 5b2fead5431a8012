/** A piece of a text: UTF-16 positions, the end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a JSON text says something: what stands between the quotes of a string value, numbers, `true`, `false`, `null`, and
 * for what is empty the character that closes it. Never keys, punctuation or space. Of a text that is not finished, the
 * values that are; of one that is no JSON, whatever looks like them.
 */
export function valueRanges(text: string): readonly Range[] {
  const found: Range[] = [];
  /** Whether each open bracket is an object's. */
  const open: boolean[] = [];
  let isKey = false;
  let before = "";
  for (let at = 0; at < text.length;) {
    const char = text.charAt(at);
    if (isSpace(char)) {
      at += 1;
      continue;
    }
    if (char === '"') {
      const end = stringEnd(text, at);
      if (end === undefined) break;
      if (!isKey) found.push(end === at + 2 ? { start: at + 1, end } : { start: at + 1, end: end - 1 });
      at = end;
    } else if (marks.has(char)) {
      if ((before === "{" && char === "}") || (before === "[" && char === "]")) found.push({ start: at, end: at + 1 });
      if (char === "{" || char === "[") open.push(char === "{");
      if (char === "}" || char === "]") open.pop();
      isKey = (char === "{" || char === ",") && open.at(-1) === true;
      at += 1;
    } else {
      const end = wordEnd(text, at);
      // A number may go on.
      if (end === text.length && open.length > 0) break;
      found.push({ start: at, end });
      at = end;
    }
    before = char;
  }
  return found;
}

const marks: ReadonlySet<string> = new Set(["{", "}", "[", "]", ",", ":"]);

function isSpace(char: string): boolean {
  return char === " " || char === "\n" || char === "\r" || char === "\t";
}

/** The position after the closing quote; undefined where there is none. */
function stringEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\") at += 1;
    else if (char === '"') return at + 1;
  }
  return undefined;
}

function wordEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !marks.has(text.charAt(at)) && !isSpace(text.charAt(at)) && text.charAt(at) !== '"')
    at += 1;
  return at;
}
