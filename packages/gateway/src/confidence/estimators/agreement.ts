import type { AnswerView, OutputShapeKind } from "#domain/confidence";
import { canonicalOf } from "#confidence/canonical";
import { quantityOf } from "#confidence/quantities";

/**
 * Whether two answers say the same. Undefined where they cannot be compared: then the second answer is no evidence.
 *
 * @param shape of the first
 */
export function agreementOf(a: AnswerView, b: AnswerView, shape: OutputShapeKind): boolean | undefined {
  if (a.foreign === true || b.foreign === true) return undefined;
  // One acts and the other talks.
  if (a.toolCalls.length > 0 !== b.toolCalls.length > 0) return isSilent(a) || isSilent(b) ? undefined : false;
  const [one, other] = [canonicalOf(a, shape), canonicalOf(b, shape)];
  if (one === undefined || other === undefined) return undefined;
  if (one === other) return true;
  if (shape === "json" || shape === "tool") return false;
  return isSameNumber(one, other) || isSameChoice(one, b.text) || isSameChoice(other, a.text);
}

function isSilent({ text, toolCalls }: AnswerView): boolean {
  return text.trim() === "" && toolCalls.length === 0;
}

/** `18` and `$18`: a unit that one of them leaves out. Two units are to be the same. */
function isSameNumber(one: string, other: string): boolean {
  const [a, b] = [quantityOf(one), quantityOf(other)];
  return a !== undefined && b !== undefined && a.value === b.value && (a.unit === "" || b.unit === "");
}

/** `B` and `B. Paris`: beside a bare letter the other one's initial is a choice, too. */
function isSameChoice(letter: string, text: string): boolean {
  if (!/^[a-z]$/u.test(letter)) return false;
  return /^[\s*_"'`]*(?<initial>[A-Z])\.\s/u.exec(text)?.groups?.["initial"]?.toLowerCase() === letter;
}
