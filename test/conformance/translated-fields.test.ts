import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answerLosses, losses as intoMessages } from "#dialects/anthropic-messages/losses";
import { answerLosses as converseAnswerLosses, losses as intoConverse } from "#dialects/bedrock-converse/losses";
import type { Dialect, EncodeTarget } from "#dialects/dialect";
import { losses as intoChat } from "#dialects/openai-chat/losses";
import { answerLosses as responsesAnswerLosses, losses as intoResponses } from "#dialects/openai-responses/losses";
import { dialects } from "#dialects/registry";
import { plainChatQuirks } from "#domain/quirks";
import { chatPlaces } from "./chat-fields.ts";
import { fates, type Fate } from "./field-fates.ts";
import { messagesPlaces } from "./messages-fields.ts";

interface Outcome {
  readonly refused: boolean;
  readonly body: string;
  readonly warnings: readonly string[];
}

const from = { source: "test", date: "2026-11-21" };

const claude: EncodeTarget = {
  model: "claude-sonnet-4-5",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  traits: { name: "anthropic/claude-sonnet-4-5", capabilities: { structuredOutput: true }, from },
  streamed: false,
};

const gpt: EncodeTarget = {
  model: "gpt-5.1",
  issuer: "openai",
  quirks: plainChatQuirks,
  traits: { name: "openai/gpt-5.1", capabilities: { reasoning: true }, from },
  streamed: false,
};

function translate(source: Dialect, into: Dialect, { body, to }: { readonly body: object; readonly to: EncodeTarget }) {
  const decoded = source.decodeRequest(body, {});
  if (decoded.kind === "refused") throw new Error(`${decoded.failure.message} ${JSON.stringify(body)}`);
  const made = into.encodeRequest(decoded.request, to);
  if (made.kind === "refused") {
    expect(made.failure.kind).toBe("not_translatable");
    return { refused: true, body: "", warnings: [] } satisfies Outcome;
  }
  return { refused: false, body: Buffer.from(made.body).toString(), warnings: made.warnings } satisfies Outcome;
}

/** What became of a field, from what came out with it and without it. */
function fateOf(without: Outcome, with_: Outcome): Fate | "lost in silence" {
  if (with_.refused) return "refused";
  const isTold = with_.warnings.some((warning) => !without.warnings.includes(warning));
  if (with_.body === without.body) return isTold ? "dropped" : "lost in silence";
  return isTold ? "mapped" : "carried";
}

const ways = [
  { title: "OpenAI Chat → Anthropic Messages", source: "openai-chat", places: chatPlaces, to: claude },
  { title: "Anthropic Messages → OpenAI Chat", source: "anthropic-messages", places: messagesPlaces, to: gpt },
] as const;

describe.each(ways)("$title: a field the official SDK documents", ({ source, places, to, title }) => {
  const into = source === "openai-chat" ? dialects["anthropic-messages"] : dialects["openai-chat"];
  const cases = places.flatMap(({ name, rows, body }) =>
    Object.entries(rows)
      .filter(([, [, fate]]) => fate !== "own")
      .map(([field, [value, fate]]) => ({ name, field, fate, bare: body({}), full: body({ [field]: value }) })),
  );

  it.each(cases)("is never lost in silence: $field of $name is $fate", ({ fate, bare, full }) => {
    const without = translate(dialects[source], into, { body: bare, to });
    const with_ = translate(dialects[source], into, { body: full, to });
    const found = fateOf(without, with_);
    // What is left out may take its frame along, an empty object for instance.
    expect(found === "mapped" && fate === "dropped" ? "dropped" : found, with_.warnings.join("\n")).toBe(fate);
    expect(translate(dialects[source], into, { body: full, to })).toEqual(with_);
  });

  const open = places.filter(({ name }) => !name.includes("type"));
  it.each(open)("is named in a warning where nobody has documented it: in $name", ({ body }) => {
    const made = translate(dialects[source], into, { body: body({ never_heard_of: 1 }), to });
    expect(made.warnings.join("\n")).toContain("never_heard_of");
  });

  it("is in docs/translation.md with what becomes of it, and no other is", () => {
    const wanted = places.map(({ name, rows }) => [
      name,
      ...fates.map((fate) => Object.keys(rows).filter((field) => rows[field]?.[1] === fate)).map(listed),
    ]);
    expect(rowsUnder(`${title}: fields`)).toEqual(wanted);
  });
});

describe("docs/translation.md", () => {
  const worded = (table: Readonly<Record<string, { readonly treatment: string; readonly words: string }>>) =>
    Object.entries(table).map(([name, row]) => [name, row.treatment, row.words]);
  const chatRows = Object.entries(intoChat).map(([name, row]) => [name, row.treatment, row.why]);
  it.each([
    ["OpenAI Chat → Anthropic Messages: losses", worded(intoMessages)],
    ["Anthropic Messages → OpenAI Chat: losses", chatRows],
    ["Answers for callers of Anthropic Messages: losses", worded(answerLosses)],
    ["Into OpenAI Responses: losses", worded(intoResponses)],
    ["Answers for callers of OpenAI Responses: losses", worded(responsesAnswerLosses)],
    ["Into Bedrock Converse: losses", worded(intoConverse)],
    ["Answers for callers of Bedrock Converse: losses", worded(converseAnswerLosses)],
  ])("lists under “%s” each row of the code's table, and no other", (heading, rows) => {
    expect(rowsUnder(heading)).toEqual(rows.map((cells) => cells.map((cell) => cell.replaceAll("`", ""))));
  });
});

const document = readFileSync(new URL("../../docs/translation.md", import.meta.url), "utf8");

/** The cells of every table row under a heading of the second level. */
function rowsUnder(heading: string): string[][] {
  const section = document.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => {
    const cells = line.split("|").slice(1, -1);
    return cells.map((cell) => cell.trim().replaceAll("`", ""));
  });
}

function listed(fields: readonly string[]): string {
  return fields.length === 0 ? "–" : fields.join(", ");
}
