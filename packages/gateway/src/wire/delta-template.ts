const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const SPACE = 0x20;
// A raw control character makes a JSON string invalid; the full parser is then asked, and says so.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f]/;
const filler = '"obfuscation":"';
/** Holding a longer template would cost more than parsing: such chunks are rare and not plain. */
const longest = 4096;
const mostWasted = 16;

/** How the data of a frame stand in it, in all but the strangest: one line, with an event's name before it or without. */
const plainFrame = /^(?:event:[^\r\n]*\n)?data: ?$/u;

/** A learnt chunk as bytes: what stands before its text, behind it, and behind the filler. */
interface FrameBytes {
  readonly head: Buffer;
  readonly tail: Buffer;
  /** A tail, and the head of another such frame behind it. */
  readonly joint: Buffer;
  readonly behindFiller: Buffer | undefined;
}

/** How frames may be known by their bytes. */
export interface KnownFrames {
  /** Of one frame. */
  readonly maxEventBytes: number;
  /** Several that follow one another may be taken as one. */
  readonly joinsText?: boolean;
}

/**
 * Reads a run of streamed deltas that differ in one string only, without parsing each of them. Most chunks of an
 * answer repeat the one before to the letter but for the text; once one of them was parsed in full, the next needs
 * two comparisons. What stands before and after the string is then known to mean the same, because it is the same:
 * the string's end is found by JSON's own rule. A random filler (OpenAI's `obfuscation`) and padding spaces before
 * closing braces (Anthropic's) may differ too.
 */
export class DeltaTemplate {
  readonly #opening: string;
  readonly #key: string;
  #head = "";
  #tail = "";
  /** Where the tail holds a filler: what stands before its value, and what behind. */
  #fillerAt = -1;
  #behindFiller = "";
  /** Chunks learnt since the last that matched. */
  #wasted = 0;
  #frame: FrameBytes | undefined;
  #frameText = "";

  /** `key` names the string that differs, for instance `content`. */
  constructor(key: string) {
    this.#key = `"${key}"`;
    this.#opening = `"${key}":"`;
  }

