import { lowerBound, upperBound } from "#confidence/clopper-pearson";
import { reliabilityBins, reliabilityOf, type Outcome, type ReliabilityBin } from "#confidence/reliability";
import type { CalibrationKey, CalibrationNote } from "#domain/confidence";
import type { Snapshot } from "#domain/snapshot";
import { labelledAnswer } from "#control/confidence/training-rows";
import type { LabelsFile } from "#control/store/labels-file";
import type { TimeWindow } from "#control/store/read-attempts";
import { judgedCounts, readJudgedAnswersOf, type JudgedAnswer } from "#control/store/read-judged";
import { targetCounts, type TargetCounts } from "#control/store/read-traffic";
import type { LedgerReader } from "#control/store/sql";
import type { Row } from "#control/store/sqlite";

export interface ConfidenceReport {
  /** ISO 8601. */
  readonly from: string;
  readonly until: string;
  readonly rows: readonly ConfidenceRow[];
  readonly costs: readonly RouteCost[];
  /** Of all labelled answers of the rows, for a diagram. */
  readonly bins: readonly ReliabilityBin[];
}

/** Answers of one model as one tier of a route. Absent: not known, for want of labels. */
export interface ConfidenceRow {
  readonly route: string;
  readonly model: string;
  /** 0: nobody doubted an answer before. */
  readonly tier: number;
  readonly judged: number;
  /** Given because they were sure enough. */
  readonly accepted: number;
  readonly acceptRate: number;
  /** Answers that people, reviewers or verifiers judged; of accepted ones, and how many of those were right. */
  readonly labels: number;
  readonly acceptedLabels: number;
  readonly acceptedRight: number;
  readonly accuracy?: number;
  /** 95 %, Clopper–Pearson. */
  readonly accuracyLo?: number;
  readonly accuracyHi?: number;
  readonly ece?: number;
  readonly eceFloor?: number;
  readonly brier?: number;
  readonly auroc?: number;
  /** By what its newest score was calibrated. */
  readonly calibration: CalibrationNote["state"];
}

/** What a gated route cost, second opinions included, beside asking its last target always. */
export interface RouteCost {
  readonly route: string;
  readonly calls: number;
  /** Of calls whose cost is known. */
  readonly costNanoUsd: number;
  readonly unpriced: number;
  /** Its last target that is no last resort; absent: the configuration has no such route. */
  readonly last?: string;
  /** Mean over the answers it gave in this route; absent: unknown. */
  readonly lastNanoUsd?: number;
  /** Of what always asking it would have cost; absent where a cost is unknown. */
  readonly share?: number;
}

interface Sources {
  readonly store: LedgerReader;
  readonly labels: Pick<LabelsFile, "page"> | undefined;
  readonly routes: Snapshot["routes"];
}

const pageSize = 500;
const chanceEachSide = 0.025;

export async function confidenceReport(
  { store, labels, routes }: Sources,
  { route, ...window }: TimeWindow & { readonly route?: string },
): Promise<ConfidenceReport> {
  const rows = new Map<string, Sums>();
  const rowOf = ({ route: name, model, tier }: CalibrationKey, calibration: Sums["calibration"]): Sums => {
    const id = JSON.stringify([name, model, tier]);
    const fresh = { judged: 0, accepted: 0, outcomes: [], acceptedLabels: 0, right: 0, newestMs: 0, calibration };
    const row = rows.get(id) ?? { route: name, model, tier, ...fresh };
    rows.set(id, row);
    return row;
  };
  for (const { key, verdict, calibration, answers, newestMs } of await judgedCounts(store, window)) {
    if (route !== undefined && key.route !== route) continue;
    const row = rowOf(key, calibration);
    row.judged += answers;
    if (verdict === "accepted") row.accepted += answers;
    if (newestMs <= row.newestMs) continue;
    row.newestMs = newestMs;
    row.calibration = calibration;
  }
  await eachLabelled({ store, labels }, window, (answer, { correct, weight }) => {
    if (route !== undefined && answer.key.route !== route) return;
    const row = rowOf(answer.key, answer.calibration);
    if (answer.score !== null) row.outcomes.push({ probability: answer.score, correct, weight });
    if (answer.verdict !== "accepted") return;
    row.acceptedLabels += 1;
    row.right += correct;
  });
  const all = [...rows.values()];
  return {
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    rows: all
      .map(writtenRow)
      .toSorted((a, b) => compared(a.route, b.route) || a.tier - b.tier || compared(a.model, b.model)),
    costs: (await costsOf(store, window, routes)).filter((each) => route === undefined || each.route === route),
    bins: reliabilityBins(all.flatMap(({ outcomes }) => outcomes)),
  };
}

