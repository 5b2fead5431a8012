import { documentsOf, listContent } from "#simulation/chat-judgements";
import { dimensionsOf, packedVector, ranked, vectorOf } from "#simulation/judgements";
import { modelOf, objects, strings } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation, Voice } from "#simulation/voice";
import { required, unknownField } from "./check-cohere.ts";
import { cohereVoice } from "./cohere-voice.ts";

const inputTypes = ["search_document", "search_query", "classification", "clustering", "image"];
const embedFields =
  "model texts images inputs input_type embedding_types output_dimension max_tokens truncate priority".split(" ");
const rerankFields = "model query documents top_n max_tokens_per_doc priority".split(" ");

/** https://docs.cohere.com/reference/embed */
export const cohereEmbedVoice: Voice = {
  ...cohereVoice,
  read: (json, address) => listContent(modelOf(json, address), textsOfEmbed(json)),
  check: ({ json }, rules) =>
    unknownField(json, embedFields, rules) ?? required(json, ["model", "input_type"]) ?? checkEmbed(json),
  judge({ json }, tokens) {
    const texts = textsOfEmbed(json);
    const vectors = texts.map((text) => vectorOf(text, dimensionsOf(json["output_dimension"])));
    const types = json["embedding_types"] === undefined ? ["float"] : strings(json["embedding_types"]);
    const embeddings = types.map((type) => [type, type === "base64" ? vectors.map(packedVector) : vectors] as const);
    return {
      id: "embed-sim",
      embeddings: Object.fromEntries(embeddings),
      texts,
      meta: { api_version: { version: "2" }, billed_units: { input_tokens: tokens } },
      response_type: "embeddings_by_type",
    };
  },
};

/** https://docs.cohere.com/reference/rerank */
export const cohereRerankVoice: Voice = {
  ...cohereVoice,
  read: (json, address) => listContent(modelOf(json, address), [json["query"], ...documentsOf(json["documents"])]),
  check: ({ json }, rules) =>
    unknownField(json, rerankFields, rules) ?? required(json, ["model", "query", "documents"]) ?? checkRerank(json),
  judge: ({ json }) => ({
    id: "rerank-sim",
    results: ranked(String(json["query"]), documentsOf(json["documents"])).slice(0, dimensionsOf(json["top_n"])),
    meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
  }),
};

function textsOfEmbed(json: JsonObject): readonly string[] {
  const inputs = objects(json["inputs"]).map((input) =>
    objects(input["content"])
      .map(({ text }) => (typeof text === "string" ? text : ""))
      .join("\n"),
  );
  return [...strings(json["texts"]), ...inputs];
}

function checkEmbed(json: JsonObject): Violation | undefined {
  if (!inputTypes.includes(String(json["input_type"]))) {
    return { message: `invalid request: input_type must be one of ${inputTypes.join(", ")}` };
  }
  const odd = strings(json["embedding_types"]).find((type) => type !== "float" && type !== "base64");
  if (odd !== undefined) return { message: `Simulated models embed as float and base64 only, not as ${odd}.` };
  return textsOfEmbed(json).length === 0 ? { message: "invalid request: texts or inputs are required" } : undefined;
}

function checkRerank(json: JsonObject): Violation | undefined {
  const documents = json["documents"];
  const texts = Array.isArray(documents) && documents.every((document) => typeof document === "string");
  if (!texts) return { message: "invalid request: documents must be a list of strings" };
  return documents.length === 0 ? { message: "invalid request: list of documents must not be empty" } : undefined;
}
