import type { Dialect } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import { failure, type Failure } from "#domain/failure";
import type { Exchange } from "#domain/ports";
import type { ReviewLook, ReviewState } from "#domain/review";
import { ownAnswerHeaders } from "./answer-headers.ts";
import type { DataPlane } from "./data-plane.ts";
import type { CallControl } from "./live-calls.ts";
import { refuse } from "./refuse.ts";

/** Longer waits are cut to this: proxies give up on answers that take longer. */
const longestWaitMs = 60_000;
const lookEveryMs = 500;
/** Of one worker. Who comes later gets the state of the moment. */
const maxWaiting = 1_000;

interface Asked {
  readonly exchange: Exchange;
  readonly plane: DataPlane;
  readonly control: CallControl;
  readonly dialect: Dialect;
  readonly id: string;
  readonly owner: string;
  readonly review: string;
  readonly gatewayMs: number;
}

const waiting = new WeakMap<DataPlane, number>();

/** What became of a review, to the caller whose call it was; with `?wait=30s` once it is decided, or the wait is over. */
export async function serveReview(asked: Asked): Promise<void> {
  const { exchange, dialect, id, review, gatewayMs } = asked;
  const waitMs = readWait(exchange.query.get("wait"));
  const look =
    waitMs === undefined
      ? failure("invalid_request", "`wait` is a duration such as 30s, or 500ms; at most 60s are waited.")
      : await lookUntil(asked, waitMs);
  if (exchange.gone) return;
  const why = "message" in look ? look : complaint(look);
  if (why !== undefined || !("review" in look)) {
    const told = why ?? failure("path_not_found", noReview(review));
    refuse({ exchange, dialect, id, failure: told, attempts: [], gatewayMs });
    return;
  }
  exchange.respond(200, {
    ...ownAnswerHeaders(dialect, { id, gatewayMs }),
    "cache-control": "no-store",
  });
  exchange.end(Buffer.from(writtenReview(look.review)));
}

function noReview(id: string): string {
  return `There is no review ${JSON.stringify(id.slice(0, 64))} of yours.`;
}

function complaint(look: ReviewLook): Failure | undefined {
  if (look.kind !== "unavailable") return undefined;
  return failure("overloaded", "Reviews cannot be read at the moment; ask again.", { retryAfterMs: 2_000 });
}

/** Milliseconds; undefined where it is not a duration. */
function readWait(text: string | null): number | undefined {
  if (text === null) return 0;
  const found = /^(\d{1,9})(ms|s|m)?$/u.exec(text);
  if (found === null) return undefined;
  const unitMs = found[2] === "ms" ? 1 : found[2] === "m" ? 60_000 : 1_000;
  return Math.min(longestWaitMs, Number(found[1]) * unitMs);
}

/** One timer at a time; the client leaving, or the gateway stopping, ends it. */
async function lookUntil({ plane, control, owner, review }: Asked, waitMs: number): Promise<ReviewLook> {
  const look = (): ReviewLook => plane.reviews?.get(owner, review) ?? { kind: "unknown" };
  const untilMs = plane.clock.nowMs() + waitMs;
  const others = waiting.get(plane) ?? 0;
  let seen = look();
  if (others >= maxWaiting || !isPending(seen)) return seen;
  waiting.set(plane, others + 1);
  try {
    for (let leftMs = waitMs; leftMs > 0 && isPending(seen); leftMs = untilMs - plane.clock.nowMs()) {
      await pause(plane, control, Math.min(leftMs, lookEveryMs));
      if (control.ended !== undefined || plane.live.draining) break;
      if (plane.reviews?.isPending(owner, review) !== true) seen = look();
    }
    // It may have been claimed meanwhile.
    return isPending(seen) ? look() : seen;
  } finally {
    control.listen(undefined);
    waiting.set(plane, (waiting.get(plane) ?? 1) - 1);
  }
}

function isPending(look: ReviewLook): boolean {
  return look.kind === "found" && look.review.status !== "decided";
}

function pause(plane: DataPlane, control: CallControl, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = plane.clock.timer(ms, resolve);
    control.listen(() => {
      cancel();
      resolve();
    });
  });
}

/** As JSON. The answer is spliced in as it was kept: parsing it would round its numbers. */
function writtenReview(review: ReviewState): string {
  const { id, status, decision, createdAtMs, deadlineAtMs } = review;
  const facts = JSON.stringify({
    id,
    object: "hedgerow.review",
    status,
    created_at: dateOf(createdAtMs),
    deadline_at: dateOf(deadlineAtMs),
    ...(decision === undefined
      ? {}
      : {
          decision: {
            kind: decision.kind,
            reviewer: decision.reviewer,
            ...(decision.target === undefined ? {} : { target: decision.target }),
            ...(decision.reason === undefined ? {} : { reason: decision.reason }),
            at: dateOf(decision.atMs),
          },
        }),
  });
  const answer = answerOf(review);
  return answer === undefined ? facts : `${facts.slice(0, -1)},"answer":${answer}}`;
}

function answerOf({ id, dialect, decision }: ReviewState): string | undefined {
  if (decision === undefined) return undefined;
  if (decision.text !== undefined) {
    return writtenBy(decision.text, { id, dialect: dialects[dialect], atMs: decision.atMs });
  }
  return decision.answer === undefined || isJson(decision.answer) ? decision.answer : JSON.stringify(decision.answer);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a person wrote, as an answer in the caller's language. No model gave it, so it names none. */
function writtenBy(
  text: string,
  of: { readonly id: string; readonly dialect: Dialect; readonly atMs: number },
): string | undefined {
  const bytes = of.dialect.encodeAnswer(
    [
      { kind: "start", id: of.id, model: "reviewer" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text },
      { kind: "text-end", block: 0 },
      { kind: "finish", finish: { reason: "stop" } },
      { kind: "end" },
    ],
    {
      fallbackId: of.id,
      model: "reviewer",
      createdAtS: Math.floor(of.atMs / 1000),
      includeUsage: false,
      issuer: "reviewer",
    },
  );
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
