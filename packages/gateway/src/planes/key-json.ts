import type { KeyView, SecretView } from "#domain/key-desk";

/** A key for people and programs, without its secret; `nowMs` is of the wall clock. */
export function writtenKey({ id, facts, createdAtMs, revokedAtMs, secrets }: KeyView, nowMs: number): object {
  const { name, expiresAtMs, allowance, priority = "normal", role = "inference", ...scope } = facts;
  const { budgets, ...limits } = allowance ?? {};
  const isOver = expiresAtMs !== undefined && nowMs >= expiresAtMs;
  return {
    object: "hedgerow.key",
    id,
    name,
    status: revokedAtMs !== undefined ? "revoked" : isOver ? "expired" : "active",
    created_at: dateOf(createdAtMs),
    ...(expiresAtMs === undefined ? {} : { expires_at: dateOf(expiresAtMs) }),
    ...(revokedAtMs === undefined ? {} : { revoked_at: dateOf(revokedAtMs) }),
    ...scope,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(budgets === undefined ? {} : { budgets: budgets.map(writtenBudget) }),
    priority,
    role,
    secrets: secrets.filter(({ untilMs }) => untilMs === undefined || nowMs < untilMs).map(writtenSecret),
  };
}

function writtenSecret({ hint, createdAtMs, untilMs }: SecretView): object {
  const secret = { hint, created_at: dateOf(createdAtMs) };
  return untilMs === undefined ? secret : { ...secret, until: dateOf(untilMs) };
}

type WrittenBudget = NonNullable<NonNullable<KeyView["facts"]["allowance"]>["budgets"]>[number];

function writtenBudget({ limitNanoUsd, period, soft, alertsAt }: WrittenBudget): object {
  return { limit_usd: limitNanoUsd / 1e9, period, soft: soft === true, alert_at: alertsAt };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
