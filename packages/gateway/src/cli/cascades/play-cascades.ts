import type { ConfigDocument } from "#control/config/schema";
import { calibrationVersion } from "#confidence/calibration-file";
import type { CalibrationEntry, CalibrationSet } from "#domain/calibration";
import { halvesOf } from "#simulation/cascades/halves";
import { told, type ScoredAnswer } from "#simulation/cascades/judge-cells";
import {
  figuresOf,
  meanOf,
  tune,
  type Pair,
  type PolicyFigures,
  type Tuned,
} from "#simulation/cascades/judge-cascades";
import type { StoredRow, StoredTask } from "#simulation/cascades/read-stored-answers";
import { seededChance } from "#simulation/outages/seeded-chance";
import { globalPrior } from "#confidence/calibrator";
import { inParallel } from "./in-parallel.ts";
import { storedProviderName, type Replayed, type ReplayGateway } from "./replay-gateway.ts";
import { callsAtOnce, type PlayedCell } from "./score-cells.ts";

export interface Tiers {
  readonly weak: string;
  readonly strong: string;
}

/** Two tiers of one task, of which the second is not judged: it is asked because the first was doubted. */
export function cascadeRoute(task: StoredTask, { weak, strong }: Tiers): NonNullable<ConfigDocument["routes"]>[string] {
  const asks =
    task.signal === "judge"
      ? { estimator: "judge" as const, judge: `${storedProviderName}/${weak}` }
      : { estimator: "logprobs" as const };
  return {
    targets: [`${storedProviderName}/${weak}`, `${storedProviderName}/${strong}`],
    confidence: { ...asks, exhausted: "best", trustLast: true },
  };
}

export function cascadeRouteName({ name }: StoredTask): string {
  return `cascade.${name}`;
}

/** Figures of one policy over the test halves of all seeds. */
export interface PolicyRow {
  readonly policy: string;
  readonly figures: PolicyFigures;
}

export interface PlayedCascade extends Tiers {
  readonly task: string;
  readonly rows: readonly PolicyRow[];
  /** Calls through the gateway, and those whose verdict was another than the same calibrator says outside of it. */
  readonly calls: number;
  readonly surprises: number;
}

export interface CascadeTerms {
  readonly seeds: number;
  readonly promise: number;
  /** Share of the strong model's accuracy that the threshold has to keep on the calibration half. */
  readonly keepShare: number;
  readonly onSeed: () => void;
}

/** Our own policy's name in tables. */
export const tunedPolicy = "gateway, threshold from calibration data";

/** Plays a cascade through the gateway on the test half of each seed, and other policies beside it. */
export async function playCascade(
  gateway: ReplayGateway,
  { task, weak, strong }: { readonly task: StoredTask; readonly weak: PlayedCell; readonly strong: PlayedCell },
  terms: CascadeTerms,
): Promise<PlayedCascade> {
  const pairs = pairsOf(weak, strong);
  const byId = new Map(task.rows.map((row) => [row.id, row]));
  const sums = new Map<string, PolicyFigures[]>();
  const note = (policy: string, figures: PolicyFigures): void => {
    sums.set(policy, [...(sums.get(policy) ?? []), figures]);
  };
  let [calls, surprises] = [0, 0];
  for (let seed = 0; seed < terms.seeds; seed += 1) {
    const { calibration, test } = halvesOf(pairs, seed);
    const tuned = tune(calibration, terms.keepShare);
    gateway.calibrate(calibrationsOf(tuned, { task, weak }));
    const wired = await inParallel(test, callsAtOnce, async (pair) => {
      const row = byId.get(pair.row);
      if (row === undefined) throw new Error(`no row ${pair.row}`);
      return gateway.ask(cascadeRouteName(task), row, tuned.min);
    });
    note(tunedPolicy, wiredFigures(test, wired, byId));
    const expected = (pair: Pair): boolean => told(tuned.fit?.calibrator ?? globalPrior, pair.weak) >= tuned.min;
    calls += test.length;
    surprises += test.filter((pair, at) => expected(pair) !== keptBy(wired[at], weak.model)).length;
    noteOthers({ test, tuned, seed, promise: terms.promise }, note);
    terms.onSeed();
  }
  const rows = [...sums].map(([policy, figures]) => ({ policy, figures: meanOf(figures) }));
  return { task: task.name, weak: weak.model, strong: strong.model, rows, calls, surprises };
}