  /** Remembers a chunk that was parsed in full and said nothing but `text`; `frame`: its bytes, blank line included. */
  learn(data: string, text: string, frame?: Uint8Array): void {
    this.#head = "";
    this.#frame = undefined;
    // Some upstreams put a time or a count into every chunk: nothing repeats there, and trying costs more than parsing.
    if (data.length > longest || this.#wasted > mostWasted) return;
    this.#wasted += 1;
    const at = data.indexOf(this.#opening);
    // A second key of that name would make it a guess which of them holds the text.
    if (at === -1 || data.indexOf(this.#key) !== at || data.indexOf(this.#key, at + 1) !== -1) return;
    const start = at + this.#opening.length;
    const close = closingQuote(data, start);
    if (close === -1 || decode(data, start, close) !== text) return;
    this.#head = data.slice(0, start);
    this.#tail = data.slice(close);
    const fill = this.#tail.indexOf(filler);
    this.#fillerAt = fill === -1 ? -1 : fill + filler.length;
    const end = fill === -1 ? -1 : closingQuote(this.#tail, this.#fillerAt);
    this.#behindFiller = end === -1 ? "" : this.#tail.slice(end);
    if (frame !== undefined) this.#learnFrame(data, frame);
  }

  /** Where every byte is a character, so that places in the text are places in the bytes. */
  #learnFrame(data: string, frame: Uint8Array): void {
    const written = Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString("latin1");
    const before = written.length - data.length - 2;
    if (before < 0 || !written.endsWith(`${data}\n\n`) || !plainFrame.test(written.slice(0, before))) return;
    const tail = this.#fillerAt === -1 ? this.#tail : this.#tail.slice(0, this.#fillerAt);
    const head = Buffer.from(written.slice(0, before) + this.#head, "latin1");
    const ending = Buffer.from(this.#fillerAt === -1 ? `${tail}\n\n` : tail, "latin1");
    this.#frame = {
      head,
      tail: ending,
      joint: Buffer.concat([ending, head]),
      behindFiller: this.#behindFiller === "" ? undefined : Buffer.from(`${this.#behindFiller}\n\n`, "latin1"),
    };
  }

  /**
   * Where the frame that begins at `from` ends, if all of it is there and repeats the learnt one; `frameText` is then its text.
   * 0 where it has to be looked at otherwise: so has a text with escapes, and a frame of more than `mostBytes`.
   */
  matchFrame(bytes: Buffer, from: number, mostBytes: number): number {
    if (this.#frame === undefined) return 0;
    const { head, tail, behindFiller } = this.#frame;
    const start = from + head.length;
    if (!standsAt(bytes, head, from)) return 0;
    const close = closingByte(bytes, start);
    if (close === 0 || !standsAt(bytes, tail, close)) return 0;
    let end = close + tail.length;
    if (behindFiller !== undefined) {
      end = closingByte(bytes, end);
      if (end === 0 || !standsAt(bytes, behindFiller, end)) return 0;
      end += behindFiller.length;
    } else if (this.#fillerAt !== -1) return 0;
    if (end - from > mostBytes) return 0;
    this.#wasted = 0;
    this.#frameText = bytes.toString("utf8", start, close);
    return end;
  }

  /** By {@link matchRun} where texts may be joined, else by {@link matchFrame}. */
  matchKnown(bytes: Buffer, from: number, { maxEventBytes, joinsText }: KnownFrames): number {
    return joinsText ? this.matchRun(bytes, from, maxEventBytes) : this.matchFrame(bytes, from, maxEventBytes);
  }

  /** The same of as many such frames as follow one another: `frameText` is then all their texts. One without any ends the run. */
  matchRun(bytes: Buffer, from: number, mostBytes: number): number {
    let end = this.matchFrame(bytes, from, mostBytes);
    if (end === 0 || this.#frame === undefined || this.#fillerAt !== -1) return end;
    const { head, tail, joint } = this.#frame;
    for (let goesOn = standsAt(bytes, head, end); goesOn;) {
      const start = end + head.length;
      const close = closingByte(bytes, start);
      if (close <= start || close + tail.length - end > mostBytes) break;
      goesOn = standsAt(bytes, joint, close);
      if (!goesOn && !standsAt(bytes, tail, close)) break;
      this.#frameText += bytes.toString("utf8", start, close);
      end = close + tail.length;
    }
    return end;
  }

  get frameText(): string {
    return this.#frameText;
  }

  /** The text of a chunk that repeats the learnt one; undefined where it has to be parsed in full. */
  match(data: string): string | undefined {
    const start = this.#head.length;
    if (start === 0 || !data.startsWith(this.#head)) return undefined;
    const close = closingQuote(data, start);
    if (close === -1 || !this.#sameTail(data, close)) return undefined;
    this.#wasted = 0;
    return decode(data, start, close);
  }

  #sameTail(data: string, close: number): boolean {
    if (data.length - close === this.#tail.length && data.endsWith(this.#tail)) return true;
    if (this.#fillerAt === -1) return isPaddedEnd(data, close) && isPaddedEnd(this.#tail, 0);
    if (!data.startsWith(this.#tail.slice(0, this.#fillerAt), close)) return false;
    const from = close + this.#fillerAt;
    const end = closingQuote(data, from);
    if (end === -1 || data.length - end !== this.#behindFiller.length) return false;
    return data.endsWith(this.#behindFiller) && !control.test(data.slice(from, end)) && data.indexOf("\\", from) === -1;
  }
}

function standsAt(bytes: Buffer, what: Buffer, from: number): boolean {
  const end = from + what.length;
  return end <= bytes.length && bytes.compare(what, 0, what.length, from, end) === 0;
}

/** The place of the quote that ends a string without escapes; 0 where it has one, or does not end. */
function closingByte(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < SPACE) return 0;
  }
  return 0;
}

/** `"}}` with any spaces before each brace: nothing but the end of two objects. */
function isPaddedEnd(text: string, from: number): boolean {
  let braces = 0;
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x7d) braces += 1;
    else if (code !== 0x20) return false;
  }
  return braces === 2;
}

/** Position of the quote that ends the string starting at `from`; -1 where it does not end. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at > from && text.charCodeAt(at - 1) === BACKSLASH) {
    let first = at - 1;
    while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((at - first) % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return at;
}

function decode(data: string, start: number, close: number): string | undefined {
  const text = data.slice(start, close);
  if (text.includes("\\")) {
    try {
      return JSON.parse(data.slice(start - 1, close + 1)) as string;
    } catch {
      return undefined;
    }
  }
  return control.test(text) ? undefined : text;
}
