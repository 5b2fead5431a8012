import type { EmbedAnswer, EmbedPurpose, EmbedRequest } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import type { RerankAnswer, RerankRequest } from "#domain/rerank";
import type { Encoded, EncodeTarget, UpstreamUnary } from "#dialects/dialect";
import { defined, isObject } from "#dialects/shape";
import { count, readBilledUnits } from "./read-usage.ts";

/** `input_type` is required; a text whose use nobody named is one to be found. */
const inputTypes: Readonly<Record<EmbedPurpose, string>> = {
  query: "search_query",
  document: "search_document",
  similarity: "clustering",
  classification: "classification",
  clustering: "clustering",
  "question-answering": "search_query",
  "fact-verification": "search_query",
  "code-query": "search_query",
};
const mostTexts = 96;

/** What Cohere's embeddings and ranking cannot say; docs/endpoints.md holds the same table. */
export const judgementLosses = {
  "token-input": { treatment: "refused", why: "Cohere embeds texts only, not token numbers" },
  "many-inputs": { treatment: "refused", why: `Cohere embeds at most ${mostTexts} texts at once` },
  "input-type": {
    treatment: "mapped",
    why: "Cohere must know what a text is embedded for, so search_document was sent",
  },
  user: { treatment: "dropped", why: "Cohere takes no id of the end user" },
  title: { treatment: "dropped", why: "Cohere takes no title" },
  "unknown-field": { treatment: "dropped", why: "fields that Cohere has no word for were left out" },
} as const satisfies Record<string, { readonly treatment: string; readonly why: string }>;

function worded(loss: keyof typeof judgementLosses, what?: string): string {
  return `${loss}: ${judgementLosses[loss].why}${what === undefined ? "" : ` (${what})`}`;
}

/** `POST /v2/embed` and `POST /v2/rerank` (https://docs.cohere.com/reference/embed, …/rerank; 2026-11). */
export const judgements: UpstreamUnary = {
  embed: { encodeRequest: encodeEmbed, decodeAnswer: decodeEmbed },
  rerank: { encodeRequest: encodeRerank, decodeAnswer: decodeRerank },
};

function encodeEmbed(request: EmbedRequest, target: EncodeTarget): Encoded {
  const texts = request.inputs.filter((input) => typeof input === "string");
  if (texts.length < request.inputs.length) {
    return refused(worded("token-input"), "input");
  }
  if (texts.length > mostTexts) {
    return refused(worded("many-inputs"), "input");
  }
  const warnings: string[] = [];
  if (request.purpose === undefined) {
    warnings.push(worded("input-type"));
  }
  if (request.user !== undefined) warnings.push(worded("user"));
  if (request.title !== undefined) warnings.push(worded("title"));
  pushUnknown(request.rest, warnings);
  return encoded(
    {
      model: target.model,
      texts,
      input_type: inputTypes[request.purpose ?? "document"],
      embedding_types: ["float"],
      output_dimension: request.dimensions,
    },
    warnings,
  );
}

function decodeEmbed(body: unknown): EmbedAnswer | Failure {
  const answer = isObject(body) ? body : {};
  const { embeddings } = answer;
  // Older answers have the list itself.
  const vectors = isObject(embeddings) ? embeddings["float"] : embeddings;
  if (!Array.isArray(vectors) || !vectors.every(isVector)) {
    return failure("bad_upstream_response", "The provider's answer has no vectors.");
  }
  return defined({ vectors, usage: readBilledUnits(answer["meta"]) });
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === "number");
}

function encodeRerank(request: RerankRequest, target: EncodeTarget): Encoded {
  const warnings: string[] = [];
  pushUnknown(request.rest, warnings);
  return encoded(
    {
      model: target.model,
      query: request.query,
      documents: request.documents,
      top_n: request.topN,
      max_tokens_per_doc: request.maxTokensPerDocument,
    },
    warnings,
  );
}

function decodeRerank(body: unknown): RerankAnswer | Failure {
  const answer = isObject(body) ? body : {};
  const entries: readonly unknown[] | undefined = Array.isArray(answer["results"]) ? answer["results"] : undefined;
  const results = entries?.flatMap((entry) => {
    if (!isObject(entry)) return [];
    const { index, relevance_score: score } = entry;
    return typeof index === "number" && typeof score === "number" ? [{ index, score }] : [];
  });
  if (entries === undefined || results?.length !== entries.length) {
    return failure("bad_upstream_response", "The provider's answer has no ranking.");
  }
  const meta = isObject(answer["meta"]) ? answer["meta"] : {};
  const units = isObject(meta["billed_units"]) ? meta["billed_units"] : {};
  return defined({
    id: typeof answer["id"] === "string" ? answer["id"] : undefined,
    results,
    usage: readBilledUnits(meta),
    searchUnits: count(units["search_units"]),
  });
}

function pushUnknown(rest: Readonly<Record<string, unknown>>, warnings: string[]): void {
  const fields = Object.keys(rest);
  if (fields.length > 0) warnings.push(worded("unknown-field", fields.join(", ")));
}

function encoded(body: object, warnings: readonly string[]): Encoded {
  return { kind: "encoded", body: Buffer.from(JSON.stringify(body)), headers: {}, warnings };
}

function refused(message: string, param: string): Encoded {
  return { kind: "refused", failure: failure("not_translatable", message, { param }) };
}
