import type { Accounts, Meter } from "#domain/account";
import type { Failure } from "#domain/failure";

type Headers = Readonly<Record<string, string>>;

/** Windows are a minute long: after that much nothing of what was used counts. */
const windowS = 60;

/**
 * What is left of the caller's limits a minute, under the names that OpenAI's clients look at; of several the one of which
 * least is left. As of when this process last asked.
 */
export function limitHeaders(own: readonly Meter[], accounts: Accounts): Headers {
  const headers: Record<string, string> = {};
  for (const unit of ["requests", "tokens"] as const) {
    let least: { readonly limit: number; readonly left: number } | undefined;
    for (const meter of own) {
      const left = meter.unit === unit ? accounts.left(meter) : undefined;
      if (left !== undefined && (least === undefined || left < least.left)) least = { limit: meter.limit, left };
    }
    if (least !== undefined) write(headers, unit, { ...least, resetS: least.left < least.limit ? windowS : 0 });
  }
  return headers;
}

/** The same of a limit that is reached. */
export function reachedHeaders({ bound, retryAfterMs = windowS * 1000 }: Failure): Headers {
  if (bound?.unit !== "requests" && bound?.unit !== "tokens") return {};
  const headers: Record<string, string> = {};
  write(headers, bound.unit, {
    limit: bound.limit,
    left: bound.remaining,
    resetS: Math.ceil(retryAfterMs / 1000),
  });
  return headers;
}

function write(
  headers: Record<string, string>,
  unit: "requests" | "tokens",
  { limit, left, resetS }: { readonly limit: number; readonly left: number; readonly resetS: number },
): void {
  headers[`x-ratelimit-limit-${unit}`] = String(limit);
  headers[`x-ratelimit-remaining-${unit}`] = String(Math.floor(left));
  headers[`x-ratelimit-reset-${unit}`] = `${resetS}s`;
}
