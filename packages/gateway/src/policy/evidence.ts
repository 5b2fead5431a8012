import { traitsOf, type FailureKind } from "#domain/failure";

/**
 * What a failure says of those who share something with the target: `capacity` of the same model and the same machines,
 * `fault` of everything the same people run, `account` of nobody but our own account there. Undefined: of nobody.
 */
export type Evidence = "capacity" | "fault" | "account";

const refusals: ReadonlySet<FailureKind> = new Set([
  "rate_limited",
  "slow_down",
  "upstream_overloaded",
  "quota_exhausted",
]);
const standing: ReadonlySet<FailureKind> = new Set(["credential_rejected", "upstream_forbidden", "model_unavailable"]);

export function evidenceOf(kind: FailureKind): Evidence | undefined {
  const { blame, health } = traitsOf(kind);
  if (blame !== "upstream" || health === "none") return undefined;
  if (refusals.has(kind)) return "capacity";
  return standing.has(kind) ? "account" : "fault";
}
