import { passString } from "./string-run.ts";

/** Byte range of a value, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One `"key": value` of the object, in the order of the bytes. */
export interface Member extends Span {
  readonly key: string;
  /** Position of the key's opening quote. */
  readonly keyStart: number;
}

/** The top level of a JSON object, found without parsing what is inside its values. */
export interface FieldScan {
  /** Value spans by key (escapes decoded); a key that repeats keeps its first span and is listed in `repeated`. */
  readonly fields: ReadonlyMap<string, Span>;
  readonly repeated: readonly string[];
  /** Every member, repeated ones included. */
  readonly members: readonly Member[];
  /** Position of the object's closing brace. */
  readonly close: number;
}

export interface ScanProblem {
  /** In words, for the caller. */
  readonly problem: string;
  /** Byte offset where it was noticed. */
  readonly at: number;
  readonly kind: "syntax" | "depth" | "not-object" | "elements";
}

export interface ScanOptions {
  /** Deepest nesting allowed; the object itself is depth 1. */
  readonly maxDepth: number;
  /** Most values (scalars and containers) allowed in the whole body; default 200,000. */
  readonly maxElements?: number;
}

/**
 * Finds the top-level fields of a JSON object in one pass, without recursion, bounding depth and size before anything
 * is allocated for the content. The structure, literals and numbers are checked as `JSON.parse` would check them, and
 * nothing may follow the object. Not checked: what is inside strings (escapes, control characters, UTF-8), which a
 * later `JSON.parse` of a span, or the upstream, refuses.
 */
