import { listContent } from "#simulation/chat-judgements";
import { countTokens } from "#simulation/answer";
import { dimensionsOf, vectorOf } from "#simulation/judgements";
import { modelOf, object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation, Voice } from "#simulation/voice";
import { geminiVoice } from "./gemini-voice.ts";

/** Vertex's `:predict` for models that embed: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const vertexEmbeddingsVoice: Voice = {
  ...geminiVoice,
  read: (json, address) => listContent(modelOf(json, address), contentsOf(json)),
  check: ({ json }) => checkPredict(json),
  judge({ json }) {
    const dimensions = dimensionsOf(object(json["parameters"])?.["outputDimensionality"]);
    const predictions = contentsOf(json).map((text) => ({
      embeddings: {
        values: vectorOf(text, dimensions),
        statistics: { token_count: countTokens(text), truncated: false },
      },
    }));
    return { predictions };
  },
};

function contentsOf(json: JsonObject): readonly string[] {
  return objects(json["instances"]).map(({ content }) => (typeof content === "string" ? content : ""));
}

function checkPredict(json: JsonObject): Violation | undefined {
  const instances = objects(json["instances"]);
  if (instances.length === 0) return { message: "Empty instances." };
  if (contentsOf(json).includes("")) return { message: "The text content is empty." };
  const odd = Object.keys(json).find((field) => field !== "instances" && field !== "parameters");
  if (odd !== undefined) return { message: `Invalid JSON payload received. Unknown name "${odd}": Cannot find field.` };
  const titled = instances.find(({ title, task_type: task }) => title !== undefined && task !== "RETRIEVAL_DOCUMENT");
  return titled === undefined
    ? undefined
    : { message: `A title is only valid with task_type RETRIEVAL_DOCUMENT, not ${wordOf(titled["task_type"])}.` };
}