interface Others {
  readonly test: readonly Pair[];
  readonly tuned: Tuned;
  readonly seed: number;
  readonly promise: number;
}

/** What the same answers give under policies that need no gateway. */
function noteOthers(
  { test, tuned, seed, promise }: Others,
  note: (policy: string, figures: PolicyFigures) => void,
): void {
  const calibrator = tuned.fit?.calibrator ?? globalPrior;
  note(
    "gateway, calibrated 0.85 for each answer",
    figuresOf(test, { keeps: ({ weak }) => told(calibrator, weak) >= promise }),
  );
  note("raw score of 0.85", figuresOf(test, { keeps: ({ weak }) => weak.raw >= promise }));
  note("always the weak model", figuresOf(test, { keeps: () => true }));
  note("always the strong model", figuresOf(test, { keeps: () => false, weakUsd: () => 0 }));
  const chance = seededChance(seed + 1);
  const share = test.filter(({ weak }) => told(calibrator, weak) >= tuned.min).length / test.length;
  // A router that looks at nothing: it never pays for both.
  const drawn = new Map(test.map((pair) => [pair, chance() < share]));
  const isDrawn = (pair: Pair): boolean => drawn.get(pair) === true;
  note(
    "at random, as often",
    figuresOf(test, { keeps: isDrawn, weakUsd: (pair) => (isDrawn(pair) ? pair.weakUsd : 0) }),
  );
  note("oracle", figuresOf(test, { keeps: ({ weak, strongIsRight }) => weak.correct || !strongIsRight }));
}

function pairsOf(weak: PlayedCell, strong: PlayedCell): readonly Pair[] {
  const strongs = new Map(strong.answers.map((answer) => [answer.row, answer]));
  return weak.answers.map((answer: ScoredAnswer) => ({
    row: answer.row,
    weak: answer,
    weakUsd: weak.usd.get(answer.row)?.all ?? 0,
    strongIsRight: strongs.get(answer.row)?.correct === true,
    strongUsd: strong.usd.get(answer.row)?.answer ?? 0,
  }));
}

function calibrationsOf(
  { fit }: Tuned,
  { task, weak }: { readonly task: StoredTask; readonly weak: PlayedCell },
): CalibrationSet | undefined {
  if (fit === undefined) return undefined;
  const signals = task.signal === "judge" ? "judge" : "logprobs";
  const shapes = ["label", "short", "long", "json", "tool"] as const;
  const entries = shapes.map((shape): CalibrationEntry => ({
    key: { shape, signals, model: weak.canonical },
    calibrator: fit.calibrator,
    quality: fit.quality,
    reference: fit.reference,
    pools: [],
    state: "ok",
    fittedAt: new Date(0).toISOString(),
  }));
  return { version: calibrationVersion(entries), entries };
}

function keptBy(replayed: Replayed | undefined, weak: string): boolean {
  return (
    replayed?.record.attempts.some(
      ({ model, outcome, role }) => role === undefined && model === weak && outcome === "answered",
    ) === true
  );
}

const nanoPerUsd = 1e9;

/** What callers got and what it cost, by the records; correctness by the stored verdict on the very text they got. */
function wiredFigures(
  test: readonly Pair[],
  wired: readonly Replayed[],
  rows: ReadonlyMap<string, StoredRow>,
): PolicyFigures {
  let [right, cost, kept, strongRight, strongCost] = [0, 0, 0, 0, 0];
  for (const [at, pair] of test.entries()) {
    const replayed = wired[at];
    const answered = replayed?.record.attempts.find(
      ({ outcome, role }) => role === undefined && outcome === "answered",
    );
    const stored = answered === undefined ? undefined : rows.get(pair.row)?.answers.get(answered.model);
    if (replayed === undefined || stored === undefined || stored.text !== replayed.text) {
      throw new Error(
        `row ${pair.row} was answered with status ${replayed?.status ?? 0} by ${answered?.model ?? "nobody"}`,
      );
    }
    right += Number(stored.correct);
    kept += Number(replayed.record.attempts.length > 0 && answered === replayed.record.attempts[0]);
    cost += (replayed.record.costNanoUsd ?? Number.NaN) / nanoPerUsd;
    strongRight += Number(pair.strongIsRight);
    strongCost += pair.strongUsd;
  }
  return {
    accuracy: right / test.length,
    accuracyShare: right / Math.max(1, strongRight),
    costShare: cost / strongCost,
    kept: kept / test.length,
  };
}
