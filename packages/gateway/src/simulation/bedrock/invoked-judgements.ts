import { documentsOf, listContent } from "#simulation/chat-judgements";
import { dimensionsOf, ranked, vectorOf } from "#simulation/judgements";
import { modelOf, strings, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { CheckRules, Violation, Voice } from "#simulation/voice";
import { converseVoice } from "./converse-voice.ts";

const titanDimensions = new Set([256, 512, 1024]);
const inputTypes = new Set(["search_document", "search_query", "classification", "clustering", "image"]);

/** Titan's embeddings through InvokeModel: one text for each call. */
export const titanEmbedVoice: Voice = {
  ...converseVoice,
  read: (json, address) => listContent(modelOf(json, address), [json["inputText"]]),
  check: ({ json }, rules) =>
    extraneous(json, ["inputText", "dimensions", "normalize", "embeddingTypes"], rules) ?? checkTitan(json),
  judge: ({ json }, inputTextTokenCount) => {
    const embedding = vectorOf(json["inputText"], dimensionsOf(json["dimensions"]));
    return { embedding, embeddingsByType: { float: embedding }, inputTextTokenCount };
  },
};

/** Cohere's embeddings through InvokeModel: no model in the body, and lists unless types are asked for. */
export const cohereEmbedOnBedrockVoice: Voice = {
  ...converseVoice,
  read: (json, address) => listContent(modelOf(json, address), strings(json["texts"])),
  check: ({ json }, rules) =>
    extraneous(json, ["texts", "input_type", "embedding_types", "output_dimension", "max_tokens", "truncate"], rules) ??
    checkCohereEmbed(json),
  judge({ json }) {
    const texts = strings(json["texts"]);
    const vectors = texts.map((text) => vectorOf(text, dimensionsOf(json["output_dimension"])));
    const typed = json["embedding_types"] !== undefined;
    return {
      id: "embed-sim",
      embeddings: typed ? { float: vectors } : vectors,
      texts,
      response_type: typed ? "embeddings_by_type" : "embeddings_floats",
    };
  },
};

/** Cohere's reranking through InvokeModel, which wants the version of its API in the body. */
export const cohereRerankOnBedrockVoice: Voice = {
  ...converseVoice,
  read: (json, address) => listContent(modelOf(json, address), [json["query"], ...documentsOf(json["documents"])]),
  check: ({ json }, rules) =>
    extraneous(json, ["query", "documents", "top_n", "api_version", "max_tokens_per_doc"], rules) ??
    (json["api_version"] === 2 ? undefined : { message: "Malformed input request: api_version must be 2." }),
  judge: ({ json }) => ({
    results: ranked(wordOf(json["query"]), documentsOf(json["documents"])).slice(0, dimensionsOf(json["top_n"])),
  }),
};

function extraneous(json: JsonObject, known: readonly string[], { allowFields }: CheckRules): Violation | undefined {
  const odd = Object.keys(json).find((field) => !known.includes(field) && !allowFields.has(field));
  return odd === undefined
    ? undefined
    : {
        message: `Malformed input request: #: extraneous key [${odd}] is not permitted, please reformat your input and try again.`,
      };
}

function checkTitan(json: JsonObject): Violation | undefined {
  if (typeof json["inputText"] !== "string" || json["inputText"] === "") {
    return {
      message: "Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.",
    };
  }
  const { dimensions } = json;
  return dimensions === undefined || titanDimensions.has(Number(dimensions))
    ? undefined
    : { message: `Malformed input request: #/dimensions: ${wordOf(dimensions)} is not a valid enum value` };
}

function checkCohereEmbed(json: JsonObject): Violation | undefined {
  if (strings(json["texts"]).length === 0)
    return { message: "Malformed input request: #: required key [texts] not found" };
  return inputTypes.has(wordOf(json["input_type"]))
    ? undefined
    : { message: `Malformed input request: #/input_type: ${wordOf(json["input_type"])} is not a valid enum value` };
}
