import type { CallAddress } from "#domain/call";
import type { EmbedAnswer, EmbedPurpose, EmbedRequest } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import { promptTokens } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isObject, type JsonObject } from "#dialects/shape";
import { camelCase, RequestReader } from "./request-reader.ts";

const batchFields: ReadonlySet<string> = new Set(["requests", ...ownFields.map(camelCase)]);
const requestFields: ReadonlySet<string> = new Set(["model", "content", ...ownFields.map(camelCase)]);
const configFields: ReadonlySet<string> = new Set(["taskType", "title", "outputDimensionality"]);

/** `TaskType` of https://ai.google.dev/api/embeddings. */
const purposes: Readonly<Record<string, EmbedPurpose>> = {
  RETRIEVAL_QUERY: "query",
  RETRIEVAL_DOCUMENT: "document",
  SEMANTIC_SIMILARITY: "similarity",
  CLASSIFICATION: "classification",
  CLUSTERING: "clustering",
  QUESTION_ANSWERING: "question-answering",
  FACT_VERIFICATION: "fact-verification",
  CODE_RETRIEVAL_QUERY: "code-query",
};

/** What one text of a batch asks for beside its vector. */
type Wish = Pick<EmbedRequest, "dimensions" | "purpose" | "title">;

/** `:embedContent` and `:batchEmbedContents` as their callers write and read them. */
export const embedClient = {
  decodeRequest(json: unknown, address: CallAddress): EmbedRequest | Failure {
    if (!isObject(json)) return failure("invalid_request", "The body must be a JSON object.");
    const reader = new RequestReader();
    const body = reader.object(json, "");
    const isBatch = address.variant === "batch";
    if (isBatch) reader.leave(body, batchFields, "");
    const requests = isBatch
      ? reader
          .list(body["requests"])
          .map((each, index) => readOne(reader, reader.object(each, `requests[${index}]`), `requests[${index}].`))
      : [readOne(reader, body, "")];
    const [first] = requests;
    if (first === undefined) return failure("invalid_request", "requests must hold at least one request");
    if (reader.failure !== undefined) return reader.failure;
    const other = requests.findIndex(({ wish }) => JSON.stringify(wish) !== JSON.stringify(first.wish));
    if (other !== -1) {
      const why = `requests[${other}] asks for other vectors than the first (task, title or size), which only Google's API can do in one call`;
      return failure("not_translatable", why, { param: `requests[${other}]` });
    }
    return {
      model: address.model ?? "",
      inputs: requests.map(({ text }) => text),
      single: !isBatch,
      encoding: "float",
      ...first.wish,
      rest: reader.remains.rest,
    };
  },

  encodeAnswer({ vectors, usage }: EmbedAnswer, { single }: EmbedRequest, _options: EncodeOptions): Uint8Array {
    const embeddings = vectors.map((vector) => ({ values: [...vector] }));
    // Unknown is not zero: a provider that counts nothing is not said to have counted none.
    const counted = usage === undefined ? {} : { usageMetadata: { promptTokenCount: promptTokens(usage) } };
    return Buffer.from(JSON.stringify({ ...(single ? { embedding: embeddings[0] } : { embeddings }), ...counted }));
  },
};

function readOne(
  reader: RequestReader,
  request: JsonObject,
  at: string,
): { readonly text: string; readonly wish: Wish } {
  const { embedContentConfig, taskType, title, outputDimensionality, ...others } = request;
  reader.leave(others, requestFields, at.slice(0, -1));
  // The newer place of the three, which the older ones remain valid beside.
  const config = reader.optionalObject(embedContentConfig, `${at}embedContentConfig`) ?? {};
  reader.leave(config, configFields, `${at}embedContentConfig`);
  const task = reader.optionalWord(config["taskType"] ?? taskType, `${at}taskType`);
  const purpose = task === undefined ? undefined : purposes[task];
  if (task !== undefined && purpose === undefined) {
    reader.refuse(`${at}taskType`, `must be one of ${Object.keys(purposes).join(", ")}`);
  }
  const size = config["outputDimensionality"] ?? outputDimensionality;
  return {
    text: readText(reader, request["content"], `${at}content`),
    wish: defined({
      dimensions: reader.optionalCount(size, `${at}outputDimensionality`, 1),
      purpose,
      title: reader.optionalString(config["title"] ?? title, `${at}title`),
    }),
  };
}

/** A content's texts make one vector; anything else than text only Google's own models can read. */
function readText(reader: RequestReader, value: unknown, path: string): string {
  if (typeof value === "string") return value;
  const content = reader.object(value, path);
  const texts = reader.list(content["parts"]).map((each, index) => {
    if (typeof each === "string") return each;
    const part = reader.object(each, `${path}.parts[${index}]`);
    return reader.string(part["text"], `${path}.parts[${index}].text`);
  });
  const text = texts.join("\n");
  if (text === "") reader.refuse(path, "must hold a text");
  return text;
}
