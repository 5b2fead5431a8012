import type { AnswerView, OutputShapeKind } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import { characters } from "./characters.ts";
import { isObject, parsed, withoutFence } from "./json-value.ts";

/** Characters of a label: longer ones are no classes, and tokens beyond three or four. */
const maxLabel = 16;
/** The same in scripts that leave no space between words. */
const maxDenseLabel = 4;
/**
 * Characters of a short answer: a name, a date, a phrase of about a dozen words. Beyond it, or on a second line, there is
 * room for reasons, and the wording says more than the answer.
 */
export const maxShort = 64;

const label = /^[\s*_`"'“”«([{]*(?<core>[+\-−]?[\p{L}\p{N}][\p{L}\p{N}\p{M}_'’.,/%+#-]*)[\s*_`"'“”»)\]}.:;!?。！]*$/u;
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** What an answer looks like. By its text alone, so that it is the same with log-probabilities and without. */
export function shapeOf(view: AnswerView, request: Pick<GenerateRequest, "output">): OutputShapeKind {
  if (view.toolCalls.length > 0) return "tool";
  if (request.output !== undefined && request.output.kind !== "text") return "json";
  const text = view.text.trim();
  if (isJsonTree(text)) return "json";
  if (labelCore(text) !== undefined) return "label";
  return isShort(text) ? "short" : "long";
}

/** Where the word, letter or number of a label stands in the text, without what surrounds it; undefined for no label. */
export function labelCore(text: string): { readonly start: number; readonly end: number } | undefined {
  if (text.length > maxShort) return undefined;
  const core = label.exec(text)?.groups?.["core"]?.replace(/[.,:/'’-]+$/u, "");
  if (core === undefined || characters(core) > (dense.test(core) ? maxDenseLabel : maxLabel)) return undefined;
  const start = text.indexOf(core);
  return { start, end: start + core.length };
}

export function isShort(text: string): boolean {
  return text.length <= 4 * maxShort && characters(text) <= maxShort && !/[\n\r]/u.test(text);
}

function isJsonTree(text: string): boolean {
  const inside = withoutFence(text).trim();
  if (!/^[{[]/u.test(inside)) return false;
  const value = parsed(inside);
  return isObject(value) || Array.isArray(value);
}
