/** One member of an object as text, with the white space around it. */
export interface OddMember {
  readonly name: string;
  readonly before: string;
  /** Key, colon and value, with the white space between them. */
  readonly key: string;
  readonly value: string;
  readonly after: string;
}

const spaces = ["", "", "", "", " ", "  ", "\n", "\r\n\t", "\t", " \n "];
const runs = [
  "",
  "a",
  "Hecke",
  " ",
  "äöü",
  "日本語",
  "👩‍🌾",
  "\u2028",
  "\u0085",
  "'",
  "/",
  "{}[],:",
  "data: ",
  "null",
  "\u00a0",
];
const escapes = [
  String.raw`\"`,
  String.raw`\\`,
  String.raw`\/`,
  String.raw`\n`,
  String.raw`\u0000`,
  String.raw`\u0041`,
  String.raw`\uD83D\uDE00`,
  // Surrogates that stand alone have no bytes of their own: whoever parses and writes anew loses them.
  String.raw`\ud800`,
  String.raw`\udfff`,
  String.raw`\u2028`,
  String.raw`\b\f\r\t`,
];
const numbers = [
  "0",
  "-0",
  "-0.0",
  "1.0",
  "9007199254740993",
  "123456789012345678901234567890",
  "-1E+400",
  "1e-400",
  "0.1000",
  "3.141592653589793238462643383279",
  "2e5",
  "10.50E-02",
];

/** JSON as no serialiser writes it, and as every parser has to read it. The same for the same seed. */
export class OddJson {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32. */
  below(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * most);
  }

  pick<Item>(list: readonly [Item, ...Item[]] | readonly Item[], otherwise: Item): Item {
    return list[this.below(list.length)] ?? otherwise;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  space(): string {
    return this.pick(spaces, "");
  }

  /** A string with its quotes. */
  text(): string {
    let text = '"';
    for (let left = this.below(5); left > 0; left -= 1)
      text += this.chance(3) ? this.pick(escapes, "") : this.pick(runs, "");
    return `${text}"`;
  }

  /** A name's string token, some of its letters escaped. */
  nameToken(name: string): string {
    if (!this.chance(6)) return `"${name}"`;
    const escaped = Array.from(name, (letter) =>
      this.chance(2) ? String.raw`\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}` : letter,
    );
    return `"${escaped.join("")}"`;
  }

  value(depth = 3): string {
    const kind = this.below(depth > 0 ? 8 : 4);
    if (kind < 2) return this.text();
    if (kind === 2) return this.pick(numbers, "0");
    if (kind === 3) return this.pick(["true", "false", "null"], "null");
    if (kind === 4 && this.chance(30)) return "[".repeat(80) + this.space() + "]".repeat(80);
    if (kind < 6) {
      const items = Array.from({ length: this.below(4) }, () => this.space() + this.value(depth - 1) + this.space());
      return `[${items.length === 0 ? this.space() : items.join(",")}]`;
    }
    return this.object(Array.from({ length: this.below(4) }, () => this.junk(depth - 1)));
  }

  member(name: string, value: string): OddMember {
    const key = this.nameToken(name) + this.space() + ":" + this.space();
    return { name, before: this.space(), key, value, after: this.space() };
  }

  /** A member nobody knows. Some names come twice. */
  junk(depth = 3): OddMember {
    return this.member(this.pick(["x", "x_1", "x_twice", "x_twice", "xß", "x.y", ""], "x"), this.value(depth));
  }

  object(members: readonly OddMember[]): string {
    if (members.length === 0) return `{${this.space()}}`;
    return `{${members.map(({ before, key, value, after }) => before + key + value + after).join(",")}}`;
  }

  /** The members and some that nobody knows, in any order. */
  amongJunk(members: readonly OddMember[]): readonly OddMember[] {
    const all = [...members, ...Array.from({ length: this.below(4) }, () => this.junk())];
    for (let at = all.length - 1; at > 0; at -= 1) {
      const other = this.below(at + 1);
      const [here, there] = [all[at], all[other]];
      if (here !== undefined && there !== undefined) [all[at], all[other]] = [there, here];
    }
    return all;
  }

  /** An object with these members, written oddly, and others. */
  odd(fields: Readonly<Record<string, string>>): string {
    return this.object(this.amongJunk(Object.entries(fields).map(([name, value]) => this.member(name, value))));
  }
}
