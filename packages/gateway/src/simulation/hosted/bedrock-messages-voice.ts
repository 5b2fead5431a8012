import { bedrockErrors, bedrockException } from "#simulation/bedrock/bedrock-errors";
import { eventFrame, eventStreamType, jsonEvent } from "#simulation/bedrock/event-frame";
import { messagesVoice } from "#simulation/messages-voice";
import { padding } from "#simulation/sse-frame";
import { messagesStream, type MessagesFraming } from "#simulation/stream-messages";
import type { Voice } from "#simulation/voice";
import { checkHosted, type HostRules } from "./hosted-check.ts";

const host: HostRules = {
  versions: { "bedrock-2023-05-31": "2023-06-01", "2026-10-21": "2026-10-21" },
  elsewhere: ["model", "stream"],
};

/** Each event of Anthropic's travels as base64 inside a frame of Bedrock's. */
const framing: MessagesFraming = {
  contentType: eventStreamType,
  frame: (event) => chunk(Buffer.from(JSON.stringify(event))),
  error: bedrockException,
  closing: (usage) => ({
    "amazon-bedrock-invocationMetrics": {
      inputTokenCount: usage.input,
      outputTokenCount: usage.output + usage.reasoning,
      cacheReadInputTokenCount: usage.cacheRead,
      cacheWriteInputTokenCount: usage.cacheWrite,
      invocationLatency: 120,
      firstByteLatency: 60,
    },
  }),
  binary: { frame: chunk, empty: eventFrame({ ":event-type": "comment", ":message-type": "event" }, Buffer.alloc(0)) },
};

function chunk(payload: Buffer): Buffer {
  const bytes = payload.toString("base64");
  return jsonEvent("chunk", Buffer.from(JSON.stringify({ bytes, p: padding(bytes) })));
}

/** Anthropic Messages through Bedrock's InvokeModel. */
export const bedrockMessagesVoice: Voice = {
  ...messagesVoice,
  ...bedrockErrors,
  check: (request, rules) => checkHosted(request, rules, host),
  inBandError: bedrockErrors.errorBody,
  stream: (answer, wording, { issuer }) => messagesStream(answer, wording, { issuer, framing }),
};
