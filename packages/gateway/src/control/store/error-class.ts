import { traitsOf } from "#domain/failure";
import { evidenceOf } from "#policy/evidence";
import type { StoredAttempt } from "./read-attempts.ts";

/** What an attempt's end says of the provider; `client`: nothing, it was the caller's or our own doing. */
export type ErrorClass = "capacity" | "fault" | "timeout" | "client";

/** Undefined: the provider answered. An answer that a gate doubted or a guard blocked is an answer. */
export function errorClassOf({ failure, outcome }: Pick<StoredAttempt, "failure" | "outcome">): ErrorClass | undefined {
  // Who was only slower than another attempt of the call was let go by us.
  if (outcome === "outrun") return "client";
  if (failure === undefined) return undefined;
  if (traitsOf(failure).code === "upstream_timeout") return "timeout";
  const evidence = evidenceOf(failure);
  return evidence === "capacity" || evidence === "fault" ? evidence : "client";
}
