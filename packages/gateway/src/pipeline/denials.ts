import type { AccountId, Meter } from "#domain/account";
import { failure, type Failure } from "#domain/failure";
import type { Target } from "#domain/plan";

/** Why an account may not use what a call needs. */
export type Denied =
  | {
      readonly meter: Meter;
      /** Of the meter's unit. */
      readonly remaining: number;
      readonly resetMs?: number;
      /** The call alone needs more than there ever is. */
      readonly never?: true;
    }
  | { readonly unreachable: string };

/** A provider's or model's own account: another target may have room. */
const ofTarget = /^(?:provider|model):/;

/** In words, for the caller: who may use how much of what, and when there is some again. */
export function denialOf(denied: Denied, wallMs: number): Failure {
  if ("unreachable" in denied) {
    const why = "The gateway cannot check this call's limits and budgets at the moment; ask again.";
    return failure("overloaded", why, { retryAfterMs: 1_000 });
  }
  const { meter, remaining, resetMs, never } = denied;
  const bound = {
    account: meter.account,
    unit: meter.unit,
    limit: meter.limit,
    remaining: Math.floor(remaining),
    ...(meter.period === undefined ? {} : { period: meter.period }),
    ...(resetMs === undefined ? {} : { resetAt: new Date(wallMs + resetMs).toISOString() }),
  };
  const wait = resetMs === undefined ? {} : { retryAfterMs: Math.min(300_000, Math.ceil(resetMs)) };
  const words = `${sentenceOf(meter, remaining, never === true)}${whenOf(meter, bound.resetAt)}`;
  if (ofTarget.test(meter.account)) return failure("account_full", words, { bound, ...wait });
  if (meter.unit === "money") return failure("budget_exceeded", words, { bound, ...wait });
  if (never === true) return failure("request_too_large", words, { bound });
  return failure("limit_reached", words, { bound, ...(meter.unit === "slots" ? { retryAfterMs: 1_000 } : wait) });
}

/** What nobody priced cannot be held to a budget: somebody else is asked. */
export function unpriced(target: Target, meter: Meter): Failure {
  const words = `${target.id} has no known price, and calls of ${nameOf(meter.account)} are held to a budget; give it a price under providers.${target.provider}.models.`;
  return failure("not_affordable", words);
}

function sentenceOf({ account, unit, limit, period }: Meter, remaining: number, never: boolean): string {
  const whose = nameOf(account);
  switch (unit) {
    case "requests":
      return `${whose} may make ${limit} requests a minute, and they are made.`;
    case "slots":
      return `${whose} may have ${limit} calls at once, and has them.`;
    case "tokens":
      return never
        ? `${whose} may use ${limit} tokens a minute, and this call alone may need more: ask for a shorter answer (max_tokens), or send less.`
        : `${whose} may use ${limit} tokens a minute; ${Math.max(0, Math.floor(remaining))} are left, and this call may need more.`;
    case "money":
      return `${whose} may spend ${usd(limit)} ${periodWords[period ?? "total"]}; ${usd(Math.max(0, remaining))} are neither spent nor held back for calls under way, and this call may need more.`;
  }
}

const periodWords = { hour: "an hour", day: "a day", week: "a week", month: "a month", total: "in all" } as const;

function whenOf({ unit }: Meter, resetAt: string | undefined): string {
  if (resetAt === undefined) return "";
  return unit === "money" ? ` The budget begins anew at ${resetAt}.` : ` There is room again at ${resetAt}.`;
}

function nameOf(account: AccountId): string {
  const at = account.indexOf(":");
  return `The ${account.slice(0, at)} "${account.slice(at + 1).slice(0, 200)}"`;
}

/** Rounded to a hundredth of a cent where that is not nothing. */
function usd(nano: number): string {
  const dollars = nano / 1e9;
  return `$${dollars === 0 || dollars >= 0.0001 ? dollars.toFixed(dollars >= 1 ? 2 : 4) : dollars.toFixed(9)}`;
}