interface Sums extends Pick<CalibrationKey, "route" | "model" | "tier"> {
  calibration: CalibrationNote["state"];
  newestMs: number;
  judged: number;
  accepted: number;
  readonly outcomes: Outcome[];
  acceptedLabels: number;
  right: number;
}

interface Said {
  readonly correct: number;
  readonly weight: number;
}

/** Once for each labelled answer of the window: what was said last of it counts. */
async function eachLabelled(
  { store, labels }: Pick<Sources, "store" | "labels">,
  { fromMs, untilMs }: TimeWindow,
  visit: (answer: JudgedAnswer, said: Said) => void,
): Promise<void> {
  const seen = new Set<string>();
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = labels?.page(before, pageSize) ?? [];
    const answers = await readJudgedAnswersOf(store, [...new Set(page.map(({ callId }) => callId))]);
    for (const label of page) {
      const answer = labelledAnswer(label, answers.get(label.callId) ?? []);
      if (answer === undefined || answer.atMs < fromMs || answer.atMs >= untilMs) continue;
      const id = `${answer.callId} ${answer.number}`;
      if (seen.has(id) || label.weight === 0) continue;
      seen.add(id);
      visit(answer, label);
    }
    before = page.at(-1)?.seq ?? 0;
    // Nobody judges an answer before it was given: older labels are of calls before the window.
    if (page.length < pageSize || (page.at(-1)?.atMs ?? 0) < fromMs) return;
  }
}

function writtenRow(sums: Sums): ConfidenceRow {
  const { route, model, tier, judged, accepted, outcomes, acceptedLabels, right, calibration } = sums;
  const { ece, eceFloor, brier, auroc } = reliabilityOf(outcomes) ?? {};
  const tally = { successes: right, tries: acceptedLabels };
  return {
    route,
    model,
    tier,
    judged,
    accepted,
    acceptRate: judged === 0 ? 0 : accepted / judged,
    labels: outcomes.length,
    acceptedLabels,
    acceptedRight: right,
    ...(acceptedLabels === 0
      ? {}
      : {
          accuracy: right / acceptedLabels,
          accuracyLo: lowerBound(tally, chanceEachSide),
          accuracyHi: upperBound(tally, chanceEachSide),
        }),
    ...(ece === undefined ? {} : { ece }),
    ...(eceFloor === undefined ? {} : { eceFloor }),
    ...(brier === undefined ? {} : { brier }),
    ...(auroc === undefined ? {} : { auroc }),
    calibration,
  };
}

async function costsOf(
  store: LedgerReader,
  { fromMs, untilMs }: TimeWindow,
  routes: Snapshot["routes"],
): Promise<readonly RouteCost[]> {
  const gated = await store.all(
    `SELECT route, count(*) AS calls, coalesce(sum(cost_nano_usd), 0) AS cost,
       sum(CASE WHEN cost_nano_usd IS NULL THEN 1 ELSE 0 END) AS unpriced
     FROM calls WHERE decision <> 'shadow'
       AND id IN (SELECT call_id FROM attempts WHERE verdict IS NOT NULL AND judged_at_ms >= ? AND judged_at_ms < ?)
     GROUP BY route ORDER BY route`,
    fromMs,
    untilMs,
  );
  const counts = await targetCounts(store, { fromMs, untilMs });
  const written = (row: Row): RouteCost => {
    const route = String(row["route"]);
    const [calls, costNanoUsd, unpriced] = [Number(row["calls"]), Number(row["cost"]), Number(row["unpriced"])];
    const target = routes.get(route)?.targets.findLast(({ lastResort }) => !lastResort);
    const last = target === undefined ? undefined : `${target.provider}/${target.model}`;
    const mean = last === undefined ? undefined : meanCost(counts, route, last);
    const known = calls - unpriced;
    return {
      route,
      calls,
      costNanoUsd,
      unpriced,
      ...(last === undefined ? {} : { last }),
      ...(mean === undefined ? {} : { lastNanoUsd: mean }),
      ...(mean === undefined || mean === 0 || known === 0 ? {} : { share: costNanoUsd / known / mean }),
    };
  };
  return gated.map(written);
}

/** Of a target's answers in a route, as far as their cost is known, over the whole hours that the window touches. */
function meanCost(counts: readonly TargetCounts[], route: string, target: string): number | undefined {
  const own = counts.find((each) => each.route === route && each.target === target);
  const priced = own === undefined ? 0 : own.answered - own.unpriced;
  return own === undefined || priced === 0 ? undefined : own.costNanoUsd / priced;
}

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
