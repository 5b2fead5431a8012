import { chunksFaults, streamFramingFaults } from "../../replay/languages/gemini-grammar.ts";
import { countOf, objectOf, objectsOf, textOf } from "../../replay/json-view.ts";
import { readSse } from "../../replay/sse-messages.ts";
import type { Intent, IntentPart, Json } from "../intent.ts";
import { silence, type Ending, type Meaning } from "../meaning.ts";
import type { FailureReading, MatrixClient, Reading } from "./matrix-client.ts";

/** As Google's Gen AI SDK asks, reads and keeps: of a stream each chunk is kept as a turn. */
export const geminiClient: MatrixClient = {
  name: "gemini",
  title: "Gemini",
  dialect: "gemini",
  headers: { "x-goog-api-key": "any" },
  path: (streamed) => `/v1beta/models/main:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  ask,
  goOn(asked, kept, outcomes) {
    const calls = kept.flatMap(({ parts }) => objectsOf(parts)).flatMap(({ functionCall }) => functionCall ?? []);
    const parts = outcomes.map(({ text, failed }, index) => {
      const { id, name } = objectOf(calls[index]);
      const response = failed === true ? { error: text } : { output: text };
      return { functionResponse: { ...(id === undefined ? {} : { id }), name, response } };
    });
    return { ...asked, contents: [...objectsOf(asked["contents"]), ...kept, { role: "user", parts }] };
  },
  read({ body }, streamed) {
    const text = body.toString();
    const chunks = streamed ? sseChunks(text) : [objectOf(JSON.parse(text))];
    return readingOf(chunks, streamed ? streamFramingFaults(text) : []);
  },
  outline: (body) => sseChunks(body.toString()).map(kindOf),
  readFailure: ({ body }) => failureOf(JSON.parse(body.toString())),
  readBrokenStream: (body) => brokenEnd(sseChunks(body.toString())),
  endings: { "stop-sequence": "stop" },
  cannotAsk: { "cache markers": "Gemini's language has no cache markers" },
};

/** Without `alt=sse` a stream is one JSON array that grows. */
export const geminiArrayClient: MatrixClient = {
  ...geminiClient,
  name: "gemini-array",
  title: "Gemini (JSON array)",
  streamsOnly: true,
  path: () => "/v1beta/models/main:streamGenerateContent",
  read: ({ body }) => readingOf(arrayChunks(body.toString()), []),
  outline: (body) => arrayChunks(body.toString()).map(kindOf),
  readBrokenStream: (body) => brokenEnd(arrayChunks(body.toString())),
};

function ask(intent: Intent): Json {
  const { tools, system } = intent;
  return {
    contents: intent.turns.map((turn) =>
      turn.role === "user"
        ? { role: "user", parts: turn.parts.map(partOf) }
        : { role: "model", parts: [{ text: turn.text }] },
    ),
    ...(system === undefined ? {} : { systemInstruction: { role: "user", parts: [partOf(system)] } }),
    ...(tools === undefined
      ? {}
      : {
          tools: [
            {
              functionDeclarations: tools.map(({ name, description, schema }) => ({
                name,
                description,
                parametersJsonSchema: schema,
              })),
            },
          ],
        }),
    ...choiceOf(intent),
    generationConfig: configOf(intent),
  };
}

function choiceOf({ toolChoice }: Intent): object {
  if (toolChoice === undefined) return {};
  const only = toolChoice === "required" ? {} : { allowedFunctionNames: [toolChoice.name] };
  return { toolConfig: { functionCallingConfig: { mode: "ANY", ...only } } };
}

function configOf({ maxTokens, stop, schema, reasoning }: Intent): object {
  return {
    maxOutputTokens: maxTokens,
    ...(stop === undefined ? {} : { stopSequences: stop }),
    ...(schema === undefined ? {} : { responseMimeType: "application/json", responseJsonSchema: schema }),
    ...(reasoning === "on" ? { thinkingConfig: { includeThoughts: true, thinkingLevel: "HIGH" } } : {}),
    ...(reasoning === "off" ? { thinkingConfig: { thinkingBudget: 0 } } : {}),
  };
}

function partOf(part: IntentPart): object {
  switch (part.kind) {
    case "text":
      return { text: part.text };
    case "image":
      return { inlineData: { mimeType: part.mediaType, data: part.data } };
    case "pdf":
      return { inlineData: { mimeType: "application/pdf", data: part.data, displayName: part.name } };
  }
}

function sseChunks(text: string): readonly Json[] {
  return readSse(text).flatMap(({ data }) => (data?.startsWith("{") === true ? [objectOf(JSON.parse(data))] : []));
}

function arrayChunks(text: string): readonly Json[] {
  return objectsOf(JSON.parse(text));
}

function partsOf(chunk: Json): readonly Json[] {
  return objectsOf(objectOf(objectsOf(chunk["candidates"])[0]?.["content"])["parts"]);
}

function kindOf(chunk: Json): string {
  if (chunk["error"] !== undefined) return "error";
  const { finishReason } = objectsOf(chunk["candidates"])[0] ?? {};
  const said = partsOf(chunk).map((part) =>
    part["thought"] === true ? "thought" : (Object.keys(part)[0] ?? "nothing"),
  );
  return [...said, ...(typeof finishReason === "string" ? [finishReason] : [])].join("+") || "nothing";
}

const policy = new Set("SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII".split(" "));

function readingOf(chunks: readonly Json[], framing: readonly string[]): Reading {
  const parts = chunks.flatMap(partsOf);
  const said = (thought: boolean): string =>
    parts.map((part) => ((part["thought"] === true) === thought ? textOf(part["text"]) : "")).join("");
  const tools = parts.flatMap(({ functionCall }) => {
    const { name, args } = objectOf(functionCall);
    return functionCall === undefined ? [] : [{ name: textOf(name), arguments: args }];
  });
  const finish = chunks.flatMap(({ candidates }) => objectsOf(candidates)).at(-1)?.["finishReason"];
  return {
    faults: [...framing, ...chunksFaults(chunks)],
    meaning: {
      ...silence,
      text: said(false),
      reasoning: said(true),
      tools,
      ending: endingOf(textOf(finish), tools.length > 0),
      usage: usageOf(chunks),
    },
    kept: chunks.flatMap(({ candidates }) => {
      const content = objectOf(objectsOf(candidates)[0]?.["content"]);
      return objectsOf(content["parts"]).length === 0 ? [] : [content];
    }),
  };
}

function endingOf(finish: string, hasCalls: boolean): Ending {
  if (finish === "STOP") return hasCalls ? "tools" : "stop";
  if (finish === "MAX_TOKENS") return "length";
  return policy.has(finish) ? "policy" : "other";
}

/** The last report is of the whole answer. */
function usageOf(chunks: readonly Json[]): Meaning["usage"] {
  const usage = objectOf(chunks.findLast(({ usageMetadata }) => usageMetadata !== undefined)?.["usageMetadata"]);
  const count = (name: string): number => countOf(usage[name]) ?? 0;
  if (countOf(usage["promptTokenCount"]) === undefined) return undefined;
  return {
    prompt: count("promptTokenCount"),
    cacheRead: count("cachedContentTokenCount"),
    completion: count("candidatesTokenCount") + count("thoughtsTokenCount"),
  };
}

function brokenEnd(chunks: readonly Json[]): FailureReading | undefined {
  const hasFinish = chunks.some(({ candidates }) =>
    objectsOf(candidates).some(({ finishReason }) => finishReason !== undefined),
  );
  const last = chunks.at(-1);
  return hasFinish || last?.["error"] === undefined ? undefined : failureOf(last);
}

function failureOf(json: unknown): FailureReading {
  const error = objectOf(objectOf(json)["error"]);
  const faults: string[] = [];
  if (!Number.isInteger(error["code"])) faults.push("code is no number");
  if (!/^[A-Z_]+$/.test(textOf(error["status"]))) faults.push(`status ${String(error["status"])}`);
  if (textOf(error["message"]) === "") faults.push("no message");
  return {
    faults,
    code: textOf(objectOf(error["metadata"])["code"]) || undefined,
    word: textOf(error["status"]),
    message: textOf(error["message"]),
  };
}
