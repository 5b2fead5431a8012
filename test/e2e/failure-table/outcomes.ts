/** What fault rows share: where they stand, and what callers are told. */
export const before = { phase: "before", next: "backup" } as const;

export const upstreamError = { status: 502, code: "upstream_error", shouldRetry: true } as const;
export const finalUpstreamError = { ...upstreamError, shouldRetry: false } as const;
export const timeout = { status: 504, code: "upstream_timeout", shouldRetry: true } as const;
export const rateLimited = { status: 429, code: "rate_limited", shouldRetry: true } as const;
export const overloaded = { status: 503, code: "overloaded", shouldRetry: true, retryAfter: 2 } as const;
export const exhausted = { status: 503, code: "no_capacity", shouldRetry: false } as const;
export const unreached = { status: 503, code: "no_capacity", shouldRetry: true, retryAfter: 2 } as const;
export const invalid = { status: 400, code: "invalid_request", shouldRetry: false } as const;

export const badResponse = { kind: "bad_upstream_response", client: upstreamError, parks: "fifth" } as const;
export const truncated = {
  kind: "truncated_response",
  client: { status: 502, code: "upstream_truncated", shouldRetry: true },
  parks: "fifth",
} as const;
