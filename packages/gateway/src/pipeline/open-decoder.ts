import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { failure, type Failure } from "#domain/failure";
import type { AttemptInput } from "./attempt-input.ts";

interface Opening {
  readonly classify: DecodeOptions["classify"];
  readonly onFrame: (frame: AnswerFrame) => void;
}

/** The decoder of an attempt's stream, behind the provider's own framing where it has one. */
export function openDecoder(input: AttemptInput, { classify, onFrame }: Opening): StreamDecoder {
  const { lane, kind, spec, limits, watch } = input;
  // Whoever looks on judges event by event.
  const joinsText = lane.joinsText === true && watch === undefined;
  const options = { classify, quirks: spec.quirks, maxEventBytes: limits.maxEventBytes, joinsText };
  const decoder = lane.upstream.streamDecoder(options, onFrame);
  const unwrapping = kind.unwrap?.(lane.upstream.id);
  if (unwrapping === undefined) return decoder;
  let over = false;
  const fail = (why: Failure): void => {
    if (over) return;
    over = true;
    onFrame({
      raw: new Uint8Array(0),
      events: [{ kind: "failed", failure: why }],
      usageOnly: false,
      terminal: true,
    });
  };
  const wrapped = unwrapping.open({
    maxFrameBytes: limits.maxEventBytes,
    onBytes: (bytes) => {
      if (!over) decoder.push(bytes);
    },
    onComplaint: (complaint) => fail(classify(complaint)),
    onBroken: (why) => fail(failure("bad_upstream_response", why)),
  });
  return {
    push: (bytes) => wrapped.push(bytes),
    end() {
      wrapped.end();
      if (!over) decoder.end();
    },
  };
}

/** Whether an answer's content type (undefined: none was sent) is one of a stream's. */
export function isStreamType(contentType: string | undefined, streamTypes: readonly string[]): boolean {
  if (contentType === undefined) return true;
  const [type = ""] = contentType.toLowerCase().split(";", 1);
  return streamTypes.includes(type.trim());
}
