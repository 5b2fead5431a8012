import type { AnswerView } from "#domain/confidence";

/** Characters of an answer's two ends that are read: what models say of themselves stands first or last. */
const readAtEnds = 4_096;

/** "confidence" as models write it, then a number, with what may stand between; `"confidence": 0.9` of JSON, too. */
const statement =
  /(?:confidence|certainty|probability of being correct|konfidenz|sicherheit|zuversicht|confiance|certitude|confianza|certeza|confiança|fiducia|уверенность|置信度|信心|确信度|自信度|信頼度|確信度|신뢰도|확신)(?:[ _-](?:score|level|rating|estimate))?["'*_`\]]{0,4}\s{0,3}(?:[:=：]|is|of|ist|est|es|è|は)?\s{0,3}["'*_`~≈]{0,4}\s?(?<number>\d{1,3}(?:[.,]\d{1,6})?)\s{0,2}(?<unit>%|％|\/\s{0,2}\d{1,3}|out of \d{1,3})?/giu;

/**
 * How sure an answer says it is, to the nearest tenth, 0..1: numbers of models are too coarse for more. Of several the
 * lowest, so that none can be talked up. Undefined where it says nothing.
 */
export function statedConfidence(view: Pick<AnswerView, "text">): number | undefined {
  const { text } = view;
  const read =
    text.length <= 2 * readAtEnds ? text : `${text.slice(0, readAtEnds)}\n${text.slice(text.length - readAtEnds)}`;
  let lowest: number | undefined;
  for (const { groups } of read.matchAll(statement)) {
    const share = shareOf(groups?.["number"] ?? "", groups?.["unit"]);
    if (share !== undefined) lowest = Math.min(lowest ?? 1, Math.round(share * 10) / 10);
  }
  return lowest;
}

function shareOf(number: string, unit: string | undefined): number | undefined {
  const value = Number(number.replace(",", "."));
  const share = value / scaleOf(value, unit);
  return share >= 0 && share <= 1 ? share : undefined;
}

/** `0.9`, `90`, `90 %`, `9/10`, `9 out of 10`. */
function scaleOf(value: number, unit: string | undefined): number {
  if (unit === undefined) return value > 1 ? 100 : 1;
  const outOf = /\d+/u.exec(unit)?.[0];
  return outOf === undefined ? 100 : Number(outOf);
}
