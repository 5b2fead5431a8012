import type { Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import { isObject, type JsonObject } from "#dialects/shape";
import { readJson, readString, type FieldScan } from "#wire/json-splice";
import { readVector, writtenVector } from "./packed-vectors.ts";
import { rankedOf } from "./rerank-upstream.ts";

interface Asked {
  readonly body: Uint8Array;
  readonly scan: FieldScan;
}

/**
 * Whether a relayed answer is one to what was asked. OpenAI's own client asks for packed vectors without being told to,
 * and servers that ignore `encoding_format` send it lists; others pack unasked. The caller gets the form it asked for.
 */
export function fitRelayed(operation: Operation, answered: unknown, asked: Asked): Uint8Array | Failure | undefined {
  const answer = isObject(answered) ? answered : {};
  if (operation === "embed") return fitVectors(answer, asked);
  if (Array.isArray(answer["results"])) return undefined;
  const ranked = operation === "rerank" ? rankedOf(answer) : undefined;
  if (ranked === undefined) return failure("bad_upstream_response", "The provider's answer has no results.");
  // Clients look where Cohere and Jina write them.
  return Buffer.from(JSON.stringify({ ...answer, results: ranked }));
}

function fitVectors(answer: JsonObject, { body, scan }: Asked): Uint8Array | Failure | undefined {
  const { data } = answer;
  if (!Array.isArray(data)) return failure("bad_upstream_response", "The provider's answer has no vectors.");
  const items = data as readonly unknown[];
  if (items.length !== countInputs(body, scan)) {
    return failure("bad_upstream_response", "The provider gave another number of vectors than texts were sent.");
  }
  const format = scan.fields.get("encoding_format");
  const encoding = format === undefined ? "float" : readString(body, format);
  // Voyage and Jina have forms of their own.
  if (encoding !== "float" && encoding !== "base64") return undefined;
  const wanted = encoding === "base64" ? "string" : "object";
  if (items.every((item) => isObject(item) && typeof item["embedding"] === wanted)) return undefined;
  const fitted: unknown[] = [];
  for (const [at, item] of items.entries()) {
    const vector = isObject(item) ? readVector(item["embedding"]) : undefined;
    if (!isObject(item) || vector === undefined) {
      return failure("bad_upstream_response", `The provider's answer holds no numbers at data[${at}].`);
    }
    fitted.push({ ...item, embedding: writtenVector(vector, encoding) });
  }
  return Buffer.from(JSON.stringify({ ...answer, data: fitted }));
}

/** One text, several, one list of token numbers, or several. */
function countInputs(body: Uint8Array, scan: FieldScan): number {
  const span = scan.fields.get("input");
  const read = span === undefined ? undefined : readJson(body, span);
  const input = read?.ok === true ? read.value : undefined;
  return Array.isArray(input) && typeof input[0] !== "number" ? input.length : 1;
}
