import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { logOddsOfLogProbability } from "#confidence/log-odds";
import { seededChance } from "#simulation/outages/seeded-chance";

const shared = process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../shared");
export const folder = join(shared, "data/cascades/rational-llm-cascades");
export const isThere = existsSync(join(folder, "mmlu.jsonl.gz"));

const routes = ["mmlu", "triviaqa", "gsm8k"] as const;

export interface StoredAnswer {
  /** Raw score, in log-odds. */
  readonly z: number;
  readonly correct: 0 | 1;
}

/** A model's answers on one route. */
export interface Cell {
  readonly route: string;
  readonly model: string;
  readonly answers: readonly StoredAnswer[];
}

interface Line {
  readonly models: Readonly<Record<string, { readonly correct: 0 | 1; readonly conf_log: number | null }>>;
}

/** Real answers of seven models of 2024 to three sets of questions, read where they lie: their licence lets no row in here. */
export function readCells(): readonly Cell[] {
  return routes.flatMap((route) => {
    const text = gunzipSync(readFileSync(join(folder, `${route}.jsonl.gz`))).toString();
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    return Object.keys(lines[0]?.models ?? {}).map((model) => ({
      route,
      model,
      answers: lines.flatMap(({ models }) => {
        const answer = models[model];
        return answer === undefined ? [] : [{ z: logOddsOfLogProbability(answer.conf_log), correct: answer.correct }];
      }),
    }));
  });
}

export interface Halves {
  readonly calibration: readonly StoredAnswer[];
  readonly test: readonly StoredAnswer[];
}

/** Shuffled from the end down (Fisher and Yates), the place by ⌊chance · (at + 1)⌋ of mulberry32 from the seed; then cut. */
export function halvesOf(answers: readonly StoredAnswer[], seed: number): Halves {
  const chance = seededChance(seed);
  const shuffled = [...answers];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = Math.floor(chance() * (at + 1));
    const [one, two] = [shuffled[at], shuffled[other]];
    if (one === undefined || two === undefined) continue;
    shuffled[at] = two;
    shuffled[other] = one;
  }
  const half = shuffled.length >> 1;
  return { calibration: shuffled.slice(0, half), test: shuffled.slice(half) };
}
