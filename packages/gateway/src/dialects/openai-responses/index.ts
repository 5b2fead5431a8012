import type { Operation } from "#domain/call";
import type { Dialect } from "#dialects/dialect";
import { findNeeds } from "#dialects/find-needs";
import { encodeModel, encodeModels } from "#dialects/openai-chat/encode-models";
import { attachFacts } from "./attach-facts.ts";
import { decodeTokenCount, encodeTokenCount, fitRelayed } from "./count-tokens.ts";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeRequest } from "./decode-request.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";
import { encodeCountRequest, encodeRequest } from "./encode-request.ts";
import { heartbeat, streamEncoder } from "./encode-stream.ts";
import { needSigns } from "./need-signs.ts";
import { peek } from "./peek.ts";
import { relayEdits } from "./relay-edits.ts";
import { stripLogprobs } from "./strip-logprobs.ts";
import { threads } from "./threads.ts";

const paths: Readonly<Partial<Record<Operation, string>>> = {
  generate: "/responses",
  "count-tokens": "/responses/input_tokens",
};

/** OpenAI Responses, as OpenAI, Azure, xAI and the servers of Open Responses speak it. */
export const openaiResponses: Dialect = {
  id: "openai-responses",
  upstreamPath: (operation) => paths[operation],
  defaultHeaders: {},
  streamTypes: ["text/event-stream"],
  // Organisation and project headers name the caller's own OpenAI account, which the operator's key is no part of.
  passHeaders: ["openai-beta", "x-client-request-id"],
  requestIdHeader: "x-request-id",
  returnHeaders: ["openai-processing-ms", "openai-version"],
  peek,
  findNeeds: (body, scan) => findNeeds(body, scan, needSigns),
  relayEdits,
  decodeRequest,
  encodeRequest,
  streamDecoder,
  decodeAnswer,
  unary: { countTokens: { encodeRequest: encodeCountRequest, decodeAnswer: decodeTokenCount } },
  streamEncoder,
  encodeAnswer,
  encodeFailure,
  encodeStreamFailure,
  heartbeat,
  stripLogprobs,
  attachFacts,
  encodeTokenCount,
  unaryClient: { fitRelayed },
  encodeModels,
  encodeModel,
  threads,
};
