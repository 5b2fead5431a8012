import type { RateLimit } from "#domain/rate-limit";
import { maxRetryAfterMs, plainNumber, resetMs } from "./retry-after.ts";

const remainingName = /^(?:x-ratelimit|ratelimit)-remaining(?:-([a-z0-9-]{1,40}))?$/;
const anthropicName = /^anthropic-ratelimit-([a-z0-9-]{1,40})-remaining$/;
const maxLimits = 8;
const none: readonly RateLimit[] = [];

/**
 * What answer headers say is left of an account's limits: `x-ratelimit-remaining-requests` with `-limit-` and `-reset-`
 * beside it (OpenAI, Groq, xAI, Cerebras, Mistral), `anthropic-ratelimit-tokens-remaining`, the bare `x-ratelimit-*` of
 * OpenRouter and `ratelimit-*` of the IETF's draft. A limit without a time of its reset says nothing that can be used.
 * Names are lower-case; `wallMs` is for dates.
 */
export function rateLimitsOf(headers: Readonly<Record<string, string>>, wallMs: number): readonly RateLimit[] {
  let found: RateLimit[] | undefined;
  for (const name in headers) {
    // Most headers are something else, and this is looked at for every answer.
    if (!name.includes("ratelimit-") || !name.includes("remaining")) continue;
    const limit = limitOf(name, headers, wallMs);
    if (limit === undefined || (found?.length ?? 0) >= maxLimits) continue;
    (found ??= []).push(limit);
  }
  return found ?? none;
}

function limitOf(name: string, headers: Readonly<Record<string, string>>, wallMs: number): RateLimit | undefined {
  const match = remainingName.exec(name) ?? anthropicName.exec(name);
  if (match === null) return undefined;
  const remaining = plainNumber(headers[name]);
  const reset = headers[name.replace("remaining", "reset")];
  const waitMs = reset === undefined ? undefined : resetMs(reset, wallMs);
  if (remaining === undefined || waitMs === undefined || waitMs <= 0) return undefined;
  const limit = plainNumber(headers[name.replace("remaining", "limit")]);
  return {
    name: match[1] ?? "requests",
    remaining,
    resetMs: Math.min(Math.ceil(waitMs), maxRetryAfterMs),
    ...(limit === undefined ? {} : { limit }),
  };
}
