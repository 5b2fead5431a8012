import { createHmac, timingSafeEqual } from "node:crypto";

/** What a seal is for: one made for another place is refused there. */
export type SealPurpose = "redacted" | "encrypted-reasoning" | "thought-signature";

/** OpenAI seals with Fernet, by whose first bytes its seals are told from others': so are these. */
const openings: Readonly<Partial<Record<SealPurpose, string>>> = { "encrypted-reasoning": "gAAAAA" };

/** Of the simulators that `hedgerow` runs: a conversation with signed thoughts stays valid over their restarts. */
export const simulatorIssuer = "hedgerow sim";

/**
 * Signs thoughts as a provider does, so that a gateway that loses, changes or misdirects them is found out: only the
 * issuer that signed a text accepts it back, and only byte for byte.
 */
export class Issuer {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** HMAC-SHA-256 over the text, base64. */
  sign(text: string): string {
    return this.#mac("thinking", text);
  }

  /** A thought nobody else can read: `redacted_thinking.data`, `encrypted_content`, `thoughtSignature`. */
  seal(text: string, purpose: SealPurpose = "redacted"): string {
    const hidden = Buffer.from(text, "utf8").toString("base64url");
    return `${openings[purpose] ?? ""}${hidden}.${this.#mac(purpose, hidden)}`;
  }

  signed(text: string, signature: string): boolean {
    return same(signature, this.sign(text));
  }

  sealed(data: string): boolean {
    return this.open(data) !== undefined;
  }

  /** What was sealed; undefined where somebody else sealed it, for something else, or a byte of it changed. */
  open(data: string, purpose: SealPurpose = "redacted"): string | undefined {
    const opening = openings[purpose] ?? "";
    const dot = data.indexOf(".");
    if (!data.startsWith(opening) || dot < opening.length) return undefined;
    const hidden = data.slice(opening.length, dot);
    if (!same(data.slice(dot + 1), this.#mac(purpose, hidden))) return undefined;
    return Buffer.from(hidden, "base64url").toString("utf8");
  }

  #mac(purpose: string, text: string): string {
    return createHmac("sha256", this.#secret).update(`${purpose}\0${text}`).digest("base64");
  }
}

function same(given: string, right: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
