import type { AnswerFrame } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import type { Failure } from "#domain/failure";
import type { Lane } from "#pipeline/lane";
import type { FirstLanguage } from "../world/first-languages.ts";
import { decoding, openLane } from "./open-lane.ts";

export const otherDialect = { "openai-chat": "anthropic-messages", "anthropic-messages": "openai-chat" } as const;

/** Who answers: the vendor whose seals a language carries bare, and one it has to mark. */
const issuers = { "openai-chat": "acme", "anthropic-messages": "anthropic" } as const;

/** The lane of a call in one language to a target of another, as the request path chooses it. */
function laneFor(caller: FirstLanguage, upstream: FirstLanguage, usageAsked = true): Lane {
  const body = {
    model: "own-1",
    ...(caller === "anthropic-messages" ? { max_tokens: 1000 } : {}),
    stream: true,
    ...(caller === "openai-chat" && usageAsked ? { stream_options: { include_usage: true } } : {}),
    messages: [{ role: "user", content: "hi" }],
  };
  return openLane({ caller, upstream, issuer: issuers[upstream], streamed: true, body });
}

export interface Replayed {
  readonly relay: string;
  readonly translation: string;
  readonly failed: Failure | undefined;
  /** The decoder said that the answer is whole, once and last. */
  readonly ended: boolean;
  readonly warnings: readonly string[];
}

/** One upstream stream, given in these pieces, through the relay and the translation at once. */
export function replay(dialect: FirstLanguage, pieces: Iterable<Uint8Array>, usageAsked = true): Replayed {
  const relay = laneFor(dialect, dialect, usageAsked);
  const translation = laneFor(otherDialect[dialect], dialect, usageAsked);
  const relayed: Buffer[] = [];
  const translated: Buffer[] = [];
  let failed: Failure | undefined;
  let endings = 0;
  const onFrame = (frame: AnswerFrame): void => {
    if (endings > 0) throw new Error("a frame behind the ending");
    for (const event of frame.events) {
      if (event.kind === "failed") failed = event.failure;
      if (event.kind === "end" || event.kind === "failed") endings += 1;
    }
    if (failed !== undefined) return;
    // A frame is valid only until the call returns.
    relayed.push(Buffer.from(relay.renderFrame(frame)));
    translated.push(Buffer.from(translation.renderFrame(frame)));
  };
  const decoder = relay.upstream.streamDecoder(decoding, onFrame);
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  if (endings !== 1) throw new Error(`${endings} endings`);
  return {
    relay: Buffer.concat(relayed).toString("utf8"),
    translation: Buffer.concat(translated).toString("utf8"),
    failed,
    ended: failed === undefined,
    warnings: translation.warnings(),
  };
}

/** A whole answer through both lanes. */
export function replayWhole(
  dialect: FirstLanguage,
  body: Uint8Array,
): {
  readonly relay: Uint8Array | undefined;
  readonly translation: string;
  readonly last: AnswerEvent | undefined;
} {
  const events = dialects[dialect].decodeAnswer(body, decoding);
  const translated = laneFor(otherDialect[dialect], dialect).renderAnswer(body, events);
  return {
    relay: laneFor(dialect, dialect).renderAnswer(body, events),
    translation: translated === undefined ? "" : Buffer.from(translated).toString("utf8"),
    last: events.at(-1),
  };
}
