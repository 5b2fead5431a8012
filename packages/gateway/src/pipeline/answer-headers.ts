import type { Attempt, Target } from "#domain/plan";
import { confidenceHeader, confidenceMembers, type GivenConfidence } from "./confidence-facts.ts";

export interface AnswerFacts {
  readonly requestId: string;
  /** Where the caller's language looks for it, beside the gateway's own place. */
  readonly requestIdHeader: string;
  readonly target: Target;
  readonly route: string;
  readonly attempts: number;
  readonly decision: string;
  readonly warnings: readonly string[];
  readonly costNanoUsd?: number;
  /** Where a gate looked at the answer. */
  readonly confidence?: GivenConfidence;
  /** Milliseconds the gateway itself spent before the upstream was asked. */
  readonly gatewayMs: number;
  /** How long it waited for places at its accounts. */
  readonly queuedMs?: number;
  /** What is left of the caller's limits, as headers. */
  readonly limits?: Readonly<Record<string, string>>;
  /** Allow-listed headers of the upstream. */
  readonly returned: Readonly<Record<string, string>>;
}

type Headers = Record<string, string | readonly string[]>;

/** What every answer tells about itself. */
export function answerHeaders(facts: AnswerFacts): Headers {
  const headers: Headers = {
    ...facts.returned,
    ...facts.limits,
    [facts.requestIdHeader]: facts.requestId,
    "x-request-id": facts.requestId,
    "x-hedgerow-provider": ascii(facts.target.provider),
    "x-hedgerow-model": ascii(facts.target.model),
    "x-hedgerow-route": ascii(facts.route),
    "x-hedgerow-attempts": String(facts.attempts),
    "x-hedgerow-decision": facts.decision,
    "x-should-retry": "false",
    ...serverTiming(facts.gatewayMs, facts.queuedMs),
  };
  if (facts.warnings.length > 0) headers["x-hedgerow-warning"] = facts.warnings.slice(0, maxWarnings).map(ascii);
  if (facts.confidence !== undefined) headers["x-hedgerow-confidence"] = confidenceHeader(facts.confidence);
  if (facts.costNanoUsd !== undefined) headers["x-hedgerow-cost-usd"] = usd(facts.costNanoUsd);
  return headers;
}

/** The same at the head of a stream. */
export function streamHeaders(facts: AnswerFacts, contentType = defaultStreamType): Headers {
  return { ...answerHeaders(facts), ...streamOnly(contentType) };
}

/** At the head of a stream that has to begin before anybody has answered. */
export function waitingHeaders(
  facts: Pick<AnswerFacts, "requestId" | "requestIdHeader" | "route">,
  contentType = defaultStreamType,
): Headers {
  return {
    [facts.requestIdHeader]: facts.requestId,
    "x-request-id": facts.requestId,
    "x-hedgerow-route": ascii(facts.route),
    "x-should-retry": "false",
    ...streamOnly(contentType),
  };
}

const defaultStreamType = "text/event-stream; charset=utf-8";

function streamOnly(contentType: string): Headers {
  return {
    "content-type": contentType,
    "cache-control": "no-cache",
    // nginx would otherwise gather the stream before passing it on.
    "x-accel-buffering": "no",
  };
}

/** Of what the gateway answers by itself, as JSON: nobody was asked. */
export function ownAnswerHeaders(
  { requestIdHeader }: { readonly requestIdHeader: string },
  { id, gatewayMs }: { readonly id: string; readonly gatewayMs: number },
): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json",
    [requestIdHeader]: id,
    "x-request-id": id,
    "x-hedgerow-attempts": "0",
    "x-hedgerow-decision": "answered",
    "x-should-retry": "false",
    ...serverTiming(gatewayMs),
  };
}

/** https://www.w3.org/TR/server-timing/ */
export function serverTiming(gatewayMs: number, queuedMs = 0): { readonly "server-timing": string } {
  const queue = queuedMs > 0 ? `, queue;dur=${queuedMs.toFixed(1)}` : "";
  return { "server-timing": `gateway;dur=${gatewayMs.toFixed(1)}${queue}` };
}

const maxWarnings = 16;
const longest = 512;

/** Names may hold anything; header values may not. */
export function ascii(text: string): string {
  return text.slice(0, longest).replaceAll(/[^\u0020-\u007e]/g, "?");
}

/** Nano-dollars as a plain decimal: 1,234,000 is `0.001234`. */
function usd(nano: number): string {
  const whole = Math.trunc(nano / 1e9);
  const rest = String(Math.round(nano % 1e9))
    .padStart(9, "0")
    .replace(/0+$/, "");
  return rest === "" ? String(whole) : `${whole}.${rest}`;
}

/** The `hedgerow` object of callers that asked for it. */
export function lateFacts(facts: AnswerFacts & { readonly tries: readonly Attempt[] }): object {
  return {
    request_id: facts.requestId,
    provider: facts.target.provider,
    model: facts.target.model,
    route: facts.route,
    decision: facts.decision,
    attempts: facts.tries.map((attempt) => ({
      target: attempt.target.id,
      outcome: attempt.outcome.kind,
      ...(attempt.outcome.kind === "failed" ? { failure: attempt.outcome.failure.kind } : {}),
      ms: Math.round(attempt.endedAtMs - attempt.startedAtMs),
    })),
    ...(facts.confidence === undefined ? {} : confidenceMembers(facts.confidence)),
    ...(facts.costNanoUsd === undefined ? {} : { cost_usd: facts.costNanoUsd / 1e9 }),
    ...(facts.warnings.length === 0 ? {} : { warnings: facts.warnings }),
  };
}
