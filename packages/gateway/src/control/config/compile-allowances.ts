import type { AccountId, Allowance } from "#domain/account";
import { compileAllowance, type AllowanceEntry } from "./allowance-schema.ts";
import type { ConfigDocument } from "./schema.ts";

export interface Allowances {
  readonly allowances?: ReadonlyMap<AccountId, Allowance>;
  readonly eachUser?: Allowance;
}

/** Everybody's limits and budgets but the keys', which have them with them. */
export function compileAllowances(document: ConfigDocument): Allowances {
  const allowances = new Map<AccountId, Allowance>();
  const add = (id: AccountId, entry: AllowanceEntry): void => {
    const allowance = compileAllowance(entry);
    if (allowance !== undefined) allowances.set(id, allowance);
  };
  for (const [name, entry] of Object.entries(document.organisations ?? {})) add(`organisation:${name}`, entry);
  for (const [name, entry] of Object.entries(document.teams ?? {})) add(`team:${name}`, entry);
  for (const [name, route] of Object.entries(document.routes ?? {})) add(`route:${name}`, route);
  for (const [name, provider] of Object.entries(document.providers)) {
    add(`provider:${name}`, provider);
    for (const [model, entry] of Object.entries(provider.models ?? {})) add(`model:${name}/${model}`, entry);
  }
  const eachUser = document.users === undefined ? undefined : compileAllowance(document.users);
  return {
    ...(allowances.size === 0 ? {} : { allowances }),
    ...(eachUser === undefined ? {} : { eachUser }),
  };
}
