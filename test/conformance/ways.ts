import type { Dialect, EncodeTarget, UpstreamDialect } from "#dialects/dialect";
import { dialects, upstreamDialects } from "#dialects/registry";
import type { ClientDialectId, DialectId } from "#domain/call";
import { plainChatQuirks } from "#domain/quirks";
import { chatPlaces } from "./chat-fields.ts";
import { conversePlaces } from "./converse-fields.ts";
import type { Fate, Place } from "./field-fates.ts";
import { geminiPlaces } from "./gemini-fields.ts";
import { lossTable } from "./loss-tables.ts";
import { messagesPlaces } from "./messages-fields.ts";
import { responsesPlaces } from "./responses-fields.ts";

/** From a language clients speak into one that a plain model of another vendor is asked in. */
export interface Way {
  readonly title: string;
  readonly source: Dialect;
  readonly into: UpstreamDialect;
  readonly places: readonly Place[];
  readonly to: EncodeTarget;
}

const from = { source: "test", date: "2026-11-21" };

function target(model: string, issuer: string, capabilities: object): EncodeTarget {
  const traits = { name: `${issuer}/${model}`, capabilities, from };
  return { model, issuer, quirks: plainChatQuirks, traits, streamed: false };
}

export const titles: Readonly<Record<DialectId, string>> = {
  "openai-chat": "OpenAI Chat",
  "openai-responses": "OpenAI Responses",
  "anthropic-messages": "Anthropic Messages",
  gemini: "Gemini",
  "bedrock-converse": "Bedrock Converse",
  "cohere-chat": "Cohere Chat",
};

export const targets: Readonly<Record<DialectId, EncodeTarget>> = {
  "openai-chat": target("gpt-5.1", "openai", { reasoning: true }),
  "openai-responses": target("gpt-5.1", "openai", { reasoning: true }),
  "anthropic-messages": target("claude-sonnet-4-5", "anthropic", { structuredOutput: true }),
  gemini: target("gemini-2.5-flash", "google", { reasoning: true, structuredOutput: true }),
  "bedrock-converse": target("anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", { structuredOutput: true }),
  "cohere-chat": target("command-a-reasoning-08-2025", "cohere", { reasoning: true, structuredOutput: true }),
};

const documented: Readonly<Record<ClientDialectId, readonly Place[]>> = {
  "openai-chat": chatPlaces,
  "openai-responses": responsesPlaces,
  "anthropic-messages": messagesPlaces,
  gemini: geminiPlaces,
  "bedrock-converse": conversePlaces,
};

export const languages = Object.keys(titles) as readonly DialectId[];

export const ways: readonly Way[] = (Object.keys(documented) as readonly ClientDialectId[]).flatMap((source) =>
  languages
    .filter((into) => into !== source)
    .map((into) => ({
      title: `${titles[source]} → ${titles[into]}`,
      source: dialects[source],
      into: upstreamDialects[into],
      places: documented[source],
      to: targets[into],
    })),
);

export interface Outcome {
  readonly refused: boolean;
  readonly body: string;
  readonly warnings: readonly string[];
}

export function translate({ source, into, to }: Way, body: object): Outcome {
  const decoded = source.decodeRequest(body, {});
  if (decoded.kind === "refused") throw new Error(`${decoded.failure.message} ${JSON.stringify(body)}`);
  const made = into.encodeRequest(decoded.request, to);
  if (made.kind === "encoded") return { ...made, refused: false, body: Buffer.from(made.body).toString() };
  if (made.failure.kind !== "not_translatable") throw new Error(made.failure.message);
  return { refused: true, body: "", warnings: [] };
}

export type Found = Exclude<Fate, "own"> | "lost in silence";

/** What becomes of a field, from what comes out with it and without it, and from what the caller is told. */
export async function fateOf(way: Way, { name: place, body }: Place, field: Field): Promise<Found> {
  const without = translate(way, body({}, field.name));
  const with_ = translate(way, body({ [field.name]: field.value }, field.name));
  if (with_.refused) return "refused";
  const told = with_.warnings.filter((warning) => !without.warnings.includes(warning));
  const isSaid = with_.body !== without.body && with_.body.length >= without.body.length;
  if (told.length > 0) return isSaid ? "mapped" : await treatmentOf(way, told);
  if (with_.body !== without.body) return "carried";
  return unsaid.has(`${way.source.id} ${place} ${field.name}`) ? "carried" : "lost in silence";
}

export interface Field {
  readonly name: string;
  readonly value: unknown;
}

/** Values that are what every provider does unasked: they need not be said. */
const unsaid: ReadonlySet<string> = new Set([
  "anthropic-messages body service_tier",
  "anthropic-messages tool_choice.type auto",
]);

/** Where nothing more is said than without the field. What is left out may take its frame along: only the table knows. */
async function treatmentOf({ into }: Way, warnings: readonly string[]): Promise<Found> {
  const { asked } = await lossTable(into.id);
  const rows = warnings.map((warning) => asked.find(({ name }) => warning.startsWith(`${name}: `)));
  const treatments = new Set(rows.map((row) => row?.treatment));
  if (treatments.has(undefined)) throw new Error(`a warning that is in no table: ${warnings.join("; ")}`);
  return treatments.has("mapped") ? "mapped" : "dropped";
}
