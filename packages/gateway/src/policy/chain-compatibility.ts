import type { Objection, Target } from "#domain/plan";
import type { ProviderSpec, Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { compatibility, criticalWhy, type Aspect, type Party } from "./compatibility.ts";

export interface ServedBy {
  readonly snapshot: Pick<Snapshot, "providers">;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

/** A backup beside the target its route asks first. */
export function compareTargets(primary: Target, backup: Target, by: ServedBy): readonly Aspect[] {
  return compatibility(partyOf(primary, by), partyOf(backup, by));
}

/** What keeps a backup out of automatic failover, under the word by which a route allows it. */
export function objectionsTo(
  aspects: readonly Aspect[],
): readonly { readonly objection: Objection; readonly why: string }[] {
  const safety = criticalWhy(aspects.filter(({ aspect }) => aspect === safetyAspect));
  const critical = criticalWhy(aspects.filter(({ aspect }) => aspect !== safetyAspect));
  return [
    ...(critical === undefined ? [] : [{ objection: "critical" as const, why: critical }]),
    ...(safety === undefined ? [] : [{ objection: "safety" as const, why: safety }]),
  ];
}

const safetyAspect: Aspect["aspect"] = "safety tier";

/** Why a backup is critical, in words; undefined where it is not. Safety tiers are looked at by a rule of their own. */
export function criticalBackup(primary: Target, backup: Target, by: ServedBy): string | undefined {
  return objectionsTo(compareTargets(primary, backup, by)).find(({ objection }) => objection === "critical")?.why;
}

function partyOf(target: Target, { snapshot, groupsOf }: ServedBy): Party {
  const spec = snapshot.providers.get(target.provider);
  const region = spec?.region ?? claimedRegion(groupsOf(target));
  return { target, ...(spec === undefined ? {} : facts(spec, target)), ...(region === undefined ? {} : { region }) };
}

function facts({ vendor, quirks, jurisdiction, safetyTier: ofAll }: ProviderSpec, { traits }: Target): Partial<Party> {
  const safetyTier = traits?.safetyTier ?? ofAll;
  return {
    quirks,
    ...(vendor === undefined ? {} : { vendor }),
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    ...(safetyTier === undefined ? {} : { safetyTier }),
  };
}

/** Only where all of it is in one. */
function claimedRegion(groups: readonly RiskGroup[]): string | undefined {
  const certain = groups.filter(({ kind, share }) => kind === "region" && share[0] >= 1);
  return certain.length === 1 ? certain[0]?.name : undefined;
}
