import type { Dialect } from "#dialects/dialect";
import { findNeeds } from "#dialects/find-needs";
import { encodeModel, encodeModels } from "#dialects/openai-chat/encode-models";
import { attachFacts } from "./attach-facts.ts";
import { decodeTokenCount, encodeTokenCount } from "./count-tokens.ts";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeCount, decodeRequest } from "./decode-request.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";
import { encodeCountRequest, encodeRequest } from "./encode-request.ts";
import { streamEncoder } from "./encode-stream.ts";
import { needSigns } from "./need-signs.ts";
import { peek } from "./peek.ts";
import { relayEdits } from "./relay-edits.ts";
import { upstreamPath } from "./upstream-path.ts";

const eventStream = "application/vnd.amazon.eventstream";

/** Amazon Bedrock's Converse, one language for every model it hosts. */
export const bedrockConverse: Dialect = {
  id: "bedrock-converse",
  upstreamPath,
  defaultHeaders: {},
  streamTypes: [eventStream],
  // What clients sign with is their own account's, and everything else stands in path and body.
  passHeaders: [],
  requestIdHeader: "x-amzn-requestid",
  returnHeaders: [],
  peek,
  findNeeds: (body, scan) => findNeeds(body, scan, needSigns),
  relayEdits,
  decodeRequest,
  decodeCount,
  encodeRequest,
  streamDecoder,
  decodeAnswer,
  unary: { countTokens: { encodeRequest: encodeCountRequest, decodeAnswer: decodeTokenCount } },
  streamContentType: () => eventStream,
  streamEncoder,
  encodeAnswer,
  encodeFailure,
  encodeStreamFailure,
  heartbeat: new Uint8Array(0),
  attachFacts,
  encodeTokenCount,
  // Bedrock lists models at another address and signs for it; here they are listed as OpenAI does.
  encodeModels,
  encodeModel,
};
