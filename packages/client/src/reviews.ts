import { textOfAnswer } from "./answer-text.ts";
import { strangeReply, wholeText } from "./completions.ts";
import type { Connection } from "./connection.ts";
import { ConnectionFailed, HedgerowError, TimedOut } from "./errors.ts";
import { factsFromHeaders } from "./gateway-facts.ts";
import { type JsonObject, isObject, parseJson } from "./json.ts";
import { Lifeline, mustBeTimeout } from "./lifeline.ts";

/** An answer that waits, or waited, for a person. */
export interface Review {
  readonly id: string;
  readonly object: "hedgerow.review";
  readonly status: "open" | "claimed" | "decided";
  /** ISO 8601. */
  readonly created_at: string;
  /** Then the gateway decides by its rule. */
  readonly deadline_at: string;
  readonly decision?: ReviewDecision;
  /** What the person gave: a chat completion where the call was one. Absent: nothing. */
  readonly answer?: unknown;
  /** The answer's text; empty where there is none. */
  readonly text: string;
}

export interface ReviewDecision {
  /** `expired`: nobody decided in time. */
  readonly kind: "accepted" | "edited" | "written" | "rejected" | "expired";
  readonly reviewer: string;
  /** Whose answer was accepted or edited. */
  readonly target?: string;
  readonly reason?: string;
  readonly at: string;
}

export interface WaitOptions {
  /** Milliseconds; then `TimedOut` is raised. Without it, until a person decides or the review's deadline passes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The gateway answers after so long at the latest, decided or not. */
const longestPollMs = 30_000;
/** Between two questions where the gateway answers sooner than it was asked to. */
const paceMs = 1_000;
/** In a row, while the gateway is not reached; the waits between them grow to ten seconds. */
const mostFailures = 30;
const longestRestMs = 10_000;

/** `hedgerow.reviews`: what became of answers nobody was sure of. */
export class Reviews {
  readonly #connection: Connection;
  readonly #timeoutMs: number | undefined;

  constructor(connection: Connection, timeoutMs: number | undefined) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** As it is now. Raises `InvalidRequest` with status 404 where this key has no such review. */
  async retrieve(id: string, options: Pick<WaitOptions, "signal"> = {}): Promise<Review> {
    const lifeline = new Lifeline({ signal: options.signal, timeoutMs: this.#timeoutMs });
    try {
      return await this.#ask(id, lifeline, 0);
    } finally {
      lifeline.release();
    }
  }

  /** Once it is decided. Restarts of the gateway are waited for. */
  async wait(id: string, options: WaitOptions = {}): Promise<Review> {
    mustBeTimeout(options.timeoutMs);
    const lifeline = new Lifeline({ signal: options.signal, timeoutMs: options.timeoutMs });
    try {
      for (let failures = 0; ;) {
        const askedAtMs = Date.now();
        const pollMs = Math.min(longestPollMs, lifeline.leftMs ?? longestPollMs);
        const review = await this.#askPatiently(id, lifeline, pollMs);
        if (HedgerowError.isInstance(review)) {
          failures += 1;
          if (failures > mostFailures) throw review;
          await this.#rest(lifeline, Math.min(longestRestMs, paceMs * 2 ** (failures - 1)), options);
          continue;
        }
        if (review.status === "decided") return review;
        failures = 0;
        const earlyMs = pollMs - (Date.now() - askedAtMs);
        if (earlyMs > 0 || !lifeline.allows(1))
          await this.#rest(lifeline, Math.min(paceMs, Math.max(earlyMs, 0)), options);
      }
    } finally {
      lifeline.release();
    }
  }

  async #rest(lifeline: Lifeline, restMs: number, { timeoutMs }: WaitOptions): Promise<void> {
    if (!lifeline.allows(Math.max(1, restMs))) {
      throw new TimedOut(`The review was not decided within ${timeoutMs} ms.`, { code: "timed_out" });
    }
    await lifeline.sleep(restMs);
  }

  /** An error that waiting can cure is returned. */
  async #askPatiently(id: string, lifeline: Lifeline, waitMs: number): Promise<Review | HedgerowError> {
    try {
      return await this.#ask(id, lifeline, waitMs);
    } catch (error) {
      if (ConnectionFailed.isInstance(error)) return error;
      if (HedgerowError.isInstance(error) && error.retryable) return error;
      throw error;
    }
  }

  async #ask(id: string, lifeline: Lifeline, waitMs: number): Promise<Review> {
    const wait = waitMs === 0 ? "" : `?wait=${Math.ceil(waitMs)}ms`;
    const path = `/reviews/${encodeURIComponent(id)}${wait}`;
    const response = await this.#connection.send({ method: "GET", path, accept: "application/json" }, lifeline);
    const facts = factsFromHeaders(response.headers);
    const body = parseJson(await wholeText(response, { facts, lifeline }));
    if (!isObject(body) || body["object"] !== "hedgerow.review") throw strangeReply(facts, "the reply is no review");
    return reviewFrom(body);
  }
}

function reviewFrom(body: JsonObject): Review {
  return { ...(body as unknown as Review), text: textOfAnswer(body["answer"]) ?? "" };
}
