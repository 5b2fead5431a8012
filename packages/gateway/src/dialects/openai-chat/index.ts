import type { Dialect } from "#dialects/dialect";
import { findNeeds } from "#dialects/find-needs";
import type { Operation } from "#domain/call";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeCompletion } from "./decode-completion.ts";
import { decodeRequest } from "./decode-request.ts";
import { embedClient } from "./embed-client.ts";
import { embedUpstream } from "./embed-upstream.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { completionEncoder, encodeCompletion } from "./encode-completion.ts";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";
import { encodeModel, encodeModels } from "./encode-models.ts";
import { encodeRequest } from "./encode-request.ts";
import { attachFacts, closes, heartbeat, streamEncoder } from "./encode-stream.ts";
import { fitRelayed } from "./fit-relayed.ts";
import { needSigns } from "./need-signs.ts";
import { peek } from "./peek.ts";
import { detailsIssuer } from "./reasoning-issuer.ts";
import { relayEdits } from "./relay-edits.ts";
import { rerankClient } from "./rerank-client.ts";
import { rerankUpstream } from "./rerank-upstream.ts";
import { stripLogprobs } from "./strip-logprobs.ts";
import { readUnaryUsage } from "./unary-usage.ts";

const paths: Readonly<Partial<Record<Operation, string>>> = {
  generate: "/chat/completions",
  complete: "/completions",
  embed: "/embeddings",
  moderate: "/moderations",
  rerank: "/rerank",
};

/** OpenAI Chat Completions, as OpenAI and the many compatible servers speak it. */
export const openaiChat: Dialect = {
  id: "openai-chat",
  upstreamPath: (operation) => paths[operation],
  sealReader: ({ reasoningDetails }) => (reasoningDetails === true ? detailsIssuer : undefined),
  rare: new Set(["moderate", "rerank"]),
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
  streamEncoder,
  encodeAnswer,
  encodeFailure,
  encodeStreamFailure,
  heartbeat,
  stripLogprobs,
  attachFacts,
  closes,
  encodeModels,
  encodeModel,
  completion: { decodeRequest: decodeCompletion, streamEncoder: completionEncoder, encodeAnswer: encodeCompletion },
  unary: { embed: embedUpstream, rerank: rerankUpstream, readUsage: readUnaryUsage },
  unaryClient: { embed: embedClient, rerank: rerankClient, fitRelayed },
};
