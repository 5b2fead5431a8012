import { abortBillingOf } from "#providers/abort-billing";
import { sharesKind } from "#supply/overlap";
import type { RouteLint } from "./lint-input.ts";
import type { Finding } from "./problem.ts";

/** A route that asks for hedging and cannot have it. */
export function lintHedge({ route, path, links }: RouteLint): readonly Finding[] {
  const [first, ...others] = links;
  if (route.hedge === undefined || first === undefined) return [];
  const find = (message: string, fix: string): readonly Finding[] => [{ path: [...path, "hedge"], message, fix }];
  if (route.maxAttempts < 2)
    return find("a call of one attempt is never hedged", "set retries: { attempts: 2 } or more");
  if (abortBillingOf(first.spec.kind) === "runs") {
    const message = `${first.target.id} is never hedged: a cancelled answer is billed in full there`;
    return find(message, "drop `hedge`, or put another target first");
  }
  const apart = others.filter(
    ({ target, groups }) => !target.lastResort && sharesKind(first.groups, groups, "operator") === "none",
  );
  if (apart.length === 0) {
    const message = `nobody to hedge with: no other target is known to be run by somebody else than ${first.target.id}`;
    return find(message, "add a target at another operator, or say `operator` of the providers");
  }
  if (apart.every(({ spec }) => abortBillingOf(spec.kind) === "runs")) {
    const message = "nobody to hedge with: a cancelled answer of every other target is billed in full";
    return find(message, "add a target whose bill ends with the connection: see docs/survival.md");
  }
  return [];
}
