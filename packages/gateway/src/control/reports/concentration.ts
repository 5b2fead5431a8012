import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup, RiskKind, ShareInterval } from "#domain/supply";
import { findTargets, type TraitsOf } from "#policy/find-targets";
import { concentration, exposuresAt, type Exposure } from "#supply/concentration";
import { cutSets, type CutSet } from "#supply/cut-sets";
import { importance, type Chain, type ImportanceTable } from "#supply/importance";
import { oldestCallMs, type TimeWindow } from "#control/store/read-attempts";
import type { LedgerReader } from "#control/store/sql";
import { readTraffic, type TargetTraffic, type Traffic, type Weight } from "./traffic.ts";

export interface ConcentrationReport {
  readonly from: string;
  readonly until: string;
  readonly weight: Weight;
  /** In requests, tokens or nano-dollars. */
  readonly total: number;
  /** Answered requests that weigh nothing because their tokens or cost are unknown. */
  readonly unweighed: number;
  readonly layers: readonly Layer[];
  readonly chains: readonly ChainRisk[];
  readonly importance: ImportanceTable & { readonly failing: number };
}

export interface Layer {
  /** `nominal`: as names say it. `supply`: as claims say it. */
  readonly view: "nominal" | "supply";
  readonly layer: string;
  readonly members: readonly { readonly name: string; readonly share: ShareInterval }[];
  /** Share of the traffic for which nobody is named. */
  readonly unknown: number;
  /** 0 to 10,000. */
  readonly hhi: ShareInterval;
  /** Null: there is no upper bound. */
  readonly effective: readonly [least: number, most: number | null];
  readonly top: ShareInterval;
  readonly exact: boolean;
}

/** What can leave a route without a target. */
export interface ChainRisk {
  readonly route: string;
  /** Of the traffic. */
  readonly share: number;
  readonly targets: readonly string[];
  readonly cuts: readonly CutSet[];
}

export interface ConcentrationWish {
  readonly window: TimeWindow;
  readonly weight: Weight;
  /** Probability that a risk group is down, the same for all: what it is of each, nobody publishes. */
  readonly failing: number;
  readonly snapshot: Snapshot;
  readonly traitsOf: TraitsOf;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

const supplyLayers: readonly RiskKind[] = ["storefront", "operator", "owner", "region"];

export async function concentrationReport(reader: LedgerReader, wish: ConcentrationWish): Promise<ConcentrationReport> {
  const { weight, failing, snapshot, groupsOf } = wish;
  const window = { ...wish.window, fromMs: Math.max(wish.window.fromMs, (await oldestCallMs(reader)) ?? 0) };
  const traffic = await readTraffic(reader, { ...wish, window, providers: snapshot.providers });
  const used = traffic.targets.filter((each) => each.weight > 0);
  const exposed = used.map((each) => ({ weight: each.weight, groups: groupsOf(each.target) }));
  const total = used.reduce((sum, each) => sum + each.weight, 0);
  const chains = chainsOf(traffic, wish);
  return {
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    weight,
    total,
    unweighed: traffic.unweighed,
    layers: [
      layerOf("nominal", "vendor", used.map(vendorExposure)),
      layerOf("nominal", "provider", exposuresAt("provider", exposed)),
      ...supplyLayers.map((kind) => layerOf("supply", kind, exposuresAt(kind, exposed))),
    ],
    chains: chains.map(({ name, weight: own, targets }) => ({
      route: name,
      share: total === 0 ? 0 : own / total,
      targets: targets.map(({ target }) => target),
      cuts: cutSets(targets),
    })),
    importance: { ...importance(chains, () => failing), failing },
  };
}

function vendorExposure({ weight, vendor }: TargetTraffic): Exposure {
  return { weight, shares: vendor === undefined ? [] : [{ name: vendor, share: [1, 1] }] };
}

/** Indices are counted to 10,000, as the guidelines of competition authorities do. */
const fullIndex = 10_000;

function layerOf(view: Layer["view"], layer: string, exposures: readonly Exposure[]): Layer {
  const { members, unknown, hhi, effective, top, exact } = concentration(exposures);
  const most = Number.isFinite(effective[1]) ? effective[1] : null;
  return {
    view,
    layer,
    members,
    unknown,
    hhi: [hhi[0] * fullIndex, hhi[1] * fullIndex],
    effective: [effective[0], most],
    top,
    exact,
  };
}

/** A target of which little was seen fails as often as all do: so many requests count for that belief. */
const priorRequests = 20;

/** The targets that the names callers used stand for now, with how often each fails by itself. */
function chainsOf(traffic: Traffic, { snapshot, traitsOf, groupsOf }: ConcentrationWish): readonly Chain[] {
  const valid = traffic.targets.reduce((sum, each) => sum + each.valid, 0);
  const usual = traffic.targets.reduce((sum, each) => sum + each.failed, 0) / Math.max(1, valid);
  const seen = new Map(traffic.targets.map((each) => [each.target.id, each]));
  const own = ({ id }: Target): number => {
    const { valid: asked = 0, failed = 0 } = seen.get(id) ?? {};
    return (failed + priorRequests * usual) / (asked + priorRequests);
  };
  return [...traffic.routes].flatMap(([name, weight]): Chain[] => {
    const found = weight > 0 ? findTargets({ names: [name] }, snapshot, traitsOf) : undefined;
    if (found?.kind !== "found") return [];
    const targets = found.targets.map((target) => ({ target: target.id, groups: groupsOf(target), own: own(target) }));
    return [{ name, weight, targets }];
  });
}
