import { vendorOf } from "#catalogue/catalogue";
import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { TraitsOf } from "#policy/find-targets";
import type { StoredAttempt, TimeWindow } from "#control/store/read-attempts";
import { targetCounts, type TargetCounts } from "#control/store/read-traffic";
import type { LedgerReader } from "#control/store/sql";

/** What traffic is counted in: answered requests, their tokens, or their cost in nano-dollars. */
export type Weight = "requests" | "tokens" | "cost";
export const weights: readonly Weight[] = ["requests", "tokens", "cost"];

/** What was recorded of one target. */
export interface TargetTraffic {
  readonly target: Target;
  /** The maker of the model, as its name says it; absent: unknown. */
  readonly vendor?: string;
  readonly answered: number;
  /** Requests that were not the client's fault, and those of them that failed. */
  readonly valid: number;
  readonly failed: number;
  readonly weight: number;
}

export interface Traffic {
  readonly targets: readonly TargetTraffic[];
  /** By route, or the name that was asked for where that is no route: the weight of what was answered. */
  readonly routes: ReadonlyMap<string, number>;
  /** Answered requests whose tokens or cost are unknown: they weigh nothing. */
  readonly unweighed: number;
}

interface Asked {
  readonly window: TimeWindow;
  readonly weight: Weight;
  readonly providers: Snapshot["providers"];
  readonly traitsOf: TraitsOf;
}

type Sums = { -readonly [K in "answered" | "valid" | "failed" | "weight"]: number } & { readonly of: TargetCounts };

/** Over the whole hours that the window touches. */
export async function readTraffic(
  reader: LedgerReader,
  { window, weight, providers, traitsOf }: Asked,
): Promise<Traffic> {
  const byTarget = new Map<string, Sums>();
  const routes = new Map<string, number>();
  let unweighed = 0;
  for (const counts of await targetCounts(reader, window)) {
    const sums = byTarget.get(counts.target) ?? { of: counts, answered: 0, valid: 0, failed: 0, weight: 0 };
    byTarget.set(counts.target, sums);
    const { answered, failed } = counts;
    sums.valid += answered + failed;
    sums.failed += failed;
    sums.answered += answered;
    const { weighs, without } = weightOf(counts, weight);
    unweighed += without;
    sums.weight += weighs;
    if (answered > 0) routes.set(counts.route, (routes.get(counts.route) ?? 0) + weighs);
  }
  return { targets: [...byTarget.values()].map((sums) => trafficOf(sums, { providers, traitsOf })), routes, unweighed };
}

function trafficOf({ of, ...sums }: Sums, by: Pick<Asked, "providers" | "traitsOf">): TargetTraffic {
  const target = recordedTarget(of, by);
  const vendor = vendorOf(target.traits?.name ?? of.model) ?? by.providers.get(of.provider)?.vendor;
  return { target, ...sums, ...(vendor === undefined ? {} : { vendor }) };
}

/** A record's target, with what is known of its model today. */
export function recordedTarget(
  of: Pick<StoredAttempt, "target" | "provider" | "model">,
  { providers, traitsOf }: Pick<Asked, "providers" | "traitsOf">,
): Target {
  const spec = providers.get(of.provider);
  const traits = spec === undefined ? undefined : traitsOf(spec, of.model);
  const { target: id, provider, model } = of;
  return { id, provider, model, lastResort: false, ...(traits === undefined ? {} : { traits }) };
}

function weightOf(
  { answered, tokens, untold, costNanoUsd, unpriced }: TargetCounts,
  weight: Weight,
): { readonly weighs: number; readonly without: number } {
  if (weight === "requests") return { weighs: answered, without: 0 };
  return weight === "cost" ? { weighs: costNanoUsd, without: unpriced } : { weighs: tokens, without: untold };
}
