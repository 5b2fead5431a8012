import { createHash } from "node:crypto";

const prefix = "gcall_";
const fits = /^[A-Za-z0-9_-]{1,26}$/u;

/**
 * The id of a call that came without one: the answer's own id (a digest of it where it does not fit) and the call's
 * place. It fits every language's form (40 characters of `[A-Za-z0-9_-]`), is the same each time the same bytes are
 * read, and is known again by its prefix, so that the vendor never sees it.
 */
export function madeCallId(answer: string, place: number): string {
  const name = fits.test(answer) ? answer : createHash("sha256").update(answer).digest("base64url").slice(0, 22);
  return `${prefix}${name}_${place}`;
}

export function isMadeCallId(id: string): boolean {
  return id.startsWith(prefix);
}
