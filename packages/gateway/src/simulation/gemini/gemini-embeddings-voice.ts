import { listContent } from "#simulation/chat-judgements";
import { dimensionsOf, vectorOf } from "#simulation/judgements";
import { modelOf, object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation, Voice } from "#simulation/voice";
import { geminiVoice } from "./gemini-voice.ts";

const taskTypes = new Set(
  (
    "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING " +
    "QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY"
  ).split(" "),
);

const known = new Set("model content taskType title outputDimensionality embedContentConfig".split(" "));

/** `:embedContent` and `:batchEmbedContents`: https://ai.google.dev/api/embeddings */
export const geminiEmbeddingsVoice: Voice = {
  ...geminiVoice,
  read: (json, address) => listContent(modelOf(json, address), requestsOf(json).map(textOf)),
  check: ({ json, model, address }) =>
    address.variant === "batch" ? checkBatch(json, model) : checkOne(json, "EmbedContentRequest"),
  judge({ json, address }) {
    const embeddings = requestsOf(json).map((one) => ({
      values: vectorOf(textOf(one), dimensionsOf(one["outputDimensionality"])),
    }));
    return address.variant === "batch" ? { embeddings } : { embedding: embeddings[0] };
  },
};

function requestsOf(json: JsonObject): readonly JsonObject[] {
  return json["requests"] === undefined ? [json] : objects(json["requests"]);
}

function textOf(request: JsonObject): string {
  const parts = objects(object(request["content"])?.["parts"]);
  return parts.map(({ text }) => (typeof text === "string" ? text : "")).join("\n");
}

function checkBatch(json: JsonObject, model: string): Violation | undefined {
  const requests = objects(json["requests"]);
  if (requests.length === 0) return { message: "* BatchEmbedContentsRequest.requests: requests is not specified" };
  for (const [index, request] of requests.entries()) {
    const at = `BatchEmbedContentsRequest.requests[${index}]`;
    if (request["model"] !== `models/${model}`) {
      return { message: `* ${at}.model: the model must match the model in the batch request, models/${model}` };
    }
    const wrong = checkOne(request, at);
    if (wrong) return wrong;
  }
  return undefined;
}

function checkOne(request: JsonObject, at: string): Violation | undefined {
  const odd = Object.keys(request).find((field) => !known.has(field));
  if (odd !== undefined) return { message: `Invalid JSON payload received. Unknown name "${odd}": Cannot find field.` };
  if (textOf(request) === "") return { message: `* ${at}.content: contents is not specified` };
  const task = request["taskType"];
  if (task !== undefined && !taskTypes.has(wordOf(task))) {
    return { message: `Invalid value at 'task_type', "${wordOf(task)}"` };
  }
  return request["title"] !== undefined && task !== "RETRIEVAL_DOCUMENT"
    ? { message: `* ${at}.title: title may only be set with task type RETRIEVAL_DOCUMENT` }
    : undefined;
}
