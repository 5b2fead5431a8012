import type { ConfigDocument } from "#control/config/schema";
import { defaultConfidence, type Judgement } from "#domain/confidence";
import type { Cell, ScoredAnswer } from "#simulation/cascades/judge-cells";
import type { StoredRow, StoredTask } from "#simulation/cascades/read-stored-answers";
import { inParallel } from "./in-parallel.ts";
import { storedProviderName, type Replayed, type ReplayGateway } from "./replay-gateway.ts";

type Routes = NonNullable<ConfigDocument["routes"]>;

/** As many calls at once as keep both cores busy. */
export const callsAtOnce = 32;

/** A cell whose answers went through the gateway, with what each of them cost there. */
export interface PlayedCell extends Cell {
  /** As calibrations are kept for it. */
  readonly canonical: string;
  /** By row: dollars of the answer alone, and with what judging it cost. */
  readonly usd: ReadonlyMap<string, { readonly answer: number; readonly all: number }>;
}

/** A route for each model of each task whose scores can be had: nothing is held back, everything is scored. */
export function scoringRoutes(tasks: readonly StoredTask[]): Routes {
  const routes: Routes = {};
  for (const task of tasks.filter(({ signal }) => signal !== "none")) {
    for (const model of task.models) {
      const target = `${storedProviderName}/${model}`;
      const asks =
        task.signal === "judge" ? { estimator: "judge" as const, judge: target } : { estimator: "logprobs" as const };
      routes[scoringRoute(task, model)] = {
        targets: [target],
        confidence: { min: defaultConfidence.min, uncalibrated: "observe", exhausted: "best", ...asks },
      };
    }
  }
  return routes;
}

function scoringRoute({ name }: StoredTask, model: string): string {
  return `score.${name}.${model}`;
}

/** Sends every row of a task to one model and keeps what the gateway thought of the answers. */
export async function scoreCell(gateway: ReplayGateway, task: StoredTask, model: string): Promise<PlayedCell> {
  const usd = new Map<string, { readonly answer: number; readonly all: number }>();
  let canonical = model;
  const answers = await inParallel(task.rows, callsAtOnce, async (row): Promise<ScoredAnswer> => {
    const replayed = await gateway.ask(scoringRoute(task, model), row);
    usd.set(row.id, costOf(replayed));
    canonical = judgementIn(replayed)?.key.model ?? canonical;
    return scored(row, model, replayed);
  });
  return { task: task.name, model, canonical, answers, usd };
}

const nanoPerUsd = 1e9;

function costOf({ record }: Replayed): { readonly answer: number; readonly all: number } {
  let [answer, all] = [0, 0];
  for (const { role, costNanoUsd = 0 } of record.attempts) {
    if (role === undefined) answer += costNanoUsd / nanoPerUsd;
    all += costNanoUsd / nanoPerUsd;
  }
  return { answer, all };
}

function judgementIn({ record }: Replayed): Judgement | undefined {
  return record.attempts.find(({ role, judgement }) => role === undefined && judgement !== undefined)?.judgement;
}

function scored(row: StoredRow, model: string, replayed: Replayed): ScoredAnswer {
  const judgement = judgementIn(replayed);
  const correct = row.answers.get(model)?.correct === true;
  if (judgement === undefined) {
    throw new Error(`row ${row.id} was not judged: status ${replayed.status}, ${replayed.record.code ?? "no code"}`);
  }
  const isGated = judgement.estimator === "gate" || judgement.raw === null;
  return { row: row.id, correct, raw: judgement.raw ?? 0, features: isGated ? [] : judgement.features };
}
