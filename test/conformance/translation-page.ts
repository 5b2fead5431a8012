import { dialects } from "#dialects/registry";
import { table } from "../world/markdown.ts";
import { fates, type Place } from "./field-fates.ts";
import { lossTable, type LossRow } from "./loss-tables.ts";
import { fateOf, languages, titles, ways, type Way } from "./ways.ts";

/** What a person wrote stands before it. */
const mark = "<!-- Below this line: HEDGEROW_REWRITE=1 npm test -- test/conformance/translation.test.ts -->";

/** `docs/translation.md`, its tables made of the code's own. */
export async function translationPage(current: string): Promise<string> {
  const [prose = ""] = current.split(mark);
  const sections = [`${prose.trimEnd()}\n\n${mark}`];
  for (const language of languages) {
    const { asked, answers } = await lossTable(language);
    sections.push(`## Into ${titles[language]}: losses`, lossesTable(asked));
    if (!Object.hasOwn(dialects, language)) continue;
    sections.push(`## Answers for callers of ${titles[language]}: losses`, lossesTable(answers));
  }
  for (const way of ways) {
    const rows: string[][] = [];
    for (const place of way.places) rows.push(await placeRow(way, place));
    const heads = fates.map((fate) => (fate === "own" ? "frame" : fate));
    sections.push(`## ${way.title}: fields`, table(["where", ...heads], rows));
  }
  return `${sections.join("\n\n")}\n`;
}

function lossesTable(rows: readonly LossRow[]): string {
  return table(
    ["loss", "treatment", "in words"],
    rows.map(({ name, treatment, words }) => [`\`${name}\``, treatment, words]),
  );
}

async function placeRow(way: Way, place: Place): Promise<string[]> {
  const found: { readonly name: string; readonly fate: string }[] = [];
  for (const [name, [value, fate]] of Object.entries(place.rows)) {
    found.push({ name, fate: fate === "own" ? fate : await fateOf(way, place, { name, value }) });
  }
  const cells = fates.map((fate) =>
    found.flatMap((each) => (each.fate === fate ? [`\`${each.name}\``] : [])).join(", "),
  );
  return [`\`${place.name}\``, ...cells.map((cell) => cell || "–")];
}
