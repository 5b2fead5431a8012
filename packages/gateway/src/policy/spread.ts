import { vendorOf } from "#catalogue/catalogue";
import type { FailureKind } from "#domain/failure";
import type { FailedTarget, PlannedTarget, SkippedTarget, Spread, SpreadRule, Target } from "#domain/plan";
import type { RiskGroup, RiskKind } from "#domain/supply";
import { groupText } from "#supply/graph";
import type { Sharing } from "#supply/overlap";
import { evidenceOf, type Evidence } from "./evidence.ts";
import { knownPair, type KnownPair } from "./known-pairs.ts";

/** How often one fails when the other does, as measured in own traffic: a share with its 95 % interval. */
export interface CoFailure {
  readonly beta: number;
  readonly lo: number;
  readonly hi: number;
  readonly events: number;
}

/** What is said and what was measured of targets failing together: two inputs, of which neither corrects the other. */
export interface SharedRisk {
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  readonly coFailure?: (failed: Target, candidate: Target) => CoFailure | undefined;
  /** What broke down that is no target of the call: asked for only once one of its own does not work. */
  readonly elsewhere?: () => readonly FailedTarget[];
}

interface Judged {
  /** By what is declared: 0 shares nothing that matters with what failed. */
  readonly overlap: number;
  /** By what was measured: the sum of the lower bounds that are no noise. */
  readonly measured: number;
  /** Why a strict rule leaves it out. */
  readonly barred?: string;
  /** In words, what it shares with what failed, or how it is apart. */
  readonly why: string;
}

export const defaultSpread: SpreadRule = { by: "operator", strict: false };

/** Below this lower bound, co-failure is as good as independence for an order of backups. */
const leastBeta = 0.1;
/** The same door is worse than the same people behind another, and what is certain worse than what is possible. */
const sameProvider = 4;
/** Less than any difference in model or owner. */
const operatorHint = 0.25;
/** Of answers that were doubted. */
const sameModel = 4;
const sameVendor = 2;
const ownerHint = 0.25;
const weights: Readonly<Record<Sharing, number>> = { certain: 2, possible: 1, none: 0, unknown: 0 };

/** `doubt`: the target works, and its answer was not trusted. That speaks against models of the same making, and nobody else. */
type Sign = Evidence | "doubt";

function signOf(cause: FailureKind): Sign | undefined {
  return cause === "low_confidence" ? "doubt" : evidenceOf(cause);
}

/** A candidate against everything that fails now. Nothing fails: undefined, for there is nothing to lean away from. */
function judge(
  candidate: Target,
  failed: readonly FailedTarget[],
  { rule, risk }: { readonly rule: SpreadRule; readonly risk: SharedRisk },
): Judged | undefined {
  if (rule.by === "none") return undefined;
  const telling = failed.flatMap((each) => {
    const evidence = each.target.id === candidate.id ? undefined : signOf(each.cause);
    return evidence === undefined ? [] : [{ ...each, evidence }];
  });
  if (telling.length === 0) return undefined;
  const groups = risk.groupsOf(candidate);
  let overlap = 0;
  let measured = 0;
  let barred: string | undefined;
  const words: string[] = [];
  for (const each of telling) {
    const pair: Pair = { known: knownPair(groups, risk.groupsOf(each.target)), by: rule.by };
    const points = overlapOf(pair, each);
    overlap += points;
    // What this call has nothing to do with is worth a word only where it counts, and bars nobody.
    if (each.elsewhere === true && points === 0) continue;
    const shared = sharing(pair, each.evidence);
    // An answer that was doubted is no sign that anything is down: whoever shares anything with its target may answer.
    if (rule.strict && each.elsewhere !== true && each.evidence !== "doubt" && shared !== undefined)
      barred ??= `${shared} with the failed one, ${nameOf(each)}`;
    // Of a refusal it counts what is scarce: the same people's other quota is another quota.
    words.push(
      shared === undefined || each.evidence === "capacity" || each.evidence === "doubt"
        ? apart(pair, each)
        : `${shared} with the failed one, ${nameOf(each)}`,
    );
    const beta = each.evidence === "doubt" ? undefined : risk.coFailure?.(each.target, candidate);
    if (beta === undefined) continue;
    if (beta.lo >= leastBeta) measured += beta.lo;
    words.push(`measured to fail in ${betaText(beta)} of the times ${each.target.id} does`);
  }
  return { overlap, measured, why: [...new Set(words)].join("; "), ...(barred === undefined ? {} : { barred }) };
}

interface Pair {
  readonly known: KnownPair;
  readonly by: Exclude<Spread, "none">;
}

function overlapOf(pair: Pair, { cause, evidence }: { cause: FailureKind; evidence: Sign }): number {
  const atSame = shares(pair, "provider") === "certain" ? sameProvider : 0;
  switch (evidence) {
    case "account":
      return cause === "credential_rejected" ? atSame : 0;
    case "fault":
      return atSame + weights[shares(pair, pair.by)];
    case "capacity":
      return cause === "quota_exhausted" ? atSame + scarcity(pair, cause) : scarcity(pair, cause);
    case "doubt":
      return likeness(pair);
  }
}

/** The same model gives the same answer, one of the same vendor is likelier to than a rival's, whoever runs it. */
function likeness(pair: Pair): number {
  const model = weights[shares(pair, "model")];
  const owner = weights[ownership(pair)];
  return model * sameModel + (isOfOneVendor(pair) ? sameVendor : 0) + owner * ownerHint;
}

