import type { UpstreamDialect } from "#dialects/dialect";
import { decodeCount, encodeCount } from "./count-tokens.ts";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeEmbed, encodeEmbed } from "./embed-contents.ts";
import { encodeRequest } from "./encode-request.ts";
import { isObject } from "#dialects/shape";
import { resourcePath } from "./resource-name.ts";
import { readUsage } from "./usage-fields.ts";

/** Gemini's `generateContent` and its sisters, at the Gemini API and at Vertex, behind a base path with a version. */
export const geminiUpstream: UpstreamDialect = {
  id: "gemini",
  upstreamPath(operation, { model, streamed, framing, variant }) {
    const resource = resourcePath(model);
    switch (operation) {
      case "generate":
        if (!streamed) return `${resource}:generateContent`;
        return `${resource}:streamGenerateContent${framing === "json-array" ? "" : "?alt=sse"}`;
      case "count-tokens":
        return `${resource}:countTokens`;
      case "embed":
        return `${resource}:${variant === "batch" ? "batchEmbedContents" : "embedContent"}`;
      default:
        return undefined;
    }
  },
  defaultHeaders: {},
  streamTypes: ["text/event-stream", "application/json"],
  encodeRequest,
  streamDecoder,
  decodeAnswer,
  unary: {
    embed: { variant: "batch", encodeRequest: encodeEmbed, decodeAnswer: decodeEmbed },
    countTokens: { encodeRequest: encodeCount, decodeAnswer: decodeCount },
    readUsage: (operation, body) =>
      operation === "embed" && isObject(body) ? readUsage(body["usageMetadata"]) : undefined,
  },
};
