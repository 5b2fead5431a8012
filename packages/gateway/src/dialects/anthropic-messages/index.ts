import type { Dialect } from "#dialects/dialect";
import { findNeeds } from "#dialects/find-needs";
import type { Operation } from "#domain/call";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeTokenCount, encodeTokenCount, fitRelayed } from "./count-tokens.ts";
import { decodeCount, decodeRequest } from "./decode-request.ts";
import { attachFacts } from "#dialects/attach-facts";
import { pingFrame, streamEncoder } from "./encode-answer.ts";
import { encodeAnswer } from "./encode-whole-answer.ts";
import { encodeFailure, encodeStreamFailure } from "./encode-failure.ts";
import { encodeModel, encodeModels } from "./encode-models.ts";
import { encodeCountRequest, encodeRequest, messagesVersion } from "./encode-request.ts";
import { needSigns } from "./need-signs.ts";
import { peek, relayEdits } from "./peek.ts";

const paths: Readonly<Partial<Record<Operation, string>>> = {
  generate: "/messages",
  "count-tokens": "/messages/count_tokens",
};

/** The language of Anthropic's Messages API, versions 2023-06-01 and 2026-10-21. */
export const anthropicMessages: Dialect = {
  id: "anthropic-messages",
  upstreamPath: (operation) => paths[operation],
  streamTypes: ["text/event-stream"],
  passHeaders: ["anthropic-version", "anthropic-beta"],
  requestIdHeader: "request-id",
  returnHeaders: [],
  defaultHeaders: { "anthropic-version": messagesVersion },
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
  heartbeat: Buffer.from(pingFrame),
  attachFacts,
  decodeCount,
  unary: { countTokens: { encodeRequest: encodeCountRequest, decodeAnswer: decodeTokenCount } },
  encodeTokenCount,
  unaryClient: { fitRelayed },
  encodeModels,
  encodeModel,
};
