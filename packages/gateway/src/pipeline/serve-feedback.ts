import type { Dialect } from "#dialects/dialect";
import type { Label, LabelSource } from "#domain/confidence";
import { failure, type Failure } from "#domain/failure";
import type { Exchange } from "#domain/ports";
import { ownAnswerHeaders } from "./answer-headers.ts";
import type { DataPlane } from "./data-plane.ts";
import { refuse } from "./refuse.ts";

/** A verdict on an answer, with everything said around it. */
export const maxFeedbackBytes = 64 * 1024;
/** UTF-16 code units. */
const maxNoteLength = 2000;
const maxTargetLength = 512;

interface Asked {
  readonly exchange: Exchange;
  readonly plane: DataPlane;
  readonly dialect: Dialect;
  readonly id: string;
  readonly caller: string;
  readonly body: Uint8Array;
  readonly gatewayMs: number;
}

/** Keeps a caller's verdict on an answer it was given. No call: nobody upstream is asked, and nothing is recorded. */
export async function serveFeedback(asked: Asked): Promise<void> {
  const { exchange, plane, dialect, id, caller, body, gatewayMs } = asked;
  const read = readFeedback(body, { caller, atMs: plane.clock.wallMs() });
  const why = "callId" in read ? await keep(read, plane) : read;
  if (exchange.gone) return;
  if (why !== undefined) {
    refuse({ exchange, dialect, id, failure: why, attempts: [], gatewayMs });
    return;
  }
  exchange.respond(202, ownAnswerHeaders(dialect, { id, gatewayMs }));
  const { callId } = read as Label;
  exchange.end(Buffer.from(JSON.stringify({ object: "hedgerow.feedback", id: callId, status: "kept" })));
}

async function keep(label: Label, { labels }: DataPlane): Promise<Failure | undefined> {
  const isKept = labels !== undefined && (await new Promise((resolve) => labels.take(label, resolve)));
  if (isKept === true) return undefined;
  return failure("overloaded", "The verdict could not be written to disk and is not kept; send it again later.", {
    retryAfterMs: 5_000,
  });
}

const fields = ["id", "correct", "score", "source", "weight", "target", "note"];
const sources: readonly LabelSource[] = ["human", "verifier"];

/** `{ id, correct | score, source?, weight?, target?, note? }`, and nothing else: a misspelt word would teach the wrong thing. */
export function readFeedback(
  body: Uint8Array,
  { caller, atMs }: { readonly caller: string; readonly atMs: number },
): Label | Failure {
  const said = objectIn(body);
  if (said === undefined) return invalid('The body is not a JSON object such as {"id": "req_…", "correct": true}.');
  const unknown = Object.keys(said).find((name) => !fields.includes(name));
  if (unknown !== undefined) {
    return invalid(`There is no field ${JSON.stringify(unknown.slice(0, 64))}; there are ${fields.join(", ")}.`);
  }
  const { id, correct, score, source = "human", weight = 1, target, note } = said;
  if (typeof id !== "string" || !/^req_[0-9a-f]{24}$/u.test(id)) {
    return invalid("`id` is the answer's x-request-id: req_ and 24 hex digits.");
  }
  if ((correct === undefined) === (score === undefined)) {
    return invalid("Say either `correct` (true or false) or `score` (0 to 1).");
  }
  if (correct !== undefined && typeof correct !== "boolean") return invalid("`correct` is true or false.");
  if (score !== undefined && !isShare(score)) return invalid("`score` is a number from 0 to 1.");
  const from = sources.find((each) => each === source);
  if (from === undefined) return invalid(`\`source\` is one of ${sources.join(", ")}.`);
  if (!isShare(weight)) return invalid("`weight` is a number from 0 to 1.");
  if (target !== undefined && !isText(target, maxTargetLength)) {
    return invalid("`target` is the provider/model whose answer is meant; leave it out for the one that was given.");
  }
  if (note !== undefined && !isText(note, maxNoteLength)) {
    return invalid(`\`note\` is a text of at most ${maxNoteLength} characters.`);
  }
  return {
    callId: id,
    ...(target === undefined ? {} : { target }),
    correct: isShare(score) ? score : Number(correct === true),
    source: from,
    weight,
    propensity: 1,
    caller,
    atMs,
    ...(note === undefined ? {} : { note }),
  };
}

function objectIn(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= most;
}

function invalid(why: string): Failure {
  return failure("invalid_request", why);
}
