import OpenAI from "openai";
import { objectsOf, objectOf } from "../json-view.ts";
import { respondWith } from "../languages/official-client.ts";
import { emptySchema, type Keeper } from "./keeper.ts";

/** As Codex and openai-node keep answers where nothing is stored: every item of the output. */
export const responsesKeeper: Keeper = {
  dialect: "openai-responses",
  ask: (tools, streamed) => ({
    body: {
      model: "own-1",
      input: [{ role: "user", content: "hi" }],
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "high", summary: "auto" },
      tools: tools.map((name) => ({ type: "function", name, parameters: emptySchema, strict: false })),
      ...(streamed ? { stream: true } : {}),
    },
  }),
  async keep(bytes, streamed) {
    const type = streamed ? "text/event-stream" : "application/json";
    const { responses } = new OpenAI({
      apiKey: "k",
      baseURL: "http://replay.invalid/v1",
      maxRetries: 0,
      fetch: respondWith(bytes, type),
    });
    const asked = { model: "m", input: "hi" };
    const { output } = streamed ? await responses.stream(asked).finalResponse() : await responses.create(asked);
    return output.map(objectOf);
  },
  goOn(first, kept, outcomes) {
    const results = outcomes.map(({ id, text }) => ({ type: "function_call_output", call_id: id, output: text }));
    const reply = results.length === 0 ? [{ role: "user", content: "Go on." }] : results;
    return Promise.resolve({ ...first, input: [...objectsOf(first["input"]), ...kept, ...reply] });
  },
};
