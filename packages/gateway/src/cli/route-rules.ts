import type { ConfidenceRule } from "#domain/confidence";
import type { Plan, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { hedgeOf } from "#policy/hedge";
import { isLastRung } from "#policy/ladder";
import { abortBillingOf } from "#providers/abort-billing";
import { sharesKind } from "#supply/overlap";
import { durationText } from "./duration-text.ts";
import { logprobsOf, type LogprobsIn } from "./log-probabilities.ts";
import { terminalLine } from "./terminal-text.ts";

/** What holds beside the order of a plan's targets. */
export interface RouteRules {
  /** Absent: every attempt has the call to itself. */
  readonly hedge?: HedgeFacts;
  readonly lastResorts: readonly LastResortFacts[];
  /** Absent: answers pass as they are. */
  readonly confidence?: ConfidenceFacts;
}

interface HedgeFacts {
  /** `p95`: what 95 of 100 calls to the first target take to their first content, once 50 calls told of it. */
  readonly after: number | "p95";
  readonly share: number;
  readonly withTools: boolean;
  /** Whom the second attempt may go to, in order. */
  readonly to: readonly string[];
  readonly notTo: readonly { readonly target: string; readonly why: string }[];
}

interface LastResortFacts {
  readonly target: string;
  /** On machines of one's own: asked whatever attempts and budgets say, and at once while nobody else can be reached. */
  readonly lastRung: boolean;
}

type OfRule = Pick<ConfidenceRule, "min" | "mode" | "delta" | "estimator" | "uncalibrated" | "exhausted" | "stream"> &
  Pick<ConfidenceRule, "trustLast" | "second" | "judge" | "maxCostNanoUsd" | "irreversibleTools" | "hedgeBelow">;

interface ConfidenceFacts extends OfRule {
  readonly verifier: boolean;
  readonly decision: boolean;
  readonly reviewDeadlineMs: number;
  readonly reviewOnTimeout: "refuse" | "best";
  /** By target: whether it is asked for log-probabilities, in each language it can be asked in. */
  readonly logprobs: Readonly<Record<string, readonly LogprobsIn[]>>;
}

interface Beside {
  readonly snapshot: Snapshot;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  /** Who is asked first. */
  readonly first: Target | undefined;
}

export function routeRules(plan: Plan, beside: Beside): RouteRules {
  const { groupsOf } = beside;
  const hedge = hedgeFacts(plan, beside);
  const lastResorts = plan.targets
    .filter(({ target }) => target.lastResort)
    .map(({ target }) => ({ target: target.id, lastRung: isLastRung(target, { groupsOf }) }));
  return {
    ...(hedge === undefined ? {} : { hedge }),
    lastResorts,
    ...(plan.confidence === undefined ? {} : { confidence: confidenceFacts(plan.confidence, plan, beside) }),
  };
}

function hedgeFacts(plan: Plan, { snapshot, groupsOf, first }: Beside): HedgeFacts | undefined {
  const rule = snapshot.routes.get(plan.route)?.hedge;
  if (rule === undefined || first === undefined) return undefined;
  const abortBilling = ({ provider }: Target) => abortBillingOf(snapshot.providers.get(provider)?.kind ?? "");
  // Whom it goes to does not hang on the time; the time that is learned is not known here.
  const hedge = hedgeOf({
    rule: { ...rule, afterMs: rule.afterMs ?? 1 },
    plan,
    first,
    operation: "generate",
    attempts: 0,
    hasTools: false,
    isHeld: false,
    latency: undefined,
    groupsOf,
    abortBilling,
  });
  const to = (hedge?.candidates ?? []).map(({ target }) => target.id);
  const why = (target: Target): string => {
    if (plan.maxAttempts < 2) return "a call has one attempt";
    if (abortBilling(first) === "runs") return `a cancelled answer of ${first.id} is billed in full`;
    if (target.lastResort) return "a last resort";
    if (abortBilling(target) === "runs") return "a cancelled answer is billed in full there";
    return operatorWords[sharesKind(groupsOf(first), groupsOf(target), "operator")];
  };
  const others = plan.targets.map(({ target }) => target).filter(({ id }) => id !== first.id && !to.includes(id));
  return {
    after: rule.afterMs ?? "p95",
    share: rule.share,
    withTools: rule.sideEffects,
    to,
    notTo: others.map((target) => ({ target: target.id, why: why(target) })),
  };
}

const operatorWords = {
  certain: "run by the same operator as the first",
  possible: "may be run by the same operator as the first",
  unknown: "nobody said who runs one of the two",
  none: "not free now",
} as const;

function confidenceFacts(rule: ConfidenceRule, plan: Plan, { snapshot }: Beside): ConfidenceFacts {
  const { verifier, decision, review, shadow: _, ...shown } = rule;
  const logprobs = plan.targets.flatMap(({ target }) => {
    const spec = snapshot.providers.get(target.provider);
    return spec === undefined ? [] : [[target.id, logprobsOf(target, spec)] as const];
  });
  return {
    ...shown,
    verifier: verifier !== undefined,
    decision: decision !== undefined,
    reviewDeadlineMs: review.deadlineMs,
    reviewOnTimeout: review.onTimeout,
    logprobs: Object.fromEntries(logprobs),
  };
}

/** For people: a few lines, each rule under its name. */
export function ruleLines({ hedge, lastResorts, confidence }: RouteRules): readonly string[] {
  return [
    ...under("hedge", hedge === undefined ? ["off: an attempt has the call to itself"] : hedgeLines(hedge)),
    ...under("last rung", lastRungLines(lastResorts)),
    ...under("confidence", confidence === undefined ? ["off: answers pass as they are"] : confidenceLines(confidence)),
  ].map(terminalLine);
}

const nameWidth = 12;

function under(name: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, at) => `  ${(at === 0 ? name : "").padEnd(nameWidth)}${line}`);
}

