import type { EmbedAnswer, EmbedPurpose, EmbedRequest } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined, isObject } from "#dialects/shape";
import { LossLedger } from "./losses.ts";
import { resourceName } from "./resource-name.ts";
import { readUsage } from "./usage-fields.ts";

/** Google's limit for one batch (https://ai.google.dev/gemini-api/docs/embeddings). */
const mostTexts = 100;

const taskTypes: Readonly<Record<EmbedPurpose, string>> = {
  query: "RETRIEVAL_QUERY",
  document: "RETRIEVAL_DOCUMENT",
  similarity: "SEMANTIC_SIMILARITY",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
  "question-answering": "QUESTION_ANSWERING",
  "fact-verification": "FACT_VERIFICATION",
  "code-query": "CODE_RETRIEVAL_QUERY",
};

/** `:batchEmbedContents`, for one text too, as Google's own client does it. */
export function encodeEmbed(request: EmbedRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  const texts = request.inputs.filter((input) => typeof input === "string");
  if (texts.length < request.inputs.length) ledger.note("token-input");
  if (texts.length > mostTexts) ledger.note("many-inputs", String(texts.length));
  if (request.user !== undefined) ledger.note("user");
  const titled = request.title !== undefined && (request.purpose ?? "document") === "document";
  if (request.title !== undefined && !titled) ledger.note("embed-title");
  const unknown = Object.keys(request.rest).toSorted();
  if (unknown.length > 0) ledger.note("unknown-field", unknown.join(", "));
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  // A title is only taken for what is to be found.
  const purpose = request.purpose ?? (titled ? "document" : undefined);
  const requests = texts.map((text) =>
    defined({
      model: resourceName(target.model),
      content: { parts: [{ text }] },
      taskType: purpose === undefined ? undefined : taskTypes[purpose],
      title: titled ? request.title : undefined,
      outputDimensionality: request.dimensions,
    }),
  );
  return { kind: "encoded", body: Buffer.from(JSON.stringify({ requests })), headers: {}, warnings: ledger.warnings };
}

export function decodeEmbed(body: unknown): EmbedAnswer | Failure {
  const answer = isObject(body) ? body : {};
  const entries: readonly unknown[] = Array.isArray(answer["embeddings"])
    ? answer["embeddings"]
    : [answer["embedding"]];
  const vectors = entries.flatMap((entry) => {
    const values = isObject(entry) ? entry["values"] : undefined;
    return isVector(values) ? [values] : [];
  });
  if (vectors.length < entries.length) {
    return failure("bad_upstream_response", "The provider's answer has no vectors.");
  }
  return defined({ vectors, usage: readUsage(answer["usageMetadata"]) });
}

function isVector(values: unknown): values is readonly number[] {
  return Array.isArray(values) && values.length > 0 && values.every((each) => typeof each === "number");
}
