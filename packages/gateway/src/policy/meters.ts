import type { AccountId, Allowance, Meter } from "#domain/account";
import { ownerOf, type GatewayKey } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";

/** A call's: the narrowest last, so that what it is told of its limits is its own. */
export interface CallAccounts {
  readonly key?: GatewayKey;
  /** As the call names its end user. */
  readonly user?: string;
  readonly route: string;
}

const none: readonly Meter[] = [];

/** The meters of an account by what it may use; those of one allowance are made once. */
const known = new WeakMap<Allowance, Map<AccountId, readonly Meter[]>>();
/** End users share one allowance, and callers may name any number of them. */
const mostKnown = 10_000;

function metersOf(account: AccountId, allowance: Allowance | undefined): readonly Meter[] {
  if (allowance === undefined) return none;
  let byAccount = known.get(allowance);
  if (byAccount === undefined) known.set(allowance, (byAccount = new Map()));
  let meters = byAccount.get(account);
  if (meters !== undefined) return meters;
  if (byAccount.size >= mostKnown) byAccount.clear();
  byAccount.set(account, (meters = build(account, allowance)));
  return meters;
}

/** Whether anything at all is bounded for calls with this key. */
export function isBounded({ allowances, eachUser }: Snapshot, key: GatewayKey | undefined): boolean {
  return allowances !== undefined || eachUser !== undefined || key?.allowance !== undefined;
}

/** Everybody's who pays for the call and is limited by it, whoever answers. */
export function callMeters({ key, user, route }: CallAccounts, { allowances, eachUser }: Snapshot): readonly Meter[] {
  const all = [metersOf(`route:${route}`, allowances?.get(`route:${route}`))];
  if (key !== undefined) {
    const { organisation, team, allowance } = key;
    if (organisation !== undefined)
      all.push(metersOf(`organisation:${organisation}`, allowances?.get(`organisation:${organisation}`)));
    if (team !== undefined) all.push(metersOf(`team:${team}`, allowances?.get(`team:${team}`)));
    all.push(metersOf(`key:${ownerOf(key)}`, allowance));
  }
  if (user !== undefined && eachUser !== undefined) {
    // Two tenants may call their users the same.
    const whose = key?.organisation ?? key?.team ?? ownerOf(key);
    all.push(metersOf(`user:${whose}/${user}`, eachUser));
  }
  return all.flat();
}

/** Of whoever is asked. */
export function targetMeters(
  target: { readonly id: string; readonly provider: string },
  { allowances }: Snapshot,
): readonly Meter[] {
  if (allowances === undefined) return none;
  const provider = metersOf(`provider:${target.provider}`, allowances.get(`provider:${target.provider}`));
  const model = metersOf(`model:${target.id}`, allowances.get(`model:${target.id}`));
  return provider.length === 0 ? model : [...provider, ...model];
}

function build(account: AccountId, { rpm, tpm, concurrency, queue, budgets = [] }: Allowance): readonly Meter[] {
  const meters: Meter[] = [];
  if (rpm !== undefined) meters.push({ id: `${account} rpm`, account, unit: "requests", limit: rpm });
  if (tpm !== undefined) meters.push({ id: `${account} tpm`, account, unit: "tokens", limit: tpm });
  if (concurrency !== undefined) {
    const waits = queue === undefined ? {} : { queue };
    meters.push({ id: `${account} concurrency`, account, unit: "slots", limit: concurrency, ...waits });
  }
  for (const { limitNanoUsd, period, soft, alertsAt } of budgets) {
    const id = `${account} usd/${period}${soft === true ? " soft" : ""}`;
    // Of two budgets of a period only the smaller can matter.
    const twin = meters.findIndex((each) => each.id === id);
    if (twin >= 0 && (meters[twin]?.limit ?? 0) <= limitNanoUsd) continue;
    if (twin >= 0) meters.splice(twin, 1);
    meters.push({
      id,
      account,
      unit: "money",
      limit: limitNanoUsd,
      period,
      ...(soft === true ? { soft } : {}),
      alertsAt,
    });
  }
  return meters;
}
