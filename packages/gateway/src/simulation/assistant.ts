import type { AnswerScript, Behaviour } from "./behaviour.ts";
import { countTokens, words } from "./answer.ts";
import { sampleJson } from "./json-sample.ts";
import type { ReceivedRequest } from "./received-request.ts";

/** Between words, so that a stream looks like one. */
const wordGapMs = 20;
const quotedCharacters = 200;
const slowStartMs = 20_000;

interface BuiltInModel {
  readonly name: string;
  /** For `hedgerow sim` and docs/simulation.md. */
  readonly does: string;
  readonly behaviour: Behaviour;
  /** Of the tokens it says, where it is less sure than others are. */
  readonly confidence?: number;
}

/** The models that answer where no script decides. */
export const builtInModels: readonly BuiltInModel[] = [
  { name: "fast", does: "answers at once", behaviour: { interChunkDelayMs: wordGapMs } },
  {
    name: "steady",
    does: "answers after 300 ms, always",
    behaviour: { delayMs: 300, interChunkDelayMs: wordGapMs },
  },
  {
    name: "unsure",
    does: "answers at once, with log-probabilities (where they are asked for) of a model that guesses",
    behaviour: { interChunkDelayMs: wordGapMs },
    confidence: 0.4,
  },
  {
    name: "flaky",
    does: "is overloaded every time: 503, or 529 on /v1/messages",
    behaviour: { errorKind: "overloaded" },
  },
  {
    name: "cut",
    does: "breaks off after four words, with a clean end of the transport",
    behaviour: { interChunkDelayMs: wordGapMs, cut: { afterChunk: 4, how: "clean-end" } },
  },
  {
    name: "slow",
    does: "opens the stream, then says nothing for 20 s",
    behaviour: { firstContentDelayMs: slowStartMs, interChunkDelayMs: wordGapMs },
  },
  {
    name: "rate-limited",
    does: "429 with retry-after: 2, every time",
    behaviour: { errorKind: "rate-limit", headers: { "retry-after": "2" } },
  },
  {
    name: "error-event",
    does: "reports overload inside the stream after four words",
    behaviour: { interChunkDelayMs: wordGapMs, errorEvent: { after: { chunk: 4 }, kind: "overloaded" } },
  },
];

/** The model's name without the provider's, so that `sim/fast` works on the simulator itself too. */
export function builtInModel(name: string): BuiltInModel | undefined {
  const bare = name.startsWith("sim/") ? name.slice("sim/".length) : name;
  return builtInModels.find((model) => model.name === bare);
}

/**
 * What the built-in assistant says: JSON that fits the schema where one is given, a tool call where the user's text
 * names a tool (or a choice forces one), else a few words about itself and the question.
 */
export function assistantAnswer(request: ReceivedRequest): AnswerScript {
  const confidence = builtInModel(request.model)?.confidence;
  return { ...saidBy(request), ...(confidence === undefined ? {} : { confidence }) };
}

function saidBy(request: ReceivedRequest): AnswerScript {
  const thought = request.thinking === "shown" ? "A short question: a short answer will do." : "";
  const reasoning = request.thinking === undefined ? {} : { reasoning: thought };
  if (request.outputSchema !== undefined) return { ...reasoning, json: structured(request) };
  const tool = wantedTool(request);
  if (tool !== undefined) {
    return { ...reasoning, toolCalls: [{ name: tool.name, arguments: argumentsFor(tool.schema) }] };
  }
  return { ...reasoning, ...bounded(sentence(request), request) };
}

function structured(request: ReceivedRequest): unknown {
  return request.outputSchema === true
    ? { from: `the simulated provider sim/${request.model}`, you_said: quote(request) }
    : sampleJson(request.outputSchema);
}

function wantedTool({
  tools,
  toolChoice,
  toolResults,
  lastUserText,
}: ReceivedRequest): ReceivedRequest["tools"][number] | undefined {
  if (toolChoice === "none") return undefined;
  if (typeof toolChoice === "object") return tools.find((tool) => tool.name === toolChoice.name);
  const named = tools.find((tool) => lastUserText.includes(tool.name));
  if (toolChoice === "any") return named ?? tools[0];
  return toolResults.length > 0 ? undefined : named;
}

function argumentsFor(schema: unknown): Record<string, unknown> {
  const value = sampleJson(schema);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function sentence(request: ReceivedRequest): string {
  const bare = request.model.startsWith("sim/") ? request.model.slice("sim/".length) : request.model;
  const hello = `Hello from the simulated provider sim/${bare}.`;
  if (request.toolResults.length > 0) {
    return `${hello} The tool answered: “${clip(request.toolResults.join("; "))}”`;
  }
  return `${hello} No real model read this; you said: “${quote(request)}”`;
}

function quote(request: ReceivedRequest): string {
  return clip(request.lastUserText);
}

function clip(text: string): string {
  const characters = Array.from(text);
  return characters.length <= quotedCharacters ? text : `${characters.slice(0, quotedCharacters).join("")}…`;
}

/** Honours stop sequences and the output limit, as a model would. */
function bounded(text: string, { stop, maxOutputTokens }: ReceivedRequest): AnswerScript {
  const met = stop
    .map((sequence) => ({ sequence, at: sequence === "" ? -1 : text.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at)[0];
  const said = met === undefined ? text : text.slice(0, met.at);
  if (maxOutputTokens === undefined || countTokens(said) <= maxOutputTokens) {
    return met === undefined ? { text: said } : { text: said, stopSequence: met.sequence };
  }
  let kept = "";
  for (const word of words(said)) {
    if (countTokens(kept + word) > maxOutputTokens) break;
    kept += word;
  }
  return { text: kept, finish: "length" };
}
