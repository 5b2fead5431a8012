import type { UpstreamDialect } from "#dialects/dialect";
import { decodeTokenCount } from "./count-tokens.ts";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { encodeCountRequest, encodeRequest } from "./encode-request.ts";
import { upstreamPath } from "./upstream-path.ts";

/** Amazon Bedrock's Converse, one language for every model it hosts. */
export const bedrockConverse: UpstreamDialect = {
  id: "bedrock-converse",
  upstreamPath,
  defaultHeaders: {},
  streamTypes: ["application/vnd.amazon.eventstream"],
  encodeRequest,
  streamDecoder,
  decodeAnswer,
  unary: { countTokens: { encodeRequest: encodeCountRequest, decodeAnswer: decodeTokenCount } },
};
