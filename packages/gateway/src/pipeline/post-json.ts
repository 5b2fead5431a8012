import type { HookRule } from "#domain/confidence";
import type { UpstreamRequest } from "#domain/ports";
import type { DataPlane } from "./data-plane.ts";

interface Posting {
  readonly plane: Pick<DataPlane, "send" | "clock">;
  readonly hook: HookRule;
  readonly body: object;
  readonly timeoutMs: number;
}

/** What somebody says who was asked for a verdict is short. */
const maxAnswerBytes = 64 * 1024;

export interface Posted {
  /** The parsed JSON of an answer with a status of 200 to 299; undefined where there was none. */
  readonly answer: Promise<unknown>;
  /** Lets it go: there is no answer then. */
  cancel(): void;
}

/** Posts JSON to an address of the operator's. Never rejects: whoever does not answer in time has nothing to say. */
export function postJson({ plane, hook, body, timeoutMs }: Posting): Posted {
  const told = Promise.withResolvers<unknown>();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let isGood = false;
  const waits: (() => void)[] = [];
  const finish = (answer: unknown): void => {
    for (const stop of waits) stop();
    told.resolve(answer);
  };
  const flow = plane.send(requestTo(hook, body, timeoutMs), {
    onHead: (status) => void (isGood = status >= 200 && status < 300),
    onBytes(piece) {
      bytes += piece.length;
      if (bytes <= maxAnswerBytes) pieces.push(piece);
      else cancel();
    },
    onEnd: () => finish(isGood ? parsed(Buffer.concat(pieces).toString("utf8")) : undefined),
    onFail: () => finish(undefined),
  });
  const cancel = (): void => {
    flow.cancel();
    finish(undefined);
  };
  waits.push(plane.clock.timer(timeoutMs, cancel));
  return { answer: told.promise, cancel };
}

function requestTo({ url, key }: HookRule, body: object, connectMs: number): UpstreamRequest {
  const { origin, pathname, search } = new URL(url);
  return {
    origin,
    path: pathname + search,
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "hedgerow",
      ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
    },
    body: [Buffer.from(JSON.stringify(body), "utf8")],
    connectMs,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
