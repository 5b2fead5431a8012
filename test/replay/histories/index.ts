import { dialects } from "#dialects/registry";
import { chatKeeper, forgetfulChatKeeper } from "./chat-keeper.ts";
import { converseKeeper } from "./converse-keeper.ts";
import { geminiKeeper } from "./gemini-keeper.ts";
import type { Keeper } from "./keeper.ts";
import { messagesKeeper } from "./messages-keeper.ts";
import { responsesKeeper } from "./responses-keeper.ts";

const every: readonly (readonly [title: string, keeper: Keeper])[] = [
  ["openai-node's chat", chatKeeper],
  ["a chat client without a place for thoughts", forgetfulChatKeeper],
  ["openai-node's Responses", responsesKeeper],
  ["Anthropic's client", messagesKeeper],
  ["Google's client", geminiKeeper],
  ["Amazon's client", converseKeeper],
];

/** Clients of every language this version has. */
export const keepers = every.filter(([, { dialect }]) => Object.hasOwn(dialects, dialect));
