import { chatVoice } from "./chat-voice.ts";
import { dimensionsOf, packedVector, ranked, vectorOf } from "./judgements.ts";
import { modelOf, objects, strings, type JsonObject, type RequestContent, wordOf } from "./received-request.ts";
import type { CheckRules, Violation, Voice } from "./voice.ts";

/** `/v1/embeddings`: https://platform.openai.com/docs/api-reference/embeddings */
export const embeddingsVoice: Voice = {
  ...chatVoice,
  read: (json, address) => listContent(modelOf(json, address), inputsOf(json["input"])),
  check: ({ json }, rules) =>
    unknownField(json, ["model", "input", "dimensions", "encoding_format", "user"], rules) ?? checkEmbeddings(json),
  judge({ json, model }, tokens) {
    const packed = json["encoding_format"] === "base64";
    const data = inputsOf(json["input"]).map((input, index) => {
      const vector = vectorOf(input, dimensionsOf(json["dimensions"]));
      return { object: "embedding", index, embedding: packed ? packedVector(vector) : vector };
    });
    return { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  },
};

/** `/v1/moderations`: flags what speaks of murder, nothing else. */
export const moderationsVoice: Voice = {
  ...chatVoice,
  read: (json, address) => listContent(modelOf(json, address), moderatedOf(json["input"])),
  check: ({ json }, rules) =>
    unknownField(json, ["model", "input"], rules) ??
    (moderatedOf(json["input"]).length === 0
      ? { message: "Missing required parameter: 'input'.", param: "input" }
      : undefined),
  judge({ json, model }) {
    const results = moderatedOf(json["input"]).map((text) => {
      const violence = text.includes("murder");
      const categories = { violence, hate: false, harassment: false, "self-harm": false, sexual: false };
      const scores = Object.entries(categories).map(([name, found]) => [name, found ? 0.98 : 0.01] as const);
      return { flagged: violence, categories, category_scores: Object.fromEntries(scores) };
    });
    return { id: "modr-sim", model, results };
  },
};

/** `/v1/rerank`, as Jina and many compatible servers have it. */
export const rerankVoice: Voice = {
  ...chatVoice,
  read: (json, address) => listContent(modelOf(json, address), [json["query"], ...documentsOf(json["documents"])]),
  check: ({ json }, rules) =>
    unknownField(json, ["model", "query", "documents", "top_n", "return_documents"], rules) ?? checkRerank(json),
  judge({ json, model }, tokens) {
    const documents = documentsOf(json["documents"]);
    const best = ranked(wordOf(json["query"]), documents).slice(0, dimensionsOf(json["top_n"]));
    const told = json["return_documents"] === true;
    const results = best.map(({ index, relevance_score }) => ({
      index,
      relevance_score,
      document: told ? { text: documents[index] } : undefined,
    }));
    return { id: "rerank-sim", model, results, usage: { total_tokens: tokens } };
  },
};

/** What is read of requests that are lists of texts. */
export function listContent(model: string, inputs: readonly unknown[]): RequestContent {
  return {
    model,
    streamed: false,
    promptText: strings(inputs).join("\n"),
    lastUserText: strings(inputs).at(-1) ?? "",
    toolResults: [],
    tools: [],
    toolChoice: "auto",
    stop: [],
    usageAsked: true,
  };
}

/** Texts, or objects with a text. */
export function documentsOf(documents: unknown): readonly string[] {
  if (!Array.isArray(documents)) return [];
  return (documents as readonly unknown[]).map((one) =>
    typeof one === "string" ? one : wordOf(objects([one])[0]?.["text"] ?? JSON.stringify(one)),
  );
}

function unknownField(json: JsonObject, known: readonly string[], rules: CheckRules): Violation | undefined {
  const extra = Object.keys(json).find((field) => !known.includes(field) && !rules.allowFields.has(field));
  return extra === undefined
    ? undefined
    : { message: `Unrecognized request argument supplied: ${extra}`, param: extra };
}

function checkEmbeddings(json: JsonObject): Violation | undefined {
  const inputs = inputsOf(json["input"]);
  if (inputs.length === 0 || inputs.includes("")) return { message: "'$.input' is invalid.", param: "input" };
  const format = json["encoding_format"];
  if (format !== undefined && format !== "float" && format !== "base64") {
    return { message: "'encoding_format' must be 'float' or 'base64'.", param: "encoding_format" };
  }
  return json["dimensions"] !== undefined && dimensionsOf(json["dimensions"]) === undefined
    ? { message: "'dimensions' must be a positive integer.", param: "dimensions" }
    : undefined;
}

function checkRerank(json: JsonObject): Violation | undefined {
  if (typeof json["query"] !== "string" || json["query"] === "")
    return { message: "query: Field required", param: "query" };
  return documentsOf(json["documents"]).length === 0
    ? { message: "documents: at least one document is required", param: "documents" }
    : undefined;
}

/** One text, several, one list of token numbers, or several. */
function inputsOf(input: unknown): readonly unknown[] {
  if (!Array.isArray(input)) return typeof input === "string" ? [input] : [];
  return typeof input[0] === "number" ? [input] : (input as readonly unknown[]);
}

function moderatedOf(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  const parts = objects(input).flatMap(({ text }) => (typeof text === "string" ? [text] : []));
  return parts.length > 0 ? [parts.join("\n")] : strings(input);
}
