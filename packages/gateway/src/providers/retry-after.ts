/** Nobody is waited for longer than this, whatever a provider says. */
export const maxRetryAfterMs = 300_000;

/** What of a failed reply may say how long to wait. */
export interface WaitHints {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Wall clock, milliseconds since 1970; for dates only. */
  readonly wallMs: number;
  /** `google.rpc.RetryInfo.retryDelay`: `34.4s`. */
  readonly retryDelay?: string;
  /** The provider's message: some say there, and only there, when to try again. */
  readonly message?: string;
}

/**
 * How long the other side asks us to wait, 0..300,000 ms; undefined where it does not say or says nonsense.
 * The most explicit word wins: `retry-after-ms`, `retry-after` (RFC 9110 §10.2.3), the body, then the reset times of
 * rate limits. A date that has passed means 0.
 */
export function retryAfterMs(hints: WaitHints): number | undefined {
  const { headers, wallMs } = hints;
  const wait =
    plainMs(headers["retry-after-ms"]) ??
    fromRetryAfter(headers["retry-after"], wallMs) ??
    durationMs(hints.retryDelay) ??
    fromResets(headers, wallMs) ??
    fromMessage(hints.message);
  return wait === undefined ? undefined : Math.min(Math.max(Math.ceil(wait), 0), maxRetryAfterMs);
}

const decimal = /^\d{1,18}(?:\.\d{1,18})?(?:e\d{1,2})?$/i;

export function plainNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return decimal.test(trimmed) ? Number(trimmed) : undefined;
}

function plainMs(text: string | undefined): number | undefined {
  return plainNumber(text);
}

function fromRetryAfter(text: string | undefined, wallMs: number): number | undefined {
  const seconds = plainNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  return sinceNow(httpDateMs(text), wallMs) ?? durationMs(text);
}

/** The three forms of RFC 9110 §5.6.7. `Date.parse` alone would take `-1` for the year 2001. */
function httpDateMs(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (/^[a-z]{3,9}, .{9,24} gmt$/i.test(trimmed)) return dateMs(trimmed);
  if (/^[a-z]{3} [a-z]{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/i.test(trimmed)) return dateMs(`${trimmed} GMT`);
  return undefined;
}

function dateMs(text: string): number | undefined {
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function sinceNow(atMs: number | undefined, wallMs: number): number | undefined {
  if (atMs === undefined || !Number.isFinite(wallMs)) return undefined;
  return Math.max(0, atMs - wallMs);
}

const unitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** Go-style durations as OpenAI and Groq write them: `1m30.5s`, `6ms`, `1h2m3s`. */
function durationMs(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (trimmed.length > 40 || !/^(?:\d+(?:\.\d+)?(?:h|ms|m|us|µs|ns|s))+$/.test(trimmed)) return undefined;
  let sum = 0;
  for (const [, amount = "", unit = ""] of trimmed.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)) {
    sum += Number(amount) * (unitsMs[unit] ?? 0);
  }
  return Number.isFinite(sum) ? sum : undefined;
}

const resetName = /^(?:x-ratelimit-reset(?:-.+)?|anthropic-ratelimit-.+-reset)$/;

/**
 * Of several limits the exhausted ones decide, and the last of them to refill. Where no limit is marked exhausted the
 * soonest reset is taken: asking once too early costs less than leaving a working credential idle.
 */
function fromResets(headers: Readonly<Record<string, string>>, wallMs: number): number | undefined {
  const exhausted: number[] = [];
  const others: number[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!resetName.test(name)) continue;
    const wait = resetMs(value, wallMs);
    if (wait === undefined) continue;
    const remaining = plainNumber(headers[name.replace("reset", "remaining")]);
    (remaining === 0 ? exhausted : others).push(wait);
  }
  if (exhausted.length > 0) return Math.max(...exhausted);
  return others.length > 0 ? Math.min(...others) : undefined;
}

/** A number is seconds, seconds since 1970 or milliseconds since 1970 by its size; else a duration or RFC 3339. */
export function resetMs(text: string, wallMs: number): number | undefined {
  const number = plainNumber(text);
  if (number !== undefined) {
    if (number >= 1e11) return sinceNow(number, wallMs);
    return number >= 1e9 ? sinceNow(number * 1000, wallMs) : number * 1000;
  }
  if (/^\d{4}-\d\d-\d\dt/i.test(text.trim())) return sinceNow(dateMs(text.trim()), wallMs);
  return durationMs(text);
}

/** "Please try again in 1m30.5s." (OpenAI, Groq), "Please retry in 10.67s." (Gemini). */
function fromMessage(message: string | undefined): number | undefined {
  const found = /\b(?:try again|retry) in (\d[\d.hmsnuµ]{0,30}?s)\b/i.exec(message ?? "");
  return durationMs(found?.[1]);
}
