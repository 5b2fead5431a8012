import type { EmbedAnswer, EmbedRequest } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined, isObject } from "#dialects/shape";
import { readVector } from "./packed-vectors.ts";
import { UnaryLossReport } from "./unary-losses.ts";
import { readUnaryUsage } from "./unary-usage.ts";

/** OpenAI's `POST /v1/embeddings` at a provider. */
export const embedUpstream = {
  takesTokens: true,

  /** The numbers are left in the form every server has: some refuse `encoding_format`, some ignore it. */
  encodeRequest(request: EmbedRequest, target: EncodeTarget): Encoded {
    const report = new UnaryLossReport();
    if (request.purpose !== undefined) report.meet("embed-purpose", request.purpose);
    if (request.title !== undefined) report.meet("embed-title");
    report.meetUnknown(request.rest);
    const body = defined({
      model: target.model,
      input: request.single ? request.inputs[0] : request.inputs,
      dimensions: request.dimensions,
      user: target.quirks.refusedFields.includes("user") ? undefined : request.user,
    });
    return { kind: "encoded", body: Buffer.from(JSON.stringify(body)), headers: {}, warnings: report.warnings };
  },

  decodeAnswer(json: unknown): EmbedAnswer | Failure {
    const data = isObject(json) ? json["data"] : undefined;
    if (!isObject(json) || !Array.isArray(data)) return none("has no vectors");
    const vectors: (readonly number[] | Float32Array | undefined)[] = Array.from({ length: data.length });
    for (const [at, item] of (data as readonly unknown[]).entries()) {
      const vector = isObject(item) ? readVector(item["embedding"]) : undefined;
      const index = isObject(item) && typeof item["index"] === "number" ? item["index"] : at;
      if (vector === undefined) return none(`holds no numbers at data[${at}]`);
      if (!(index in vectors) || vectors[index] !== undefined) return none(`has no clear place for data[${at}]`);
      vectors[index] = vector;
    }
    const model = json["model"];
    return defined({
      vectors: vectors.filter((vector) => vector !== undefined),
      model: typeof model === "string" ? model : undefined,
      usage: readUnaryUsage("embed", json),
    });
  },
} as const;

function none(why: string): Failure {
  return failure("bad_upstream_response", `The provider's answer ${why}.`);
}
