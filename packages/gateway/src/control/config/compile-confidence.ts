import {
  defaultConfidence,
  type ConfidenceRule,
  type DecisionRule,
  type HookRule,
  type ReviewRule,
} from "#domain/confidence";
import type { Report } from "./compile-context.ts";
import { checkPosted } from "./compile-forward.ts";
import { defaultVerifierTimeoutMs } from "./confidence-schema.ts";
import { suggestion } from "./nearest.ts";
import type { ConfidenceEntry } from "./schema.ts";

interface RouteConfidence {
  readonly route: string;
  readonly entry: ConfidenceEntry;
}

export function compileConfidence(
  { route, entry }: RouteConfidence,
  providers: readonly string[],
  report: Report,
): ConfidenceRule {
  const path = ["routes", route, "confidence"];
  for (const role of ["second", "judge"] as const) {
    const written = entry[role];
    if (written === undefined) continue;
    const provider = written.slice(0, written.indexOf("/"));
    if (providers.includes(provider)) continue;
    report([...path, role], `no provider ${JSON.stringify(provider)}`, suggestion(provider, providers, "providers"));
  }
  if (entry.verifier !== undefined) checkPosted(entry.verifier.url, [...path, "verifier", "url"], report);
  if (entry.decision !== undefined) checkPosted(entry.decision.url, [...path, "decision", "url"], report);
  const webhook = entry.review?.webhook;
  if (webhook !== undefined) checkPosted(webhook.url, [...path, "review", "webhook", "url"], report);
  for (const [estimator, role] of [
    ["agreement", "second"],
    ["decision", "decision"],
    ["judge", "judge"],
    ["verifier", "verifier"],
  ] as const) {
    if (entry.estimator !== estimator || entry[role] !== undefined) continue;
    report([...path, "estimator"], `${estimator} needs somebody to ask`, `add \`${role}\`, or write auto`);
  }
  return compileRule(entry);
}

function compileRule(entry: ConfidenceEntry): ConfidenceRule {
  const { verifier, decision, maxCost, review, ...rest } = entry;
  return {
    ...defaultConfidence,
    ...rest,
    ...(verifier === undefined
      ? {}
      : { verifier: { ...hookOf(verifier), timeoutMs: verifier.timeout ?? defaultVerifierTimeoutMs } }),
    ...(decision === undefined ? {} : { decision: decisionOf(decision) }),
    ...(maxCost === undefined ? {} : { maxCostNanoUsd: maxCost }),
    review: reviewOf(review ?? {}),
  };
}

function reviewOf({ deadline, webhook, ...rest }: NonNullable<ConfidenceEntry["review"]>): ReviewRule {
  return {
    ...defaultConfidence.review,
    ...rest,
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(webhook === undefined ? {} : { webhook: hookOf(webhook) }),
  };
}

function decisionOf({ url, key, model, right, timeout }: NonNullable<ConfidenceEntry["decision"]>): DecisionRule {
  return {
    ...hookOf({ url, ...(key === undefined ? {} : { key }) }),
    ...(model === undefined ? {} : { model }),
    right,
    timeoutMs: timeout ?? defaultVerifierTimeoutMs,
  };
}

function hookOf({ url, key }: HookRule): HookRule {
  return { url, ...(key === undefined ? {} : { key }) };
}
