import { failure, type Failure } from "#domain/failure";
import type { RerankAnswer, RerankRequest } from "#domain/rerank";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined, isObject } from "#dialects/shape";
import { UnaryLossReport } from "./unary-losses.ts";
import { readUnaryUsage } from "./unary-usage.ts";

/** `POST /rerank` at servers that have it beside OpenAI's language: vLLM, llama.cpp, Together, Fireworks, Jina. */
export const rerankUpstream = {
  encodeRequest(request: RerankRequest, target: EncodeTarget): Encoded {
    const report = new UnaryLossReport();
    if (request.maxTokensPerDocument !== undefined) report.meet("rerank-length");
    report.meetUnknown(request.rest);
    // The caller's documents are at hand; sent back, they would only be carried for nothing.
    const body = defined({
      model: target.model,
      query: request.query,
      documents: request.documents,
      top_n: request.topN,
    });
    return { kind: "encoded", body: Buffer.from(JSON.stringify(body)), headers: {}, warnings: report.warnings };
  },

  decodeAnswer(json: unknown): RerankAnswer | Failure {
    const listed = isObject(json) ? rankedOf(json) : undefined;
    if (!isObject(json) || listed === undefined) return none("has no results");
    const results: { readonly index: number; readonly score: number }[] = [];
    for (const [at, item] of listed.entries()) {
      const { index, relevance_score: score } = isObject(item) ? item : {};
      if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0 || typeof score !== "number") {
        return none(`has no place and score at results[${at}]`);
      }
      results.push({ index, score });
    }
    const { id, meta } = json;
    const billed = isObject(meta) && isObject(meta["billed_units"]) ? meta["billed_units"] : {};
    const units = billed["search_units"];
    return defined({
      id: typeof id === "string" ? id : undefined,
      results: results.toSorted((a, b) => b.score - a.score),
      usage: readUnaryUsage("rerank", json),
      searchUnits: typeof units === "number" ? units : undefined,
    });
  },
};

/** `results`; Fireworks and Voyage call them `data`. */
export function rankedOf(answer: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  const listed = answer["results"] ?? answer["data"];
  return Array.isArray(listed) ? (listed as readonly unknown[]) : undefined;
}

function none(why: string): Failure {
  return failure("bad_upstream_response", `The provider's answer ${why}.`);
}
