import type { EmbedAnswer, EmbedInput, EmbedPurpose, EmbedRequest } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import { promptTokens } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isObject, ShapeReader, type JsonObject } from "#dialects/shape";
import { writtenVector } from "./packed-vectors.ts";

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "input",
  "dimensions",
  "encoding_format",
  "user",
  "input_type",
  ...ownFields,
]);

/** The words of those who imitate the endpoint and want to know (NVIDIA, Voyage, Cohere's compatible address). */
const purposes: Readonly<Record<string, EmbedPurpose>> = {
  query: "query",
  search_query: "query",
  document: "document",
  passage: "document",
  search_document: "document",
  classification: "classification",
  clustering: "clustering",
};

/** OpenAI's `POST /v1/embeddings`, as its callers write and read it. */
export const embedClient = {
  decodeRequest(json: unknown): EmbedRequest | Failure {
    if (!isObject(json)) return failure("invalid_request", "The body must be a JSON object.");
    const reader = new ShapeReader();
    reader.leave(json, knownFields, "");
    const request = readRequest(reader, json);
    return reader.failure ?? request;
  },

  encodeAnswer(answer: EmbedAnswer, { encoding }: EmbedRequest, options: EncodeOptions): Uint8Array {
    const { usage } = answer;
    const tokens = usage === undefined ? 0 : promptTokens(usage);
    const data = answer.vectors.map((vector, index) => {
      return { object: "embedding", index, embedding: writtenVector(vector, encoding) };
    });
    return Buffer.from(
      JSON.stringify({
        object: "list",
        data,
        model: options.model,
        // Unknown is not zero: a provider that counts nothing is not said to have counted none.
        ...(usage === undefined ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
      }),
    );
  },
};

function readRequest(reader: ShapeReader, body: JsonObject): EmbedRequest {
  const { input } = body;
  const kind = reader.optionalString(body["input_type"], "input_type");
  const purpose = kind === undefined ? undefined : (purposes[kind] ?? reader.refuse("input_type", unknownPurpose));
  return defined({
    model: typeof body["model"] === "string" ? body["model"] : "",
    inputs: readInputs(reader, input),
    single: typeof input === "string",
    dimensions: reader.optionalCount(body["dimensions"], "dimensions", 1),
    encoding: reader.optionalOneOf(body["encoding_format"], "encoding_format", ["float", "base64"]) ?? "float",
    purpose,
    user: reader.optionalString(body["user"], "user"),
    rest: reader.remains.rest,
  });
}

const unknownPurpose = `must be ${Object.keys(purposes).join(" or ")}`;

/** One text, several, one list of token numbers, or several. */
function readInputs(reader: ShapeReader, input: unknown): readonly EmbedInput[] {
  if (!Array.isArray(input)) return [reader.word(input, "input")];
  const items = input as readonly unknown[];
  if (items.length === 0) reader.refuse("input", "must hold at least one text");
  if (typeof items[0] === "number") return [readTokens(reader, items, "input")];
  return items.map((item, index) => {
    const path = `input[${index}]`;
    return Array.isArray(item) ? readTokens(reader, item, path) : reader.word(item, path);
  });
}

function readTokens(reader: ShapeReader, tokens: readonly unknown[], path: string): readonly number[] {
  const isTokens = tokens.length > 0 && tokens.every((token) => Number.isSafeInteger(token) && Number(token) >= 0);
  if (isTokens) return tokens as readonly number[];
  reader.refuse(path, "must be texts, or token numbers, not both");
  return [];
}
