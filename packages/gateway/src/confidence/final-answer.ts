import { characters } from "./characters.ts";
import { lastNumber, quantityOf } from "./quantities.ts";

/** Characters at the beginning and the end of a long answer that are searched for its result. */
const searched = { first: 240, last: 2_000 };
/** Characters of a result: longer ones are no results but sentences. */
const maxResult = 64;

/** Words after which the result stands, as models write them when they are asked for a last line. */
const announcements = [
  "(?:final |correct |best |right )?(?:answer|choice|option|result)(?: is| would be)?",
  "(?:endgültige |richtige )?(?:antwort|lösung|ergebnis)(?: ist| lautet)?",
  "(?:bonne )?réponse(?: finale)?(?: correcte)?(?: est)?",
  "respuesta(?: final)?(?: correcta)?(?: es)?",
  "risposta(?: finale)?(?: corretta)?(?: è)?",
  "resposta(?: final)?(?: correta)?(?: é)?",
  "antwoord(?: is)?",
  "ответ",
  "(?:最终|正确)?答案(?:是|为)?",
  "答え(?:は)?|解答(?:は)?|回答(?:は)?",
  "정답(?:은)?|답(?:은)?",
].join("|");
const announced = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:${announcements})(?<mark>\s{0,2}[*_"]{0,3}\s{0,2}[:：=]|(?<=\s(?:is|be|ist|lautet|est|es|è|é)|[是为は은]))\s{0,3}(?<result>[^\n]{1,160})`,
  "giu",
);

/**
 * The result that a text announces: `\boxed{…}`, GSM8K's `#### 42`, "The answer is …", "Answer: …"; of several the last.
 * Undefined where it announces none.
 */
export function announcedResult(text: string): string | undefined {
  const read =
    text.length <= searched.first + searched.last
      ? text
      : `${text.slice(0, searched.first)}\n${text.slice(text.length - searched.last)}`;
  return boxedResult(read) ?? hashedResult(read) ?? spokenResult(read);
}

/** The last number of a calculation whose last sentence holds one: what GSM8K's graders read. Undefined without a sum. */
export function calculatedResult(text: string): string | undefined {
  const end = text.slice(-searched.last).trim();
  if (!/=\s{0,3}[$€£]?\s?-?\d/u.test(end)) return undefined;
  const lastLine = end.slice(end.lastIndexOf("\n") + 1);
  const sentences = lastLine.split(/(?<=[.!?。])\s+/u);
  return lastNumber(sentences.at(-1) ?? "");
}

function boxedResult(text: string): string | undefined {
  const at = text.lastIndexOf("\\boxed{");
  if (at < 0) return undefined;
  const start = at + "\\boxed{".length;
  let depth = 1;
  for (let end = start; end < text.length && end - start <= 2 * maxResult; end += 1) {
    if (text[end] === "{") depth += 1;
    else if (text[end] === "}") depth -= 1;
    if (depth === 0) return bounded(text.slice(start, end));
  }
  return undefined;
}

/** Other lines with such a mark are headings. */
function hashedResult(text: string): string | undefined {
  const results = [...text.matchAll(/^[ \t]{0,3}####[ \t]{0,3}(?<result>[^\n]{1,80})$/gmu)];
  const result = results.at(-1)?.groups?.["result"]?.trim();
  return result === undefined || quantityOf(withoutLatex(result)) === undefined ? undefined : result;
}

function spokenResult(text: string): string | undefined {
  const results = [...text.matchAll(announced)].map(({ groups }) => firstSentence(groups?.["result"] ?? ""));
  return results.map(bounded).findLast((result) => result !== undefined);
}

/** Up to a full stop that ends something: no initial, no decimal point. */
function firstSentence(text: string): string {
  const end = /(?<=[^\s.]{2}|[\d)])[.!?](?=\s|\*|"|$)|[。！？]/u.exec(text);
  return end === null ? text : text.slice(0, end.index);
}

function bounded(text: string): string | undefined {
  const result = text.trim();
  return result === "" || characters(result) > maxResult ? undefined : result;
}

/** Without the frames of formulas: `\(\frac{1}{2}\)` is `1/2`, `\text{B}` is `B`, `$42$` is `42`. */
export function withoutLatex(text: string): string {
  if (!/[\\$]/u.test(text)) return text;
  return text
    .replace(/^\s*\$([^$]+)\$\s*$/u, "$1")
    .replace(/\\[()[\]]/gu, "")
    .replace(/\\[dt]?frac\{(\d{1,20})\}\{(\d{1,20})\}/gu, "$1/$2")
    .replace(/\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}/gu, "$1")
    .replace(/\\[!,;: ]|\\left|\\right/gu, "")
    .replace(/\\(?=[$%&#_])/gu, "")
    .trim();
}
