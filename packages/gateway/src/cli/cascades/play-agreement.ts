import type { ConfigDocument } from "#control/config/schema";
import type { TokenPrice } from "#simulation/cascades/prices";
import type { StoredTask } from "#simulation/cascades/read-stored-answers";
import { inParallel } from "./in-parallel.ts";
import { storedProviderName, type Replayed, type ReplayGateway } from "./replay-gateway.ts";
import { callsAtOnce } from "./score-cells.ts";

/** Two cheap models of different vendors, and the one that is asked where they differ. */
const agreeing = {
  first: "gpt-4o-mini-2024-07-18",
  second: "gemini-1.5-flash",
  strong: "claude-3-5-sonnet-20241022",
} as const;

/** Dollars a token: list prices of 2024, as the reference figures of these answers take them. */
export const listPrices: ReadonlyMap<string, TokenPrice> = new Map([
  [agreeing.first, { input: 0.15e-6, output: 0.6e-6 }],
  [agreeing.second, { input: 0.075e-6, output: 0.3e-6 }],
  [agreeing.strong, { input: 3e-6, output: 15e-6 }],
]);

export const agreementRouteName = "agreement";

export function agreementRoute(): NonNullable<ConfigDocument["routes"]>[string] {
  return {
    targets: [`${storedProviderName}/${agreeing.first}`, `${storedProviderName}/${agreeing.strong}`],
    confidence: {
      estimator: "agreement",
      second: `${storedProviderName}/${agreeing.second}`,
      exhausted: "best",
      trustLast: true,
    },
  };
}

export interface PlayedAgreement {
  readonly task: string;
  readonly questions: number;
  /** Share of the questions that the first two agreed on, and of those how many were right. */
  readonly agreed: number;
  readonly agreedAccuracy: number;
  readonly accuracy: number;
  readonly strongAccuracy: number;
  readonly firstAccuracy: number;
  /** Against asking the strong model always. */
  readonly costShare: number;
}

/** Nothing is fitted: the prior decides what agreement is worth. Undefined where one of the models has no answers. */
export async function playAgreement(gateway: ReplayGateway, task: StoredTask): Promise<PlayedAgreement | undefined> {
  if (Object.values(agreeing).some((model) => !task.models.includes(model))) return undefined;
  gateway.calibrate(undefined);
  const played = await inParallel(task.rows, callsAtOnce, async (row) => {
    const replayed = await gateway.ask(agreementRouteName, row);
    const answered = modelOf(replayed);
    const isRight = (model: string): number => Number(row.answers.get(model)?.correct === true);
    return {
      isAgreed: answered === agreeing.first,
      right: isRight(answered),
      first: isRight(agreeing.first),
      strong: isRight(agreeing.strong),
      cost: (replayed.record.costNanoUsd ?? Number.NaN) / 1e9,
      strongCost: usdOf(row.answers.get(agreeing.strong)),
    };
  });
  const sum = (of: (each: (typeof played)[number]) => number): number =>
    played.reduce((total, each) => total + of(each), 0);
  const agreed = sum(({ isAgreed }) => Number(isAgreed));
  const count = played.length;
  return {
    task: task.name,
    questions: count,
    agreed: agreed / count,
    agreedAccuracy: sum(({ isAgreed, right }) => (isAgreed ? right : 0)) / Math.max(1, agreed),
    accuracy: sum(({ right }) => right) / count,
    strongAccuracy: sum(({ strong }) => strong) / count,
    firstAccuracy: sum(({ first }) => first) / count,
    costShare: sum(({ cost }) => cost) / sum(({ strongCost }) => strongCost),
  };
}

function modelOf({ record, status }: Replayed): string {
  const answered = record.attempts.find(({ role, outcome }) => role === undefined && outcome === "answered");
  if (answered === undefined) throw new Error(`nobody answered: status ${status}`);
  return answered.model;
}

function usdOf(answer: { readonly inputTokens: number; readonly outputTokens: number } | undefined): number {
  const price = listPrices.get(agreeing.strong);
  if (answer === undefined || price === undefined) return Number.NaN;
  return answer.inputTokens * price.input + answer.outputTokens * price.output;
}
