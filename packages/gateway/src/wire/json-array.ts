/**
 * A push parser of a JSON array of objects that grows while it is sent: the elements come one by one, whatever the
 * split of the bytes. The raw bytes of all elements and of the close, joined, are the input up to the closing bracket.
 */
export interface JsonArrayDecoder {
  push(bytes: Uint8Array): void;
  /** The closing bracket was seen. */
  readonly closed: boolean;
}

export interface JsonArrayDecoderOptions {
  /** An element that grows beyond this is not kept: memory is bounded by it. */
  readonly maxElementBytes: number;
  /** `raw`: the element with the bracket, comma and white space before it. `text`: the element alone. */
  readonly onElement: (raw: Uint8Array, text: string) => void;
  readonly onClose: (raw: Uint8Array) => void;
  /** The element is too large, or the bytes are no array of objects. Nothing is parsed or reported after it. */
  readonly onFail: (why: "oversize" | "broken") => void;
}

export function jsonArrayDecoder(options: JsonArrayDecoderOptions): JsonArrayDecoder {
  return new ElementSplitter(options);
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

class ElementSplitter implements JsonArrayDecoder {
  readonly #options: JsonArrayDecoderOptions;
  #state: "opening" | "between" | "element" | "string" | "escape" | "closed" = "opening";
  #depth = 0;
  /** What came since the last element, as pieces of our own. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Where in the bytes since the last element this one begins. */
  #elementAt = 0;

  constructor(options: JsonArrayDecoderOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes);
    let start = 0;
    for (let at = 0; at < chunk.length && this.#state !== "closed"; at += 1) {
      const outcome = this.#step(chunk[at] ?? 0, at - start);
      if (outcome === "more") continue;
      if (outcome === "broken") {
        this.#state = "closed";
        this.#options.onFail("broken");
        return;
      }
      const raw = this.#take(chunk.subarray(start, at + 1));
      start = at + 1;
      if (outcome === "close") this.#options.onClose(raw);
      else if (raw.length > this.#options.maxElementBytes) this.#oversize();
      else this.#options.onElement(raw, raw.toString("utf8", this.#elementAt));
    }
    if (this.#state === "closed" || start === chunk.length) return;
    this.#held.push(chunk.subarray(start));
    this.#heldBytes += chunk.length - start;
    if (this.#heldBytes > this.#options.maxElementBytes) this.#oversize();
  }

  #oversize(): void {
    this.#state = "closed";
    this.#held = [];
    this.#options.onFail("oversize");
  }

  #take(last: Buffer): Buffer {
    const raw = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    return raw;
  }

  /** `offset`: bytes of this push since the last element, before this one. */
  #step(byte: number, offset: number): "more" | "element" | "close" | "broken" {
    switch (this.#state) {
      case "string":
        if (byte === quote) this.#state = "element";
        else if (byte === backslash) this.#state = "escape";
        return "more";
      case "escape":
        this.#state = "string";
        return "more";
      case "element":
        return this.#inElement(byte);
      default:
        return this.#outside(byte, offset);
    }
  }

  #inElement(byte: number): "more" | "element" {
    if (byte === quote) this.#state = "string";
    else if (byte === openBrace || byte === openBracket) this.#depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      this.#depth -= 1;
      if (this.#depth > 0) return "more";
      this.#state = "between";
      return "element";
    }
    return "more";
  }

  #outside(byte: number, offset: number): "more" | "close" | "broken" {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return "more";
    if (this.#state === "opening") {
      if (byte !== openBracket) return "broken";
      this.#state = "between";
      return "more";
    }
    if (byte === comma) return "more";
    if (byte === closeBracket) {
      this.#state = "closed";
      return "close";
    }
    if (byte !== openBrace) return "broken";
    this.#state = "element";
    this.#depth = 1;
    this.#elementAt = this.#heldBytes + offset;
    return "more";
  }
}
