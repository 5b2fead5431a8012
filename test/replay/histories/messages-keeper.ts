import Anthropic from "@anthropic-ai/sdk";
import { objectsOf } from "../json-view.ts";
import { question, respondWith } from "../languages/official-client.ts";
import { emptySchema, type Keeper } from "./keeper.ts";

/** As Anthropic's client keeps a message: its content, of a whole one or from the accumulator. */
export const messagesKeeper: Keeper = {
  dialect: "anthropic-messages",
  ask: (tools, streamed) => ({
    body: {
      model: "own-1",
      max_tokens: 20_000,
      messages: question,
      thinking: { type: "enabled", budget_tokens: 2000 },
      tools: tools.map((name) => ({ name, input_schema: emptySchema })),
      ...(streamed ? { stream: true } : {}),
    },
  }),
  async keep(bytes, streamed) {
    const type = streamed ? "text/event-stream" : "application/json";
    const { messages } = new Anthropic({
      apiKey: "k",
      baseURL: "http://replay.invalid",
      maxRetries: 0,
      fetch: respondWith(bytes, type),
    });
    const asked = { model: "m", max_tokens: 1000, messages: question };
    const { content } = streamed ? await messages.stream(asked).finalMessage() : await messages.create(asked);
    return [{ role: "assistant", content }];
  },
  goOn(first, kept, outcomes) {
    const results = outcomes.map(({ id, text }) => ({ type: "tool_result", tool_use_id: id, content: text }));
    const reply = results.length === 0 ? [{ type: "text", text: "Go on." }] : results;
    const messages = [...objectsOf(first["messages"]), ...kept, { role: "user", content: reply }];
    return Promise.resolve({ ...first, messages });
  },
};
