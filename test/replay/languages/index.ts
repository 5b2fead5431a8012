import { dialects } from "#dialects/registry";
import type { DialectId } from "#domain/call";
import { chat } from "./chat.ts";
import { cohere } from "./cohere.ts";
import { converse } from "./converse.ts";
import { gemini, geminiArray } from "./gemini.ts";
import { messages } from "./messages.ts";
import type { ClientLanguage, ReplayLanguage } from "./replay-language.ts";
import { responses } from "./responses.ts";

export const languages: Readonly<Record<DialectId, ReplayLanguage>> = {
  "openai-chat": chat,
  "openai-responses": responses,
  "anthropic-messages": messages,
  gemini,
  "bedrock-converse": converse,
  "cohere-chat": cohere,
};

const everyClient: readonly (readonly [title: string, client: ClientLanguage])[] = [
  ["Chat", chat],
  ["Responses", responses],
  ["Messages", messages],
  ["Gemini", gemini],
  ["Gemini's array", geminiArray],
  ["Converse", converse],
];

/** The languages clients speak in this version; Gemini's two framings are two of them. */
export const clients = everyClient.filter(([, { dialect }]) => Object.hasOwn(dialects, dialect));