function hedgeLines({ after, share, withTools, to, notTo }: HedgeFacts): readonly string[] {
  const when = after === "p95" ? "what 95 of 100 calls to the first take (never before 50 calls)" : durationText(after);
  const most = `at most ${percent(share)} of the calls, ${withTools ? "with tools or without" : "none with tools"}`;
  return [
    to.length === 0
      ? "asked for, but nobody could be asked beside the first"
      : `to ${to.join(", else ")}; after ${when} without content`,
    ...(to.length === 0 ? [] : [most]),
    ...[...Map.groupBy(notTo, ({ why }) => why)].map(
      ([why, of]) => `not to ${of.map(({ target }) => target).join(", ")}: ${why}`,
    ),
  ];
}

function lastRungLines(lastResorts: readonly LastResortFacts[]): readonly string[] {
  if (lastResorts.length === 0) return ["none: when all have failed, the call is refused"];
  return lastResorts.map(({ target, lastRung }) =>
    lastRung
      ? `${target}: when all others failed, attempts used up or not; at once while nobody else can be reached`
      : `none of your own; ${target} is asked last, while attempts are left`,
  );
}

const untaught = {
  conservative: "scores are taken with caution",
  observe: "answers pass, and are scored",
  strict: "answers are doubted",
} as const;

const streamed = {
  hold: "held until the verdict",
  prefix: "decided on the first tokens that have log-probabilities",
  annotate: "let through, told at the end",
} as const;

function confidenceLines(facts: ConfidenceFacts): readonly string[] {
  const { min, mode, delta, uncalibrated, trustLast, maxCostNanoUsd, irreversibleTools, hedgeBelow, stream } = facts;
  const promise =
    mode === "pool"
      ? `of all answers given at least ${percent(min)} are right (pool; wrong about that in ${percent(delta)} of cases)`
      : `each answer given is right with at least ${percent(min)} (per answer)`;
  const falling = hedgeBelow === undefined ? "" : `; below ${percent(hedgeBelow)} the next target is asked beside`;
  return [
    promise,
    `judged by: ${signalWords(facts)}; before it has learned: ${untaught[uncalibrated]}`,
    ...(trustLast ? ["the last target's answer is given without anybody being paid to judge it"] : []),
    `nobody sure: ${exhaustedWords(facts)}`,
    `streams: ${streamed[stream]}${falling}`,
    ...(maxCostNanoUsd === undefined ? [] : [`nobody else is asked once a call cost ${maxCostNanoUsd / 1e9} USD`]),
    ...(irreversibleTools.length === 0 ? [] : [`calls of ${irreversibleTools.join(", ")} need 95 %, and proof`]),
    ...logprobLines(facts),
  ];
}

function signalWords({ estimator, verifier, decision, second, judge }: ConfidenceFacts): string {
  const own = verifier ? "your verifier" : undefined;
  const classified = decision ? "your classifier" : undefined;
  const compared = second === undefined ? undefined : `a second answer of ${second}`;
  const asked = judge === undefined ? undefined : `the judge ${judge}`;
  const byName = {
    logprobs: "log-probabilities",
    decision: classified,
    agreement: compared,
    judge: asked,
    verifier: own,
  };
  if (estimator !== "auto") return byName[estimator] ?? `${estimator}, but the rule names nobody to ask`;
  return [own, byName.logprobs, classified, compared, asked].filter((each) => each !== undefined).join(", else ");
}

function exhaustedWords({ exhausted, reviewDeadlineMs, reviewOnTimeout }: ConfidenceFacts): string {
  if (exhausted === "refuse") return "the call is refused (422 low_confidence)";
  if (exhausted === "best") return "the surest answer is given, and said to be doubted";
  const then = reviewOnTimeout === "refuse" ? "the review is refused" : "the surest answer is taken";
  return `a person decides within ${durationText(reviewDeadlineMs)}; after that ${then}`;
}

/** Only where they count; targets of which the same holds share a line. */
function logprobLines({ estimator, verifier, logprobs }: ConfidenceFacts): readonly string[] {
  if (estimator !== "logprobs" && (estimator !== "auto" || verifier)) return [];
  const byWords = Map.groupBy(Object.entries(logprobs), ([, languages]) => told(languages));
  return [...byWords].map(([words, of]) => `log-probabilities ${words}: ${of.map(([target]) => target).join(", ")}`);
}

function told(languages: readonly LogprobsIn[]): string {
  const [asked, others] = [true, false].map((is) => languages.filter(({ logprobs }) => (logprobs === "asked") === is));
  if (others === undefined || others.length === 0) return "asked for";
  if (asked !== undefined && asked.length > 0) return `asked for in ${names(asked)}, not in ${names(others)}`;
  return others.some(({ logprobs }) => logprobs === "refused")
    ? "not asked for, known to be refused"
    : `not asked for, ${names(others)} has none`;
}

function names(of: readonly LogprobsIn[]): string {
  return of.map(({ language }) => language).join(", ");
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
