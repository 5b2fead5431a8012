/** What a key of ours begins with, so that one that leaked is found by a search. */
const keyPrefix = "hr_";
export const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Of 62 kinds: 238 bits. */
export const keyLength = 40;
const checkLength = 5;
/** A prime below 62⁵, and a base: no single changed character and no swapped pair leaves the sum as it was. */
const modulus = 536_870_909;
const base = 131;

/** The key text of `keyLength` random characters: `hr_`, these, and five that tell a typo from an unknown key. */
export function keyTextOf(random: string): string {
  return `${keyPrefix}${random}${checkOf(random)}`;
}

/**
 * Whether a text is one that was issued, or could have been. `mistyped`: it begins like one, and is not whole. `other`: a
 * key that somebody else made.
 */
export function readKeyText(text: string): "whole" | "mistyped" | "other" {
  if (!text.startsWith(keyPrefix)) return "other";
  const random = text.slice(keyPrefix.length, keyPrefix.length + keyLength);
  return text === keyTextOf(random) && random.length === keyLength ? "whole" : "mistyped";
}

/** What may be shown of a key, so that its owner recognises it: 36 of its 238 bits. */
export function keyHint(text: string): string {
  return text.slice(0, keyPrefix.length + 6);
}

function checkOf(random: string): string {
  let sum = 0;
  for (const character of random) sum = (sum * base + digits.indexOf(character) + 1) % modulus;
  let check = "";
  for (let at = 0; at < checkLength; at += 1) {
    check = (digits[sum % digits.length] ?? "") + check;
    sum = Math.floor(sum / digits.length);
  }
  return check;
}
