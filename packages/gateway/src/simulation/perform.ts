import { countTokens, fillAnswer } from "./answer.ts";
import { assistantAnswer } from "./assistant.ts";
import type { Behaviour } from "./behaviour.ts";
import { htmlErrorPage, kindOfStatus } from "./error-kind.ts";
import type { Issuer } from "./issuer.ts";
import type { Head, Performance } from "./player.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { streamTimeline, wholeTimeline, type Step } from "./timeline.ts";
import type { ChatHabits, ErrorWords, Violation, Voice } from "./voice.ts";

export interface PerformContext {
  readonly voice: Voice;
  readonly issuer: Issuer;
  readonly createdAtS: number;
  readonly habits: ChatHabits;
}

/** Turns a behaviour into what leaves for this request. */
export function perform(request: ReceivedRequest, behaviour: Behaviour, context: PerformContext): Performance {
  const { voice, issuer } = context;
  const requestId = requestIdOf(request.sequence);
  const inBand = inBandError(voice, behaviour, requestId);
  const headers = { [voice.requestIdHeader]: requestId };
  if (behaviour.answer === undefined && (behaviour.status !== undefined || behaviour.errorKind !== undefined)) {
    return statusPerformance(behaviour, { voice, headers, requestId, inBand });
  }
  const status = behaviour.status ?? 200;
  const simple = unspoken(request, voice, behaviour);
  if (simple !== undefined) return whole({ status, headers, body: json(simple), inBand }, behaviour);
  const answer = fillAnswer(behaviour.answer ?? assistantAnswer(request), request, {
    createdAtS: context.createdAtS,
    idPrefixes: voice.idPrefixes,
    nineCharacterIds: context.habits.nineCharacterIds === true,
  });
  const saying = { issuer, request, habits: context.habits };
  if (!request.streamed) {
    const body = json(voice.renderWhole(answer, behaviour, saying));
    return whole({ status, headers, body, inBand }, delayedAsWhole(behaviour));
  }
  const words = voice.stream(answer, behaviour, saying);
  const type = { "content-type": words.contentType, "cache-control": "no-cache" };
  return framed(
    { status, headers: { ...type, ...headers, ...behaviour.headers }, framing: "chunked" },
    { behaviour, steps: () => streamTimeline(words, behaviour, inBand) },
  );
}

function inBandError(voice: Voice, { errorEvent }: Behaviour, requestId: string): object {
  const words = { kind: errorEvent?.kind ?? "overloaded", message: errorEvent?.message, requestId } as const;
  return voice.inBandError?.(words) ?? voice.errorBody(words);
}

/** What counting endpoints and judges answer; undefined where an answer is to be said. */
function unspoken(request: ReceivedRequest, voice: Voice, { answer }: Behaviour): object | undefined {
  const counting = request.operation === "count-tokens";
  if (!counting && voice.judge === undefined) return undefined;
  const tokens = answer?.usage?.input ?? Math.max(1, countTokens(request.promptText));
  return counting ? (voice.countTokens?.(tokens) ?? { input_tokens: tokens }) : voice.judge?.(request, tokens);
}

/** `status` and `body` come in place of the kind's own. */
export interface RefusalWords extends Omit<ErrorWords, "requestId">, Pick<Violation, "status" | "body"> {}

/** The provider's own no, before any script is asked. */
export function refuse(voice: Voice, refusal: RefusalWords, sequence: number): Performance {
  const requestId = requestIdOf(sequence);
  return jsonPerformance(refusal.body ?? voice.errorBody({ ...refusal, requestId }), {
    status: refusal.status ?? voice.errorStatus(refusal.kind),
    headers: { [voice.requestIdHeader]: requestId, ...voice.errorHeaders?.(refusal.kind) },
  });
}

export function jsonPerformance(
  value: object,
  { status, headers }: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): Performance {
  return whole({ status, headers, body: json(value), inBand: {} }, {});
}

interface StatusContext {
  readonly voice: Voice;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly inBand: object;
}

function statusPerformance(behaviour: Behaviour, { voice, headers, requestId, inBand }: StatusContext): Performance {
  const kind = behaviour.errorKind ?? kindOfStatus(behaviour.status ?? 500);
  const status = behaviour.status ?? voice.errorStatus(kind);
  const body = behaviour.htmlPage === true ? htmlErrorPage : behaviour.body;
  if (typeof body === "string") {
    const type = body.trimStart().startsWith("<") ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
    return whole({ status, headers: { ...headers, "content-type": type }, body: Buffer.from(body), inBand }, behaviour);
  }
  const value = body ?? (status < 400 ? undefined : voice.errorBody({ kind, requestId }));
  const told = status < 400 ? headers : { ...headers, ...voice.errorHeaders?.(kind) };
  return whole({ status, headers: told, body: value === undefined ? Buffer.alloc(0) : json(value), inBand }, behaviour);
}

/** A whole answer's head comes when the answer is ready, that is after the wait for the first content. */
function delayedAsWhole(behaviour: Behaviour): Behaviour {
  const delayMs = (behaviour.delayMs ?? 0) + (behaviour.firstContentDelayMs ?? 0);
  return delayMs > 0 ? { ...behaviour, delayMs } : behaviour;
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly inBand: object;
}

function whole({ status, headers, body, inBand }: WholeAnswer, behaviour: Behaviour): Performance {
  // A cut or a stall does not change what the head promised, except where the transport is to end properly.
  const promised = behaviour.cut?.how === "clean-end" ? behaviour : { ...behaviour, cut: undefined };
  const length = bytesIn(wholeTimeline(body, { ...promised, raw: undefined }, inBand));
  const pinged = behaviour.stall?.pingEveryMs !== undefined;
  return framed(
    {
      status,
      headers: { "content-type": "application/json", ...headers, ...behaviour.headers },
      framing: pinged ? "chunked" : { length },
    },
    { behaviour, steps: () => wholeTimeline(body, behaviour, inBand) },
  );
}

function framed(
  head: Head,
  { behaviour, steps }: { readonly behaviour: Behaviour; readonly steps: () => Iterable<Step> },
): Performance {
  return {
    head: { ...head, framing: framingOf(head, behaviour, steps) },
    steps: steps(),
    raw: behaviour.raw !== undefined,
    flushEach: behaviour.slice !== undefined,
  };
}

function framingOf({ framing: usual }: Head, behaviour: Behaviour, steps: () => Iterable<Step>): Head["framing"] {
  const { framing, lengthOff } = behaviour;
  if (behaviour.raw !== undefined || framing === "close-delimited") return "close-delimited";
  if (framing === "chunked") return framing;
  if (framing === undefined && lengthOff === undefined) return usual;
  const length = typeof usual === "object" ? usual.length : bytesIn(steps());
  return { length: Math.max(0, length + (lengthOff ?? 0)) };
}

function bytesIn(steps: Iterable<Step>): number {
  let length = 0;
  for (const step of steps) length += step.kind === "send" ? step.bytes.length : 0;
  return length;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function requestIdOf(sequence: number): string {
  return `req_sim${String(sequence).padStart(6, "0")}`;
}
