import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Node, Pair } from "yaml";
import { noPlaces, renderPath } from "./problem.ts";
import type { ConfigPath, ConfigProblem, Places, WrittenScalar } from "./problem.ts";
import { isSecretPath } from "./secret-paths.ts";

export interface YamlSource {
  /** Plain objects, arrays and scalars, with references resolved. */
  readonly value: unknown;
  readonly places: Places;
  readonly problems: readonly ConfigProblem[];
}

/** Turns a string as written into the value meant; `plain` where it stood without quotes. */
export type ResolveText = (written: string, at: { readonly path: ConfigPath; readonly plain: boolean }) => unknown;

/** Aliases repeat what they point to, so a small file can mean a huge document: this bounds what is built. Ten thousand keys with limits are 90,000. */
const maxNodes = 250_000;
const maxDepth = 50;

const syntaxMessages: Readonly<Record<string, string>> = {
  BAD_INDENT: "the indentation does not fit the lines above, or a bracket or brace is not closed",
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  MISSING_CHAR: "a character is missing, probably a quote, a comma, a colon or a closing bracket",
  BAD_ALIAS: "this alias (*name) has no anchor (&name) above it",
  MULTIPLE_DOCS: "the file holds several documents (---); keep one",
  BAD_DQ_ESCAPE: "this escape is unknown inside \"…\"; use '…' for text with backslashes",
  BLOCK_IN_FLOW: "an indented block stands inside {…} or […]",
  MULTILINE_IMPLICIT_KEY: "this key runs over several lines; a colon or a quote is probably missing",
  BAD_SCALAR_START: "a value cannot begin with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a mapping or list stands where a key should; look for a missing line break or quote",
  TAG_RESOLVE_FAILED: "this tag (!…) means nothing here; remove it",
  RESOURCE_EXHAUSTION: "the document is too large or nested too deeply",
  KEY_OVER_1024_CHARS: "this key is far too long; a colon or a quote is probably missing",
  UNEXPECTED_TOKEN: "this does not belong here; look for a missing quote, comma or colon before it",
};

/** Reads one YAML 1.2 document. Never throws; with a syntax error `value` is undefined. */
export function readYaml(text: string, file: string, resolve: ResolveText): YamlSource {
  const reserved = text.search(masks);
  if (reserved !== -1) {
    const line = text.slice(0, reserved).split("\n").length;
    const message = "the file holds a private-use character (U+E000 to U+E07F); remove it";
    return { value: undefined, places: noPlaces(file), problems: [{ file, line, column: 1, path: "", message }] };
  }
  const lines = new LineCounter();
  const masked = maskReferences(text);
  // That a key stands twice is found below: the library compares each with all before it, a second for ten thousand keys.
  const document = parseDocument(masked, {
    lineCounter: lines,
    prettyErrors: false,
    version: "1.2",
    uniqueKeys: false,
  });
  const syntax = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    // The library's own messages quote the text, which may be a secret.
    return { file, line, column: col, path: "", message: syntaxMessages[error.code] ?? `invalid YAML (${error.code})` };
  });
  const walk = new Walk({ file, lines, resolve });
  if (syntax.length > 0) return { value: undefined, places: walk.places(), problems: syntax };
  const read = walk.visit(document.contents, []);
  // Of what was read in part, everything behind would be called missing.
  const value = walk.isExhausted ? undefined : read;
  return { value, places: walk.places(), problems: walk.problems };
}

class Walk {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #resolve: ResolveText;
  readonly #offsets = new Map<string, number>();
  readonly #written = new Map<string, WrittenScalar>();
  /** What stands behind each name by now: the library looks through the whole document for each alias. */
  readonly #anchors = new Map<string, unknown>();
  readonly #known = new WeakSet<object>();
  #nodes = 0;

  constructor(reading: { file: string; lines: LineCounter; resolve: ResolveText }) {
    this.#file = reading.file;
    this.#lines = reading.lines;
    this.#resolve = reading.resolve;
  }

  get isExhausted(): boolean {
    return this.#nodes > maxNodes;
  }

