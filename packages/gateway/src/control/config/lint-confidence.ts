import { leastRefused } from "#confidence/pool-threshold";
import type { CalibrationEntry } from "#domain/calibration";
import type { ConfidenceRule } from "#domain/confidence";
import type { Snapshot } from "#domain/snapshot";
import { mayTellLogprobs } from "#providers/logprob-hosts";
import type { RouteLint } from "./lint-input.ts";
import type { Finding } from "./problem.ts";

/** What of a route's gate can never work, or costs more than it says. */
export function lintConfidence(
  { route, path: routePath, links }: RouteLint,
  { calibration }: Pick<Snapshot, "calibration">,
): readonly Finding[] {
  const rule = route.confidence;
  if (rule === undefined) return [];
  const path = [...routePath, "confidence"];
  const findings: Finding[] = [];
  const own = calibration?.entries.filter(({ key }) => key.route === route.name) ?? [];
  const readsTokens = rule.estimator === "auto" || rule.estimator === "logprobs";
  const hasOther =
    rule.estimator === "auto" &&
    [rule.second, rule.decision, rule.judge, rule.verifier].some((each) => each !== undefined);
  if (readsTokens && !hasOther && links.length > 0 && links.every(({ spec }) => !mayTellLogprobs(spec.kind))) {
    const message = "no target tells log-probabilities, and nobody else is asked: no answer gets a score";
    findings.push({
      path,
      message,
      fix: "add `decision`, `second`, `judge` or `verifier`, or a target with log-probabilities",
    });
  }
  if (links.length === 1 && rule.exhausted === "best") {
    const message = "only one target, and a doubted answer is given all the same: the gate changes nothing";
    findings.push({ path, message, fix: "add a target, or write exhausted: review or refuse" });
  }
  if (rule.mode === "pool" && rule.uncalibrated !== "observe" && !isCertified(own, rule)) {
    const message = `no pool of this route is certified for ${rule.min} yet: every answer is doubted until labels say more`;
    findings.push({
      path: [...path, "mode"],
      message,
      fix: "write uncalibrated: observe until then, and send feedback",
    });
  }
  return [...findings, ...lintNonsense(rule, links, path), ...lintFeasible(own, rule, path)];
}

/** What can be written and cannot be meant. */
function lintNonsense(
  { min, maxCostNanoUsd, hedgeBelow, second, judge }: ConfidenceRule,
  links: RouteLint["links"],
  path: Finding["path"],
): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (field: string, message: string, fix: string): void => {
    findings.push({ path: [...path, field], message, fix });
  };
  if (min === 0) find("min", "every answer reaches 0: the gate changes nothing", "write what share has to be right");
  if (min === 1) find("min", "no answer is ever sure to be right: every one is doubted", "write 0.99 or less");
  if (maxCostNanoUsd === 0) {
    find("maxCost", "nobody but the first target is ever asked", "leave it out, or write what a call may cost");
  }
  if (hedgeBelow !== undefined && hedgeBelow > min) {
    const message = `answers between ${min} and ${hedgeBelow} are sure enough, and the next target is paid beside them`;
    find("hedgeBelow", message, "write `min` or less");
  }
  const [first] = links;
  if (second !== undefined && second === first?.target.id) {
    const message = "the first target's answers are compared with its own: it makes the same mistake twice";
    find("second", message, "name another model");
  }
  if (judge !== undefined && links.some(({ target }) => target.id === judge)) {
    find("judge", `${judge} judges its own answers`, "name another model");
  }
  return findings;
}

function isCertified(entries: readonly CalibrationEntry[], { min, delta }: ConfidenceRule): boolean {
  return entries.some(({ pools }) => pools.some((pool) => pool.min >= min && pool.delta <= delta));
}

/** Less is luck, or too little to plan by. */
const leastTold = 0.01;

/**
 * Whoever answers last has nobody behind: where its answers are wrong more often than the promise allows, any gate has to
 * refuse that much of what reaches it (arXiv 2606.29054).
 */
function lintFeasible(
  entries: readonly CalibrationEntry[],
  { min }: ConfidenceRule,
  path: Finding["path"],
): readonly Finding[] {
  const lastTier = Math.max(0, ...entries.map(({ key }) => key.tier ?? 0));
  return entries
    .filter(({ key, state }) => key.tier === lastTier && state !== "drift")
    .flatMap(({ key, quality: { accuracy, n } }) => {
      const refused = accuracy === undefined ? 0 : leastRefused(1 - accuracy, min);
      if (accuracy === undefined || refused < leastTold) return [];
      const wrong = `${percent(1 - accuracy)} of the ${n} labelled answers of ${key.model ?? "any model"} (${key.shape}) are wrong`;
      const message = `${wrong}: to keep ${min}, at least ${percent(refused)} of what reaches it has to be refused`;
      const fix = "name a better last target, lower `min`, or have people ready: exhausted: review";
      return [{ path: [...path, "min"], message, fix }];
    });
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
