import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { FirstLanguage } from "../world/first-languages.ts";
import { ChatReader } from "./chat-meaning.ts";
import { objectOf } from "./json-view.ts";
import type { Meaning } from "./meaning.ts";
import { MessagesReader } from "./messages-meaning.ts";

const question = [{ role: "user" as const, content: "hi" }];

function answering(body: string, type: string): typeof fetch {
  return () => Promise.resolve(new Response(body, { headers: { "content-type": type } }));
}

/** What the language's official SDK makes of a stream, put together by its own accumulator. Rejects where it does. */
export async function accumulate(dialect: FirstLanguage, body: string): Promise<Meaning> {
  const fetch = answering(body, "text/event-stream");
  if (dialect === "openai-chat") {
    const client = new OpenAI({ apiKey: "k", baseURL: "http://replay.invalid/v1", maxRetries: 0, fetch });
    const completion = await client.chat.completions.stream({ model: "m", messages: question }).finalChatCompletion();
    const reader = new ChatReader();
    reader.read(objectOf(completion));
    return reader.meaning();
  }
  const client = new Anthropic({ apiKey: "k", baseURL: "http://replay.invalid", maxRetries: 0, fetch });
  const message = await client.messages.stream({ model: "m", max_tokens: 1000, messages: question }).finalMessage();
  const reader = new MessagesReader();
  reader.whole(objectOf(message));
  return reader.meaning();
}

/** A whole answer as the official SDK gives it. */
export async function receive(dialect: FirstLanguage, body: string): Promise<Meaning> {
  const fetch = answering(body, "application/json");
  if (dialect === "openai-chat") {
    const client = new OpenAI({ apiKey: "k", baseURL: "http://replay.invalid/v1", maxRetries: 0, fetch });
    const reader = new ChatReader();
    reader.read(objectOf(await client.chat.completions.create({ model: "m", messages: question })));
    return reader.meaning();
  }
  const client = new Anthropic({ apiKey: "k", baseURL: "http://replay.invalid", maxRetries: 0, fetch });
  const reader = new MessagesReader();
  reader.whole(objectOf(await client.messages.create({ model: "m", max_tokens: 1000, messages: question })));
  return reader.meaning();
}