  visit(node: unknown, path: ConfigPath): unknown {
    this.#nodes += 1;
    if (this.#nodes > maxNodes || path.length > maxDepth) {
      if (this.#nodes <= maxNodes + 1) this.#report(node, path, "the document is too large or nested too deeply");
      this.#nodes = maxNodes + 2;
      return undefined;
    }
    if (isAlias(node)) {
      const meant = this.#anchors.get(node.source);
      if (meant === undefined) this.#report(node, path, syntaxMessages["BAD_ALIAS"] ?? "");
      return this.visit(meant, path);
    }
    this.#learnAnchor(node);
    this.#remember(node, path);
    if (isMap(node)) return this.#map(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.visit(item, [...path, index]));
    if (!isScalar(node)) return undefined;
    if (typeof node.value !== "string") {
      if (!isSecretPath(path) && node.source !== undefined) {
        this.#written.set(renderPath(path), { text: node.source, isText: false });
      }
      return node.value;
    }
    const written = unmask(node.value);
    if (!isSecretPath(path)) this.#written.set(renderPath(path), { text: written, isText: true });
    return this.#resolve(written, { path, plain: node.type === "PLAIN" });
  }

  /** Holds where things stand and nothing else: whoever keeps it does not keep the document, which is a hundred times its text. */
  places(): Places {
    const [file, lines, offsets, written] = [this.#file, this.#lines, this.#offsets, this.#written];
    return {
      file,
      at: (path) => {
        for (let length = path.length; length >= 0; length -= 1) {
          const offset = offsets.get(renderPath(path.slice(0, length)));
          if (offset === undefined) continue;
          const { line, col } = lines.linePos(offset);
          return { line, column: col };
        }
        return undefined;
      },
      written: (path) => written.get(renderPath(path)),
      redacted: (text) => text,
    };
  }

  #map(pairs: readonly Pair[], path: ConfigPath): unknown {
    const entries = new Map<string, unknown>();
    for (const pair of pairs) {
      const name = nameOf(pair.key);
      if (name === "" || name === "__proto__") {
        this.#report(pair.key, path, "a key must be a plain word");
        continue;
      }
      const below = [...path, name];
      this.#learnAnchor(pair.key);
      if (entries.has(name)) {
        this.#report(pair.key, below, "this key stands here twice; remove one of them");
        continue;
      }
      this.#remember(pair.key, below);
      entries.set(name, this.visit(pair.value, below));
    }
    return Object.fromEntries(entries);
  }

  /** The last before an alias counts, in the order of the text: what is visited again by way of an alias is not. */
  #learnAnchor(node: unknown): void {
    const anchor = (node as { readonly anchor?: string } | null | undefined)?.anchor;
    if (anchor === undefined || this.#known.has(node as object)) return;
    this.#known.add(node as object);
    this.#anchors.set(anchor, node);
  }

  /** The first place wins: for an entry of a mapping that is its key. */
  #remember(node: unknown, path: ConfigPath): void {
    const key = renderPath(path);
    const offset = (node as Partial<Node> | null | undefined)?.range?.[0];
    if (offset !== undefined && !this.#offsets.has(key)) this.#offsets.set(key, offset);
  }

  #report(node: unknown, path: ConfigPath, message: string): void {
    const offset = (node as Partial<Node> | null | undefined)?.range?.[0] ?? this.#offsets.get(renderPath(path)) ?? 0;
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ file: this.#file, line, column: col, path: renderPath(path), message });
  }
}

/** A key as written; empty where it is no plain word. A number is one: `8080: …`. */
function nameOf(key: unknown): string {
  if (!isScalar(key)) return "";
  return typeof key.value === "string" ? unmask(key.value) : (key.source ?? "");
}

/**
 * `${NAME}` may stand unquoted inside `{ … }`, where YAML would take its braces for its own: while YAML is read, the
 * ASCII characters of a reference are replaced one for one by private-use characters, so that positions stay true.
 */
const maskBase = 0xe000;
const masks = /[\uE000-\uE07F]/gu;

function maskReferences(text: string): string {
  return text.replace(/\$?\$\{[^}\r\n]*\}/gu, (reference) =>
    reference.replace(/[\0-\x7F]/gu, (letter) => String.fromCharCode(maskBase + letter.charCodeAt(0))),
  );
}

function unmask(text: string): string {
  return text.replace(masks, (letter) => String.fromCharCode(letter.charCodeAt(0) - maskBase));
}
