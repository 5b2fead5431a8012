import { passString } from "./string-run.ts";

/** From the top of a value inwards: keys of objects, `*` for every element of an array. */
export type JsonPath = readonly string[];

interface Place {
  readonly children: Map<string, Place>;
  /** JSON text for what stands here; undefined takes the member away, absent leaves it. */
  edit?: { readonly json: string | undefined };
}

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/**
 * Replaces (JSON text) or takes away (undefined) what stands at the given paths, in every JSON object that the bytes
 * hold one after another: a whole body, an event's `data`, an element of a streamed array. All other bytes stay as they
 * came, an object that is no sound JSON included. `sign` stands in all bytes that can have such a place.
 */
export function pathEditor(
  edits: readonly (readonly [path: JsonPath, json: string | undefined])[],
  sign: string,
): (bytes: Uint8Array) => Uint8Array {
  const root: Place = { children: new Map() };
  for (const [path, json] of edits) {
    let place = root;
    for (const step of path) {
      const next = place.children.get(step) ?? { children: new Map() };
      place.children.set(step, next);
      place = next;
    }
    place.edit = { json };
  }
  return (given) => {
    const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    if (!bytes.includes(sign)) return given;
    const cuts = new Walker(bytes).cuts(root);
    return cuts.length === 0 ? given : applied(bytes, cuts);
  };
}

function applied(bytes: Buffer, cuts: readonly Cut[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let copied = 0;
  for (const { start, end, by } of cuts) {
    pieces.push(bytes.subarray(copied, start), Buffer.from(by));
    copied = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(copied)]);
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

interface Seen {
  readonly keyStart: number;
  readonly end: number;
  readonly removed: boolean;
}

/** Methods return false where the bytes are no JSON. Only places on a path are entered, so that paths bound the depth. */
class Walker {
  readonly #bytes: Buffer;
  #at = 0;
  #cuts: Cut[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  cuts(root: Place): readonly Cut[] {
    for (;;) {
      const start = this.#bytes.indexOf(openObject, this.#at);
      if (start === -1) return this.#cuts;
      this.#at = start;
      const before = this.#cuts.length;
      // What follows a broken object cannot be told from what is inside it.
      if (!this.#object(root)) return this.#cuts.slice(0, before);
    }
  }

  #value(place: Place | undefined): boolean {
    const byte = this.#next();
    if (place !== undefined && place.children.size > 0) {
      if (byte === openObject) return this.#object(place);
      const each = place.children.get("*");
      if (byte === openArray && each !== undefined) return this.#array(each);
    }
    return this.#skip(byte);
  }

  #object(place: Place): boolean {
    this.#at += 1;
    const seen: Seen[] = [];
    if (this.#next() === closeObject) return this.#passed();
    for (;;) {
      const keyStart = this.#at;
      if (this.#next() !== quote || !this.#string()) return false;
      const inner = place.children.get(this.#key(keyStart));
      if (this.#next() !== colon) return false;
      this.#at += 1;
      this.#next();
      const start = this.#at;
      const edit = inner?.edit;
      if (!this.#value(edit === undefined ? inner : undefined)) return false;
      if (edit?.json !== undefined) this.#cuts.push({ start, end: this.#at, by: edit.json });
      seen.push({ keyStart, end: this.#at, removed: edit !== undefined && edit.json === undefined });
      const separator = this.#next();
      this.#at += 1;
      if (separator === closeObject) break;
      if (separator !== comma) return false;
      this.#next();
    }
    this.#takeAway(seen);
    return true;
  }

  #array(each: Place): boolean {
    this.#at += 1;
    if (this.#next() === closeArray) return this.#passed();
    for (;;) {
      if (!this.#value(each)) return false;
      const separator = this.#next();
      this.#at += 1;
      if (separator === closeArray) return true;
      if (separator !== comma) return false;
    }
  }

  /** A member that a kept one follows takes the comma behind it along, those at the end the comma before them. */
  #takeAway(members: readonly Seen[]): void {
    const lastKept = members.findLastIndex((member) => !member.removed);
    const cuts: Cut[] = [];
    for (const [index, member] of members.entries()) {
      const next = members[index + 1];
      if (member.removed && index < lastKept && next !== undefined) {
        cuts.push({ start: member.keyStart, end: next.keyStart, by: "" });
      }
    }
    const last = members.at(-1);
    if (last?.removed === true) {
      const start = members[lastKept]?.end ?? members[0]?.keyStart ?? last.keyStart;
      cuts.push({ start, end: last.end, by: "" });
    }
    if (cuts.length > 0) this.#cuts = [...this.#cuts, ...cuts].toSorted((a, b) => a.start - b.start);
  }

  /** Keys of paths are plain words: one that is written with escapes is none of them. */
  #key(start: number): string {
    return this.#bytes.toString("latin1", start + 1, this.#at - 1);
  }

  /** Passes a value without looking into it. */
  #skip(byte: number | undefined): boolean {
    if (byte === quote) return this.#string();
    if (byte !== openObject && byte !== openArray) return this.#scalar();
    let depth = 0;
    for (;;) {
      const next = this.#bytes[this.#at];
      if (next === undefined) return false;
      if (next === quote) {
        if (!this.#string()) return false;
        continue;
      }
      this.#at += 1;
      if (next === openObject || next === openArray) depth += 1;
      else if (next === closeObject || next === closeArray) depth -= 1;
      if (depth === 0) return true;
    }
  }

  #scalar(): boolean {
    const start = this.#at;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte === comma || byte === closeObject || byte === closeArray || byte <= 0x20) break;
      this.#at += 1;
    }
    return this.#at > start;
  }

  #string(): boolean {
    const end = this.#bytes.length;
    const at = passString(this.#bytes, this.#at + 1, end);
    this.#at = at + 1;
    return at < end;
  }

  #passed(): true {
    this.#at += 1;
    return true;
  }

  #next(): number | undefined {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte > 0x20) return byte;
      this.#at += 1;
    }
  }
}
