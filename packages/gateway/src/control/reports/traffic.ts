import { vendorOf } from "#catalogue/catalogue";
import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { completionTokens, promptTokens } from "#domain/usage";
import type { TraitsOf } from "#policy/find-targets";
import { eachAttempt, type StoredAttempt, type TimeWindow } from "#control/store/read-attempts";
import type { LedgerReader } from "#control/store/sql";
import { errorClassOf } from "#control/store/error-class";

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

type Sums = { -readonly [K in "answered" | "valid" | "failed" | "weight"]: number } & { readonly of: StoredAttempt };

export async function readTraffic(
  reader: LedgerReader,
  { window, weight, providers, traitsOf }: Asked,
): Promise<Traffic> {
  const byTarget = new Map<string, Sums>();
  const routes = new Map<string, number>();
  let unweighed = 0;
  await eachAttempt(reader, window, (attempt) => {
    const sums = byTarget.get(attempt.target) ?? { of: attempt, answered: 0, valid: 0, failed: 0, weight: 0 };
    byTarget.set(attempt.target, sums);
    const failed = errorClassOf(attempt);
    if (failed === "client") return;
    sums.valid += 1;
    if (failed !== undefined) {
      sums.failed += 1;
      return;
    }
    sums.answered += 1;
    const weighs = weightOf(attempt, weight);
    if (weighs === undefined) unweighed += 1;
    sums.weight += weighs ?? 0;
    routes.set(attempt.route, (routes.get(attempt.route) ?? 0) + (weighs ?? 0));
  });
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

function weightOf({ usage, costNanoUsd }: StoredAttempt, weight: Weight): number | undefined {
  if (weight === "requests") return 1;
  if (weight === "cost") return costNanoUsd;
  return usage === undefined ? undefined : promptTokens(usage) + completionTokens(usage);
}
