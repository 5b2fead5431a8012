import { failure, type Failure } from "#domain/failure";
import type { RerankAnswer, RerankRequest } from "#domain/rerank";
import { promptTokens } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isObject, ShapeReader, type JsonObject } from "#dialects/shape";

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "query",
  "documents",
  "top_n",
  "return_documents",
  "rank_fields",
  "max_tokens_per_doc",
  ...ownFields,
]);

/** `POST /rerank` as Cohere (v1, v2) and Jina have it, and the many servers that imitate them. */
export const rerankClient = {
  decodeRequest(json: unknown): RerankRequest | Failure {
    if (!isObject(json)) return failure("invalid_request", "The body must be a JSON object.");
    const reader = new ShapeReader();
    reader.leave(json, knownFields, "");
    const request = readRequest(reader, json);
    return reader.failure ?? request;
  },

  /** Fields of both: Cohere's clients look for `meta`, Jina's for `usage`; results are written alike. */
  encodeAnswer(answer: RerankAnswer, request: RerankRequest, options: EncodeOptions): Uint8Array {
    const { usage, searchUnits } = answer;
    const tokens = usage === undefined ? 0 : promptTokens(usage);
    const results = answer.results.map(({ index, score }) => {
      const place = { index, relevance_score: score };
      return request.returnDocuments ? { ...place, document: { text: request.documents[index] } } : place;
    });
    return Buffer.from(
      JSON.stringify({
        id: answer.id ?? options.fallbackId,
        model: options.model,
        results,
        ...(usage === undefined ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
        ...(searchUnits === undefined ? {} : { meta: { billed_units: { search_units: searchUnits } } }),
      }),
    );
  },
};

function readRequest(reader: ShapeReader, body: JsonObject): RerankRequest {
  const fields = reader.optionalWords(body["rank_fields"], "rank_fields");
  const documents = reader.array(body["documents"], "documents");
  if (documents.length === 0) reader.refuse("documents", "must hold at least one document");
  return defined({
    model: typeof body["model"] === "string" ? body["model"] : "",
    query: reader.word(body["query"], "query"),
    documents: documents.map((document, index) => readDocument(reader, document, { index, fields })),
    topN: reader.optionalCount(body["top_n"], "top_n", 1),
    returnDocuments: reader.optionalBoolean(body["return_documents"], "return_documents") ?? false,
    maxTokensPerDocument: reader.optionalCount(body["max_tokens_per_doc"], "max_tokens_per_doc", 1),
    rest: reader.remains.rest,
  });
}

/** A text, an object with one, or an object that is its own JSON text: all of it, or the fields to rank by. */
function readDocument(
  reader: ShapeReader,
  document: unknown,
  { index, fields }: { readonly index: number; readonly fields: readonly string[] | undefined },
): string {
  if (typeof document === "string") return document;
  const object = reader.object(document, `documents[${index}]`);
  if (object === undefined) return "";
  if (fields !== undefined) {
    return JSON.stringify(Object.fromEntries(Object.entries(object).filter(([name]) => fields.includes(name))));
  }
  return typeof object["text"] === "string" ? object["text"] : JSON.stringify(object);
}
