/** What is read at a place, and how far it goes. */
interface Piece {
  readonly end: number;
  readonly kind: "code" | "comment" | "literal";
}

/**
 * Code in which comments and what stands in strings, templates and regular expressions are blank, every character at
 * its place. A small scanner instead of a parser (TypeScript 7 has no stable one): it knows templates with code inside
 * them, and tells a regular expression from a division by what stands before it.
 */
export function mask(text: string): string {
  let code = "";
  /** Depth of braces at each open template's `${`. */
  const templates: number[] = [];
  let depth = 0;
  for (let at = 0; at < text.length;) {
    const char = text[at] ?? "";
    let piece: Piece = { end: at + 1, kind: "code" };
    if (char === "{") depth += 1;
    else if (char === "}" && templates.at(-1) === depth) {
      templates.pop();
      piece = { end: templateEnd(text, at + 1), kind: "literal" };
    } else if (char === "}") depth -= 1;
    else piece = pieceAt(text, at, code);
    const raw = text.slice(at, piece.end);
    if (piece.kind === "literal" && raw.endsWith("${")) templates.push(depth);
    code += masked(raw, piece.kind);
    at = piece.end;
  }
  return code;
}

function masked(raw: string, kind: Piece["kind"]): string {
  if (kind === "code") return raw;
  if (kind === "comment" || raw.length < 2) return blank(raw);
  return (raw[0] ?? "") + blank(raw.slice(1, -1)) + (raw.at(-1) ?? "");
}

function pieceAt(text: string, at: number, before: string): Piece {
  const char = text[at];
  const next = text[at + 1];
  if (char === "/" && next === "/") return { end: endOf(text, at, /\n|$/g), kind: "comment" };
  if (char === "/" && next === "*") return { end: Math.max(text.indexOf("*/", at + 2) + 2, at + 2), kind: "comment" };
  if (char === '"' || char === "'") return { end: quoteEnd(text, at + 1, char), kind: "literal" };
  if (char === "`") return { end: templateEnd(text, at + 1), kind: "literal" };
  if (char === "/" && mayBeginRegExp(before)) return { end: regExpEnd(text, at + 1), kind: "literal" };
  return { end: at + 1, kind: "code" };
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function endOf(text: string, from: number, pattern: RegExp): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function quoteEnd(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote || text[at] === "\n") return at + 1;
  }
  return text.length;
}

/** Behind the closing backtick or the next `${`. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}

function regExpEnd(text: string, from: number): number {
  let inClass = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (char === "\n") return at;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return text.length;
}

/** A slash divides behind a value, and begins a regular expression behind everything else. */
function mayBeginRegExp(before: string): boolean {
  const head = before.trimEnd();
  if (/(?:^|[^.\w$])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/.test(head)) return true;
  return !/[\w$)\]}"'`]$/.test(head);
}
