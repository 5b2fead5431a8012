import type { UpstreamDialect } from "#dialects/dialect";
import type { Operation } from "#domain/call";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { encodeRequest } from "./encode-request.ts";
import { judgements } from "./judgements.ts";

const paths: Readonly<Partial<Record<Operation, string>>> = { generate: "/chat", embed: "/embed", rerank: "/rerank" };

/** Cohere's Chat, version 2, behind a base path that ends in `/v2`. No client of ours speaks it. */
export const cohereChat: UpstreamDialect = {
  id: "cohere-chat",
  upstreamPath: (operation) => paths[operation],
  defaultHeaders: {},
  streamTypes: ["text/event-stream"],
  encodeRequest,
  streamDecoder,
  decodeAnswer,
  unary: judgements,
};