function vendorsOf(groups: readonly RiskGroup[]): readonly string[] {
  return groups.flatMap(({ kind, name }) => (kind === "model" ? [vendorOf(name) ?? []].flat() : []));
}

function isOfOneVendor({ known }: Pair): boolean {
  const [candidate, failed] = [vendorsOf(known.candidate), vendorsOf(known.failed)];
  return candidate.some((vendor) => failed.includes(vendor));
}

/**
 * A model is scarce wherever it is asked for, machines are for whatever they serve. A limit of our own account is
 * escaped by another model or another owner; an overload is surer escaped by both. Shares of owners are rarely public: of
 * two that may share one, the same operator's is the likelier to.
 */
function scarcity(pair: Pair, cause: FailureKind): number {
  const model = weights[shares(pair, "model")];
  const owner = weights[ownership(pair)];
  if (cause !== "upstream_overloaded") return Math.min(model, owner);
  return model + owner + weights[shares(pair, "operator")] * operatorHint;
}

/** Nobody said whose machines they are: those of one operator are then one's. */
function ownership(pair: Pair): Sharing {
  const kinds: readonly RiskKind[] = ["owner", "operator", "provider"];
  return kinds.map((kind) => shares(pair, kind)).find((each) => each !== "unknown") ?? "unknown";
}

function shares({ known }: Pair, kind: RiskKind): Sharing {
  return known.shares(kind);
}

/** `shares operator:anthropic`: what the rule asks to keep apart, where it is not. One provider is one of everything. */
function sharing(pair: Pair, evidence: Sign): string | undefined {
  if (evidence === "account" && pair.by !== "provider") return undefined;
  const { common } = pair.known;
  const first = common.find(({ kind }) => kind === pair.by) ?? common.find(({ kind }) => kind === "provider");
  if (first === undefined) return undefined;
  return first.share[0] > 0 ? `shares ${groupText(first)}` : `may share ${groupText(first)} (${shareText(first)})`;
}

/** How a candidate is apart from what failed, where it is. */
function apart(pair: Pair, { cause, evidence, ...failed }: FailedTarget & { readonly evidence: Sign }): string {
  const from = `the failed one, ${nameOf({ ...failed, cause })}`;
  if (evidence === "doubt") return rival(pair, `the doubted one, ${failed.target.id}`);
  if (evidence === "account") return `only our account is at fault at ${from}`;
  if (evidence === "capacity") return `${elsewhere(pair)} ${from}`;
  const own = pair.known.candidate.filter(({ kind }) => kind === pair.by).map(groupText);
  if (own.length === 0) return `its ${pair.by} is unknown`;
  const isTold = shares(pair, pair.by) !== "unknown";
  return isTold
    ? `${own.join(", ")} is apart from ${from}`
    : `whether ${own.join(", ")} is apart from ${from} is unknown`;
}

function rival(pair: Pair, than: string): string {
  if (shares(pair, "model") === "certain") return `the same model as ${than}`;
  return isOfOneVendor(pair) ? `another model of the same vendor as ${than}` : `a rival of ${than}`;
}

function elsewhere(pair: Pair): string {
  const kinds: readonly RiskKind[] = ["model", "owner", "operator"];
  const other = kinds.find((kind) => shares(pair, kind) === "none");
  const group = pair.known.candidate.find(({ kind }) => kind === other);
  return group === undefined ? "perhaps as scarce as" : `another ${group.kind} (${group.name}) than`;
}

function nameOf({ target, cause, parked }: FailedTarget): string {
  const what = cause.replaceAll("_", " ");
  return `${target.id} (${parked === true ? `parked after ${what}` : what})`;
}

function shareText({ share: [lo, hi] }: RiskGroup): string {
  return `${percent(lo)} to ${percent(hi)} of it`;
}

function betaText({ beta, lo, hi, events }: CoFailure): string {
  return `${percent(beta)} [${percent(lo)}, ${percent(hi)}; ${events} ${events === 1 ? "event" : "events"}]`;
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** Candidates by how little they share with what fails now; ties stay in their order, and a last resort stays last. */
export function spreadOut(
  candidates: readonly PlannedTarget[],
  failed: readonly FailedTarget[],
  by: { readonly rule: SpreadRule; readonly risk: SharedRisk },
): { readonly order: readonly PlannedTarget[]; readonly barred: readonly SkippedTarget[] } {
  const met = failed.length === 0 ? failed : withElsewhere(failed, by.risk);
  const judged: { readonly planned: PlannedTarget; readonly overlap: number; readonly measured: number }[] = [];
  const barred: SkippedTarget[] = [];
  for (const planned of candidates) {
    const verdict = judge(planned.target, met, by);
    if (verdict?.barred !== undefined) barred.push({ target: planned.target.id, why: verdict.barred });
    else {
      const { overlap = 0, measured = 0, why = planned.why } = verdict ?? {};
      judged.push({ planned: { ...planned, why }, overlap, measured });
    }
  }
  const order = judged.toSorted(
    (a, b) =>
      Number(a.planned.parked ?? false) - Number(b.planned.parked ?? false) ||
      Number(a.planned.target.lastResort) - Number(b.planned.target.lastResort) ||
      a.overlap - b.overlap ||
      a.measured - b.measured,
  );
  return { order: order.map(({ planned }) => planned), barred };
}

/** What is known of the plan's own targets is known better. */
function withElsewhere(failed: readonly FailedTarget[], { elsewhere }: SharedRisk): readonly FailedTarget[] {
  const others = elsewhere?.() ?? [];
  if (others.length === 0) return failed;
  return [...failed, ...others.filter((other) => !failed.some(({ target }) => target.id === other.target.id))];
}
