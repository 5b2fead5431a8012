import { createHmac, timingSafeEqual } from "node:crypto";

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

  /** A thought nobody else can read, as `redacted_thinking.data`. */
  seal(text: string): string {
    const hidden = Buffer.from(text, "utf8").toString("base64url");
    return `${hidden}.${this.#mac("redacted", hidden)}`;
  }

  signed(text: string, signature: string): boolean {
    return same(signature, this.sign(text));
  }

  sealed(data: string): boolean {
    const [hidden = "", mac = ""] = data.split(".", 2);
    return same(mac, this.#mac("redacted", hidden));
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
