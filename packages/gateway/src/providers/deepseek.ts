import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { DialectId } from "#domain/call";
import type { ProviderKind } from "./provider.ts";

/** Where a language other than Chat is spoken. */
const folders: Partial<Readonly<Record<DialectId, string>>> = { "anthropic-messages": "/anthropic/v1" };

/** OpenAI Chat at the root, Anthropic Messages under a path of its own; Responses is new there, and asked if told to. */
export const deepseek: ProviderKind = {
  id: "deepseek",
  title: "DeepSeek",
  vendor: "deepseek",
  dialect: "openai-chat",
  lanes: () => ["openai-chat", "anthropic-messages"],
  languages: ["openai-chat", "anthropic-messages", "openai-responses"],
  url: "https://api.deepseek.com",
  environmentKeys: ["DEEPSEEK_API_KEY"],
  keyless: false,
  quirks: {
    ...plainChatQuirks,
    maxOutputField: "max_tokens",
    developerRole: false,
    // An assistant turn with tool calls must carry its earlier reasoning back, or the next turn is a 400.
    reasoningEcho: "reasoning_content",
    // Its `/beta` address goes on from a marked message; its others say that they do not.
    prefixes: "asked",
    jsonSchema: false,
  },
  operations: () => ["generate"],
  operator: "deepseek",
  owner: "deepseek",
  place({ dialect, basePath, path }) {
    const root = basePath.replace(/\/anthropic(?:\/v1)?$/, "");
    const folder = folders[dialect];
    return { path: folder === undefined ? root + path : `${root.replace(/\/v1$/, "")}${folder}${path}` };
  },
  authorize: bearer,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
