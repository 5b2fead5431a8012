import OpenAI from "openai";
import { objectOf, objectsOf } from "../json-view.ts";
import { question, respondWith } from "../languages/official-client.ts";
import { emptySchema, type Keeper } from "./keeper.ts";

/** As openai-node keeps messages: from its stream helper's accumulator, or of a whole completion. */
export const chatKeeper: Keeper = {
  dialect: "openai-chat",
  ask: (tools, streamed) => ({
    body: {
      model: "own-1",
      messages: question,
      reasoning_effort: "high",
      tools: tools.map((name) => ({ type: "function", function: { name, parameters: emptySchema } })),
      ...(streamed ? { stream: true } : {}),
    },
  }),
  async keep(bytes, streamed) {
    const type = streamed ? "text/event-stream" : "application/json";
    const { completions } = new OpenAI({
      apiKey: "k",
      baseURL: "http://replay.invalid/v1",
      maxRetries: 0,
      fetch: respondWith(bytes, type),
    }).chat;
    const asked = { model: "m", messages: question };
    const answer = streamed ? await completions.stream(asked).finalChatCompletion() : await completions.create(asked);
    return [objectOf(answer.choices[0]?.message)];
  },
  goOn(first, kept, outcomes) {
    const results = outcomes.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }));
    const reply = results.length === 0 ? [{ role: "user", content: "Go on." }] : results;
    return Promise.resolve({ ...first, messages: [...objectsOf(first["messages"]), ...kept, ...reply] });
  },
};

/** The same of a client that keeps what OpenAI's own documents name and nothing else, as most do. */
export const forgetfulChatKeeper: Keeper = {
  ...chatKeeper,
  async keep(bytes, streamed) {
    const [message = {}] = await chatKeeper.keep(bytes, streamed);
    const calls = objectsOf(message["tool_calls"]).map(({ id, type, function: called }) => {
      const { name, arguments: json } = objectOf(called);
      return { id, type, function: { name, arguments: json } };
    });
    return [
      { role: "assistant", content: message["content"] ?? null, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
    ];
  },
};
