import type { Intent, IntentPart, IntentTool, Scenario } from "./intent.ts";

/** One black pixel. */
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
/** The least that begins and ends like a PDF. */
const paper = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").toString(
  "base64",
);

const weather: IntentTool = {
  name: "weather",
  description: "The weather in a city.",
  schema: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city", "days"],
    additionalProperties: false,
  },
};
const clock: IntentTool = {
  name: "clock",
  description: "The time in a zone.",
  schema: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"], additionalProperties: false },
};
const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};

function asks(parts: string | readonly IntentPart[], more: Partial<Intent> = {}): Intent {
  const said: readonly IntentPart[] = typeof parts === "string" ? [{ kind: "text", text: parts }] : parts;
  return { turns: [{ role: "user", parts: said }], maxTokens: 300, ...more };
}

const calls = [{ name: "weather", arguments: { city: "Ulm", days: 2 } }];
const twoCalls = [...calls, { name: "clock", arguments: { zone: "Europe/Berlin" } }];
const thinkingRoom = 4096;

/** Each once. What every client and every provider makes of it is the test. */
export const scenarios: readonly Scenario[] = [
  { name: "text", intent: asks("Say hello."), says: { text: "Hello there, friend." } },
  {
    name: "system",
    intent: asks("Who are you?", { system: { kind: "text", text: "You are a parrot." } }),
    says: { text: "A parrot." },
  },
  {
    name: "multi-turn",
    intent: {
      turns: [
        { role: "user", parts: [{ kind: "text", text: "My name is Ada." }] },
        { role: "assistant", text: "Nice to meet you, Ada." },
        { role: "user", parts: [{ kind: "text", text: "What is my name?" }] },
      ],
      maxTokens: 300,
    },
    says: { text: "Your name is Ada." },
  },
  {
    name: "image",
    intent: asks([
      { kind: "text", text: "What is this?" },
      { kind: "image", mediaType: "image/png", data: pixel },
    ]),
    says: { text: "A pixel." },
  },
  {
    name: "pdf",
    intent: asks([
      { kind: "pdf", name: "paper.pdf", data: paper },
      { kind: "text", text: "Sum it up." },
    ]),
    says: { text: "It is empty." },
  },
  {
    name: "tool",
    intent: asks("The weather in Ulm?", { tools: [weather] }),
    says: { toolCalls: calls },
    goesOn: { outcomes: [{ text: "rain" }], says: { text: "It rains." } },
  },
  {
    name: "tool without arguments",
    intent: asks("The weather?", {
      tools: [{ name: "here", description: "Where we are.", schema: { type: "object", properties: {} } }],
    }),
    says: { toolCalls: [{ name: "here", arguments: "{}" }] },
    goesOn: { outcomes: [{ text: "Ulm" }], says: { text: "In Ulm." } },
  },
  {
    name: "parallel tools",
    intent: asks("Weather and time?", { tools: [weather, clock] }),
    says: { text: "One moment.", toolCalls: twoCalls },
    goesOn: { outcomes: [{ text: "rain" }, { text: "noon" }], says: { text: "Rain at noon." } },
  },
  {
    name: "failed tool",
    intent: asks("The weather in Ulm?", { tools: [weather] }),
    says: { toolCalls: calls },
    goesOn: { outcomes: [{ text: "no connection", failed: true }], says: { text: "I could not find out." } },
  },
  {
    name: "forced tool",
    intent: asks("The weather in Ulm?", { tools: [weather, clock], toolChoice: { name: "weather" } }),
    says: { toolCalls: calls },
  },
  {
    name: "some tool",
    intent: asks("The weather in Ulm?", { tools: [weather, clock], toolChoice: "required" }),
    says: { toolCalls: calls },
  },
  {
    name: "tools while reasoning",
    intent: asks("Weather and time?", { tools: [weather, clock], reasoning: "on", maxTokens: thinkingRoom }),
    says: { reasoning: "First look out of the window.", toolCalls: twoCalls },
    goesOn: {
      outcomes: [{ text: "rain" }, { text: "noon" }],
      says: { reasoning: "Both are known.", text: "Rain at noon." },
    },
  },
  {
    name: "hidden reasoning with tools",
    intent: asks("The weather in Ulm?", { tools: [weather], reasoning: "on", maxTokens: thinkingRoom }),
    says: { reasoning: { text: "Nobody may see this.", seal: "redacted" }, toolCalls: calls },
    goesOn: { outcomes: [{ text: "rain" }], says: { text: "It rains." } },
  },
  {
    name: "structured output",
    intent: asks("Name and age of Ada?", { schema: person }),
    says: { json: { name: "Ada", age: 36 } },
  },
  {
    name: "reasoning on",
    intent: asks("Is 91 prime?", { reasoning: "on", maxTokens: thinkingRoom }),
    says: { reasoning: "7 times 13 is 91.", text: "No." },
  },
  { name: "reasoning off", intent: asks("Is 7 prime?", { reasoning: "off" }), says: { text: "Yes." } },
  {
    name: "stop sequence",
    intent: asks("Count.", { stop: ["four"] }),
    says: { text: "One two three ", stopSequence: "four" },
  },
  { name: "length", intent: asks("Tell a story.", { maxTokens: 20 }), says: { text: "Once upon", finish: "length" } },
  { name: "refusal", intent: asks("Do harm."), says: { refusal: "I cannot help with that." } },
  { name: "filtered", intent: asks("Go on."), says: { text: "And then", finish: "policy" } },
  {
    name: "cache markers",
    intent: asks(
      [
        { kind: "text", text: "A long document.", cached: true },
        { kind: "text", text: "Sum it up." },
      ],
      { system: { kind: "text", text: "You are terse.", cached: true } },
    ),
    says: { text: "Short." },
  },
  {
    name: "usage",
    intent: asks("Count my tokens."),
    says: { text: "Done.", usage: { input: 100, cacheRead: 40, cacheWrite: 0, output: 7, reasoning: 5 } },
  },
];
