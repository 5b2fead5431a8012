// What becomes of each field the official SDKs document, between any two languages, and the page that says so:
//     HEDGEROW_REWRITE=1 npm test -- test/conformance/translation.test.ts
// writes the tables of docs/translation.md anew; read the difference before you commit it.
import { describe, expect, it } from "vitest";
import { expectWritten, written } from "../world/written.ts";
import { translationPage } from "./translation-page.ts";
import { fateOf, translate, ways } from "./ways.ts";

/** The fates beside the fields were thought about for these; for the others the page is what is reviewed. */
const considered = new Set(["OpenAI Chat → Anthropic Messages", "Anthropic Messages → OpenAI Chat"]);

describe.each(ways)("$title: a field the official SDK documents", (way) => {
  const cases = way.places.flatMap((place) =>
    Object.entries(place.rows)
      .filter(([, [, fate]]) => fate !== "own")
      .map(([name, [value, fate]]) => ({ place, name, value, fate, where: place.name })),
  );

  it.each(cases)("is never lost in silence: $name of $where", async ({ place, name, value, fate }) => {
    const found = await fateOf(way, place, { name, value });
    expect(found).not.toBe("lost in silence");
    if (considered.has(way.title)) expect(found).toBe(fate);
    expect(translate(way, place.body({ [name]: value }, name))).toEqual(
      translate(way, place.body({ [name]: value }, name)),
    );
  });

  const open = way.places.filter(({ name, closed }) => closed !== true && !name.includes("type"));
  it.each(open)("is named in a warning, or refused, where nobody has documented it: in $name", ({ body }) => {
    const { refused, warnings } = translate(way, body({ never_heard_of: 1 }, "never_heard_of"));
    expect(refused || warnings.join("\n").includes("never_heard_of"), warnings.join("\n")).toBe(true);
  });
});

describe("docs/translation.md", () => {
  it("lists every loss of the code's tables and what becomes of every field", async () => {
    const path = "docs/translation.md";
    expectWritten(path, await translationPage(written(path)), "test/conformance/translation.test.ts");
  });
});
