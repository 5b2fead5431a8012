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

/** The parsed JSON of an answer with a status of 200 to 299, or why there is none: words of the gateway's own. */
export type PostedAnswer = { readonly json: unknown } | { readonly why: string };

export interface Posted {
  readonly answer: Promise<PostedAnswer>;
  /** Lets it go: there is no answer then. */
  cancel(): void;
}

/** Posts JSON to an address of the operator's. Never rejects: whoever does not answer in time has nothing to say. */
export function postJson({ plane, hook, body, timeoutMs }: Posting): Posted {
  const told = Promise.withResolvers<PostedAnswer>();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let answered = 0;
  const waits: (() => void)[] = [];
  const finish = (answer: PostedAnswer): void => {
    for (const stop of waits) stop();
    told.resolve(answer);
  };
  const flow = plane.send(requestTo(hook, body, timeoutMs), {
    onHead: (status) => void (answered = status),
    onBytes(piece) {
      bytes += piece.length;
      if (bytes <= maxAnswerBytes) pieces.push(piece);
      else giveUp("its answer is too long");
    },
    onEnd: () => {
      const isGood = answered >= 200 && answered < 300;
      finish(isGood ? parsed(Buffer.concat(pieces).toString("utf8")) : { why: `it answered ${answered}` });
    },
    onFail: () => finish({ why: "it could not be reached, or broke off" }),
  });
  const giveUp = (why: string): void => {
    flow.cancel();
    finish({ why });
  };
  waits.push(plane.clock.timer(timeoutMs, () => giveUp("it did not answer in time")));
  return { answer: told.promise, cancel: () => giveUp("it was let go") };
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

function parsed(text: string): PostedAnswer {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { why: "its answer is no JSON" };
  }
}