export function scanFields(body: Uint8Array, options: ScanOptions): FieldScan | ScanProblem {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return new Scanner(bytes, options).object();
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const defaultMaxElements = 200_000;
/** Each top-level field costs a string and an entry; no language of ours knows a hundred. */
const maxFields = 1_000;

const literals: ReadonlyMap<number, string> = new Map([
  [0x74, "true"],
  [0x66, "false"],
  [0x6e, "null"],
]);

/** Written anew by each scan, so that no call makes its own. */
let containers = new Uint8Array(0);

/** One pass over the bytes. Methods return false once `#problem` is set; positions only move forward. */
class Scanner {
  readonly #bytes: Buffer;
  readonly #maxDepth: number;
  #elementsLeft: number;
  #at = 0;
  #depth = 0;
  /** For each open container whether it is an object: one scan at a time is under way. */
  readonly #inObject: Uint8Array;
  #problem: ScanProblem | undefined;

  constructor(bytes: Buffer, options: ScanOptions) {
    this.#bytes = bytes;
    this.#maxDepth = options.maxDepth;
    this.#elementsLeft = options.maxElements ?? defaultMaxElements;
    if (containers.length <= options.maxDepth) containers = new Uint8Array(options.maxDepth + 1);
    this.#inObject = containers;
  }

  object(): FieldScan | ScanProblem {
    const scan = this.#topLevel();
    return scan ?? this.#problem ?? { problem: "is no JSON object", at: this.#at, kind: "syntax" };
  }

  #topLevel(): FieldScan | undefined {
    const first = this.#next();
    if (first === 0xef) this.#fail("syntax", "the JSON begins with a byte order mark; send it without one");
    else if (first === undefined) this.#fail("syntax", "the body is empty; send a JSON object");
    else if (first !== OPEN_OBJECT) this.#fail("not-object", "the body must be a JSON object");
    if (this.#problem !== undefined || !this.#open(true)) return undefined;
    const fields = new Map<string, Span>();
    const members: Member[] = [];
    const repeated = new Set<string>();
    let more = this.#next() !== CLOSE_OBJECT;
    while (more) {
      this.#next();
      const keyStart = this.#at;
      if (!this.#key()) return undefined;
      const key = this.#decodeKey(keyStart);
      if (key === undefined || !this.#colon()) return undefined;
      this.#next();
      const start = this.#at;
      if (!this.#value()) return undefined;
      const member = { key, keyStart, start, end: this.#at };
      if (members.length === maxFields) return this.#fail("elements", `the JSON has more than ${maxFields} fields`);
      members.push(member);
      if (fields.has(key)) repeated.add(key);
      else fields.set(key, member);
      const separator = this.#next();
      if (separator !== COMMA && separator !== CLOSE_OBJECT) return this.#unexpected("',' or '}'");
      more = separator === COMMA;
      if (more) this.#at += 1;
    }
    const close = this.#at;
    this.#at += 1;
    if (this.#next() !== undefined) return this.#fail("syntax", "something follows the JSON object");
    return { fields, repeated: [...repeated], members, close };
  }

  /** Passes one value, whatever is nested in it. */
  #value(): boolean {
    const base = this.#depth;
    for (;;) {
      const before = this.#depth;
      if (!this.#scalarOrOpening()) return false;
      if (this.#depth > before) continue;
      if (!this.#behindValue(base)) return false;
      if (this.#depth === base) return true;
    }
  }

  /** Behind a value: passes what closes, down to `base`, or the separator before the next value. */
  #behindValue(base: number): boolean {
    while (this.#depth > base) {
      const inObject = this.#inObject[this.#depth] === 1;
      const byte = this.#next();
      if (byte === COMMA) {
        this.#at += 1;
        return !inObject || this.#keyAndColon();
      }
      if (byte !== (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        this.#unexpected(inObject ? "',' or '}'" : "',' or ']'");
        return false;
      }
      this.#at += 1;
      this.#depth -= 1;
    }
    return true;
  }

  /** Passes a scalar or an empty container, or enters a container up to its first value. */
  #scalarOrOpening(): boolean {
    const byte = this.#next();
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      const isObject = byte === OPEN_OBJECT;
      if (!this.#open(isObject)) return false;
      if (this.#next() === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        this.#at += 1;
        this.#depth -= 1;
        return true;
      }
      return !isObject || this.#keyAndColon();
    }
    if (!this.#count()) return false;
    if (byte === QUOTE) return this.#string();
    if (byte === MINUS || isDigit(byte)) return this.#number();
    return this.#literal(byte);
  }

  #open(isObject: boolean): boolean {
    if (this.#depth >= this.#maxDepth) {
      this.#fail("depth", `the JSON is nested deeper than ${this.#maxDepth} levels`);
      return false;
    }
    this.#depth += 1;
    this.#inObject[this.#depth] = isObject ? 1 : 0;
    this.#at += 1;
    return this.#count();
  }

  #count(): boolean {
    this.#elementsLeft -= 1;
    if (this.#elementsLeft >= 0) return true;
    this.#fail("elements", "the JSON holds too many values");
    return false;
  }

  #keyAndColon(): boolean {
    return this.#key() && this.#colon();
  }

  #key(): boolean {
    if (this.#next() === QUOTE) return this.#string();
    this.#unexpected("a key in double quotes");
    return false;
  }

  #colon(): boolean {
    if (this.#next() !== COLON) {
      this.#unexpected("':'");
      return false;
    }
    this.#at += 1;
    return true;
  }

  #decodeKey(start: number): string | undefined {
    try {
      return String(JSON.parse(this.#bytes.toString("utf8", start, this.#at)));
    } catch {
      this.#at = start;
      return this.#fail("syntax", `the JSON is broken: the key at byte ${start} is no valid string`);
    }
  }

  /** At the opening quote; passes the string. */
  #string(): boolean {
    const end = this.#bytes.length;
    const at = passString(this.#bytes, this.#at + 1, end);
    this.#at = Math.min(at + 1, end);
    if (at < end) return true;
    this.#fail("syntax", "the JSON ends inside a string");
    return false;
  }

  /** `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?` after RFC 8259 §6. */
  #number(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] === MINUS) this.#at += 1;
    if (bytes[this.#at] === ZERO) this.#at += 1;
    else if (!this.#digits()) return false;
    if (bytes[this.#at] === DOT) {
      this.#at += 1;
      if (!this.#digits()) return false;
    }
    if (((bytes[this.#at] ?? 0) | 0x20) !== 0x65) return true;
    this.#at += 1;
    const sign = bytes[this.#at];
    if (sign === MINUS || sign === 0x2b) this.#at += 1;
    return this.#digits();
  }

  #digits(): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    while (isDigit(bytes[at])) at += 1;
    this.#at = at;
    if (at > start) return true;
    this.#unexpected("a digit");
    return false;
  }

  #literal(byte: number | undefined): boolean {
    const word = byte === undefined ? undefined : literals.get(byte);
    if (word === undefined || this.#bytes.toString("latin1", this.#at, this.#at + word.length) !== word) {
      this.#unexpected("a value");
      return false;
    }
    this.#at += word.length;
    return true;
  }

  /** The next byte that is not white space, not passed yet; undefined at the end. */
  #next(): number | undefined {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at += 1;
    }
  }

  #unexpected(wanted: string): undefined {
    const where = this.#at < this.#bytes.length ? `at byte ${this.#at}` : "but the JSON ends";
    return this.#fail("syntax", `the JSON is broken: ${wanted} was expected ${where}`);
  }

  #fail(kind: ScanProblem["kind"], problem: string): undefined {
    this.#problem ??= { problem, at: this.#at, kind };
    return undefined;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}
