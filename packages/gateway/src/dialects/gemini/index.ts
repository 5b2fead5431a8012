import { attachFacts } from "#dialects/attach-facts";
import type { Dialect } from "#dialects/dialect";
import { findNeeds } from "#dialects/find-needs";
import { decodeCount, decodeRequest } from "./decode-request.ts";
import { embedClient } from "./embed-client.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { encodeFailure, errorJson } from "./encode-failure.ts";
import { encodeModel, encodeModels } from "./encode-models.ts";
import { eventFrame, heartbeat, lastElement, streamContentType, streamEncoder } from "./encode-stream.ts";
import { needSigns } from "./need-signs.ts";
import { peek } from "./peek.ts";
import { relayEdits } from "./relay-edits.ts";
import { stripLogprobs } from "./strip-logprobs.ts";
import { geminiUpstream } from "./upstream.ts";

/** The language of Google's Gemini API, as clients of it and of Vertex AI speak it. */
export const gemini: Dialect = {
  ...geminiUpstream,
  id: "gemini",
  // Google's clients say nothing in headers that an answer depends on, and their project is not the operator's.
  passHeaders: [],
  requestIdHeader: "x-request-id",
  returnHeaders: ["x-gemini-service-tier"],
  peek,
  findNeeds: (body, scan) => findNeeds(body, scan, needSigns),
  relayEdits,
  decodeRequest,
  decodeCount,
  streamContentType,
  streamEncoder,
  encodeAnswer,
  encodeFailure,
  encodeStreamFailure(failed, facts, framing) {
    const json = errorJson(failed, facts);
    return Buffer.from(framing === "json-array" ? lastElement(json) : eventFrame(json));
  },
  heartbeat,
  stripLogprobs,
  attachFacts,
  encodeTokenCount: (tokens) => Buffer.from(JSON.stringify({ totalTokens: tokens })),
  encodeModels,
  encodeModel,
  unaryClient: { embed: embedClient },
};
