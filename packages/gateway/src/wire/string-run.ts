const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Passes the inside of a JSON string byte by byte: from a place that no backslash escapes to its closing quote, or to the
 * first such place at or behind `until`. Tells that place; whether a quote is there has to be looked at.
 */
export function passBytes(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** Escapes come in company: so many bytes behind one are looked at one by one, which costs less than another word that fails. */
const behindHit = 8;

/** Every byte of a word, and the least and greatest bit of every byte. */
const quotes = 0x22222222;
const backslashes = 0x5c5c5c5c;
const ones = 0x01010101;
const highest = 0x80808080;

/**
 * The same, four bytes at once where none of them is a quote or a backslash: for text that is full of escapes, where every
 * native search would end after a few bytes. A byte of a word is zero where (w - 0x01010101) & ~w & 0x80808080 has its bit
 * (Mycroft's test, Warren, Hacker's Delight, 6-1); what it finds too much is looked at byte by byte.
 */
export function passWords(bytes: Uint8Array, from: number, until: number): number {
  const base = bytes.byteOffset;
  const words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  const end = (base + until) >> 2;
  let at = from;
  while (at < until) {
    const aligned = at + (-(base + at) & 3);
    at = passBytes(bytes, at, Math.min(aligned, until));
    if (at >= until || bytes[at] === QUOTE) return at;
    // An escape has carried it past the word's beginning.
    if (((base + at) & 3) !== 0) continue;
    let index = (base + at) >> 2;
    while (index < end && !holdsEither(words[index] ?? 0)) index += 1;
    at = (index << 2) - base;
    const stop = Math.min(at + behindHit, until);
    at = passBytes(bytes, at, stop);
    if (at < stop) return at;
  }
  return at;
}

function holdsEither(word: number): boolean {
  const quoted = word ^ quotes;
  const escaped = word ^ backslashes;
  return ((((quoted - ones) & ~quoted) | ((escaped - ones) & ~escaped)) & highest) !== 0;
}
