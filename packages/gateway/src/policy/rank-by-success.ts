import type { FailedTarget, PlannedTarget, Target } from "#domain/plan";
import { betaPriors, relationOf } from "#supply/co-failure";
import { evidenceOf } from "./evidence.ts";
import type { Outlook } from "./recent-success.ts";
import { percent, type SharedRisk } from "./spread.ts";

export interface Ranking {
  readonly risk: SharedRisk;
  readonly outlookOf: (target: Target) => Outlook;
}

/**
 * Candidates by the chance that a call fails there, given what fails now: with its own share of failures, and with the
 * part of each failed one's outages that takes it along (β, as measured, else as expected of such a pair). A target that
 * shares everything with what failed so comes last however good its record is. Ties stay in their order.
 */
export function rankBySuccess(
  candidates: readonly PlannedTarget[],
  failed: readonly FailedTarget[],
  { risk, outlookOf }: Ranking,
): readonly PlannedTarget[] {
  const telling = failed.filter(({ cause }) => evidenceOf(cause) !== undefined);
  const ranked = candidates.map((planned) => {
    const outlook = outlookOf(planned.target);
    const others = telling.filter(({ target }) => target.id !== planned.target.id);
    const along = others.map(({ target }) => takenAlong(target, planned.target, risk));
    const failing = 1 - along.reduce((left, beta) => left * (1 - beta), 1 - outlook.failing);
    return { planned, outlook, failing };
  });
  const order = ranked.toSorted(
    (a, b) =>
      Number(a.planned.target.lastResort) - Number(b.planned.target.lastResort) ||
      Number(a.planned.parked === true) - Number(b.planned.parked === true) ||
      a.failing - b.failing,
  );
  return order.map(({ planned, outlook, failing }, at) => {
    const why = `number ${at + 1} by success: ${inWords(outlook, failing)}`;
    return Object.assign({}, planned, { why: telling.length > 0 ? `${why}; ${planned.why}` : why });
  });
}

function takenAlong(failed: Target, candidate: Target, risk: SharedRisk): number {
  const measured = risk.coFailure?.(failed, candidate);
  if (measured !== undefined) return measured.beta;
  const { alpha, gamma } = betaPriors[relationOf(risk.groupsOf(failed), risk.groupsOf(candidate))];
  return alpha / (alpha + gamma);
}

function inWords({ failing: own, calls, failures }: Outlook, failing: number): string {
  const late =
    calls < 0.5 ? "no calls of late" : `${Math.round(failures)} of ${Math.round(calls)} calls of late failed`;
  const share = `${percent(own)} expected to fail (${late})`;
  return failing - own < 0.000_5 ? share : `${share}, ${percent(failing)} together with what failed`;
}
