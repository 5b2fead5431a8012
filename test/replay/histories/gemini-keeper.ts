import { GoogleGenAI } from "@google/genai";
import { objectOf, objectsOf, textOf } from "../json-view.ts";
import { respondWith } from "../languages/official-client.ts";
import { emptySchema, type Keeper } from "./keeper.ts";

/** As Google's client keeps a chat: a stream is a turn for each chunk. */
export const geminiKeeper: Keeper = {
  dialect: "gemini",
  ask: (tools, streamed) => ({
    body: {
      contents: [{ role: "user", parts: [{ text: "hi" }] }],
      generationConfig: { thinkingConfig: { includeThoughts: true } },
      tools: [{ functionDeclarations: tools.map((name) => ({ name, parametersJsonSchema: emptySchema })) }],
    },
    address: { model: "own-1", streamed },
  }),
  async keep(bytes, streamed) {
    const fetch = respondWith(bytes, streamed ? "text/event-stream" : "application/json");
    const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: "http://replay.invalid", fetch } });
    const chat = client.chats.create({ model: "own-1" });
    if (streamed) {
      const chunks = await chat.sendMessageStream({ message: "hi" });
      for (let next = await chunks.next(); next.done !== true;) next = await chunks.next();
    } else {
      await chat.sendMessage({ message: "hi" });
    }
    return chat.getHistory().slice(1).map(objectOf);
  },
  goOn(first, kept, outcomes) {
    // Ids go back where calls had some.
    const called = kept.flatMap(({ parts }) => objectsOf(parts)).map(({ functionCall }) => objectOf(functionCall));
    const ids = new Set(called.map(({ id }) => textOf(id)));
    const parts = outcomes.map(({ id, name, text }) => ({
      functionResponse: { ...(id !== "" && ids.has(id) ? { id } : {}), name, response: { output: text } },
    }));
    const reply = { role: "user", parts: parts.length === 0 ? [{ text: "Go on." }] : parts };
    return Promise.resolve({ ...first, contents: [...objectsOf(first["contents"]), ...kept, reply] });
  },
};
