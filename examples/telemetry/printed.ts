import type { Outcome } from "./judge-batch.ts";
import { isSame, shown } from "./verdict.ts";

/** US dollars by request id. */
export type Costs = ReadonlyMap<string, number>;

/** One line for each batch. */
export function outcomeTable(outcomes: readonly Outcome[], costs: Costs): string {
  const rows = outcomes.map(({ batch, verdict, by, confidence, decision, attempts, requestId = "" }) => {
    const mark = verdict === undefined ? "" : isSame(verdict, batch.truth) ? "" : "  <- wrong";
    return [
      batch.id,
      shown(batch.truth),
      verdict === undefined ? "-" : shown(verdict),
      by ?? "a person has to",
      typeof confidence === "number" ? cut(confidence) : "-",
      decision,
      String(attempts),
      `${dollars(costs.get(requestId))}${mark}`,
    ];
  });
  return aligned([["BATCH", "TRUTH", "VERDICT", "ANSWERED BY", "CONFIDENCE", "DECISION", "ATTEMPTS", "COST"], ...rows]);
}

export interface Tally {
  readonly batches: number;
  readonly accepted: number;
  readonly acceptedRight: number;
  readonly escalated: number;
  readonly reviews: number;
  /** Undefined where one call's cost is not known. */
  readonly costUsd: number | undefined;
}

export function tallyOf(outcomes: readonly Outcome[], costs: Costs): Tally {
  const accepted = outcomes.filter(({ decision }) => decision !== "review");
  const each = outcomes.map(({ requestId = "" }) => costs.get(requestId));
  return {
    batches: outcomes.length,
    accepted: accepted.length,
    acceptedRight: accepted.filter(({ verdict, batch }) => isSame(verdict, batch.truth)).length,
    escalated: outcomes.filter(({ decision }) => decision === "escalated").length,
    reviews: outcomes.length - accepted.length,
    costUsd: each.reduce((sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost), 0),
  };
}

/** @param alone of the same batches, asked of the second model alone */
export function summary(tally: Tally, alone: Tally | undefined): string {
  const { batches, accepted, acceptedRight, escalated, reviews, costUsd } = tally;
  const lines = [
    `Accepted without a person  ${accepted} of ${batches}, ${acceptedRight} of them right (${share(acceptedRight, accepted)})`,
    `Settled by the rival       ${escalated} (${share(escalated, batches)})`,
    `Left to a person           ${reviews} (${share(reviews, batches)})`,
    `Cost                       ${dollars(costUsd)}`,
  ];
  if (alone === undefined) return lines.join("\n");
  const times =
    costUsd === undefined || !alone.costUsd
      ? ""
      : `; all of the above cost ${(costUsd / alone.costUsd).toFixed(2)} times that`;
  return [
    ...lines,
    `The second model alone     ${alone.acceptedRight} of ${alone.accepted} right (${share(alone.acceptedRight, alone.accepted)}), none left to a person, ${dollars(alone.costUsd)}${times}`,
  ].join("\n");
}

function share(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Cut, not rounded: what is below a threshold has to look it. */
function cut(confidence: number): string {
  return (Math.floor(confidence * 1000 + 1e-9) / 1000).toFixed(3);
}

function dollars(cost: number | undefined): string {
  return cost === undefined ? "unknown" : `$${cost.toFixed(5)}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, at) => Math.max(cell.length, widest[at] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
