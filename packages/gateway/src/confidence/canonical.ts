import type { AnswerView, OutputShapeKind } from "#domain/confidence";
import { canonicalJson } from "./canonical-json.ts";
import { announcedResult, calculatedResult, withoutLatex } from "./final-answer.ts";
import { withoutFence } from "./json-value.ts";
import { isShort } from "./output-shape.ts";
import { plainWords } from "./plain-words.ts";
import { quantityOf } from "./quantities.ts";

/** A letter that stands for a choice, alone or before what it stands for: `(B)`, `b.`, `B) Paris`, `Option B: Paris`. */
const choice =
  /^[\s*_"'`]*(?:(?:option|choice|antwort|opción|opção|вариант)\s+)?(?:\(\s*(?<inside>\p{Lu}|[a-z])\s*\)|(?<bare>\p{Lu}|[a-z])(?=\)|\s*[:：]|[\s.*_"'`]*$))(?:[).:：*_"'`\s].*)?$/iu;

/**
 * One text for all ways to give the same answer: a choice's letter, a number by its value, a JSON tree, tool calls by name
 * and arguments in any order, short words without case and marks. Undefined where the answer cannot be compared: free text
 * that announces no result. The canonical text of a canonical text is itself.
 */
export function canonicalOf(view: AnswerView, shape: OutputShapeKind): string | undefined {
  if (view.foreign === true) return undefined;
  if (shape === "tool") return canonicalCalls(view);
  if (view.toolCalls.length > 0) return undefined;
  if (shape === "json") return canonicalJson(withoutFence(view.text));
  return canonicalText(view.text.trim());
}

function canonicalCalls({ toolCalls }: AnswerView): string | undefined {
  const calls = toolCalls.map(({ name, argumentsJson }) => {
    const json = canonicalJson(argumentsJson.trim() === "" ? "{}" : argumentsJson);
    return json === undefined ? undefined : `{"name":${JSON.stringify(name)},"arguments":${json}}`;
  });
  return calls.length === 0 || calls.includes(undefined) ? undefined : `[${calls.toSorted(byText).join(",")}]`;
}

function byText(a: string | undefined, b: string | undefined): number {
  return (a ?? "") < (b ?? "") ? -1 : 1;
}

function canonicalText(text: string): string | undefined {
  let canonical = resultOf(text);
  // What is taken away can lay bare a letter, a number or an announcement.
  for (let turn = 0; turn < 8 && canonical !== undefined; turn += 1) {
    const next = resultOf(canonical);
    if (next === canonical) break;
    canonical = next;
  }
  return canonical;
}

function resultOf(text: string): string | undefined {
  if (text === "") return undefined;
  const result = announcedResult(text);
  if (result !== undefined) return canonicalResult(result);
  return isShort(text) ? canonicalResult(text) : calculatedResult(text);
}

/** A number without its unit where the unit says nothing more, a letter, or words. */
function canonicalResult(result: string): string | undefined {
  const plain = withoutLatex(result);
  const letter = choice.exec(plain)?.groups;
  const chosen = letter?.["inside"] ?? letter?.["bare"];
  if (chosen !== undefined) return plainWords(chosen);
  const quantity = quantityOf(plain.replace(/^[\s*_"'`(]+|[\s*_"'`)]+$/gu, ""));
  if (quantity !== undefined) return quantity.unit === "" ? quantity.value : `${quantity.value} ${quantity.unit}`;
  const words = plainWords(plain);
  return words === "" ? undefined : words;
}
