import type { KeyFacts } from "#domain/gateway-key";
import type { Target } from "#domain/plan";

/** Who may answer the calls of a key. */
export type TargetScope = Pick<KeyFacts, "name" | "providers" | "models">;

/** As a part of what is wanted; empty where the key is for all targets, or there is none. */
export function scopeOf(key: TargetScope | undefined): { readonly scope?: TargetScope } {
  return key?.providers === undefined && key?.models === undefined ? {} : { scope: key };
}

/** Why a key's calls may not go to a target; undefined: they may. */
export function outOfScope(target: Target, { name, providers, models }: TargetScope): string | undefined {
  if (providers?.includes(target.provider) === false) return `the key "${name}" is not for this provider`;
  if (models === undefined || models.some((pattern) => isMeant(pattern, target))) return undefined;
  return `the key "${name}" is not for this model`;
}

/** `provider/model`, the canonical name or the provider's own. */
function isMeant(pattern: string, { id, model, traits }: Target): boolean {
  return matches(pattern, id) || matches(pattern, model) || (traits !== undefined && matches(pattern, traits.name));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
