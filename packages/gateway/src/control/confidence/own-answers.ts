import { logOddsOf, logOddsOfLogProbability } from "#confidence/log-odds";
import type { CalibrationKey, OutputShapeKind } from "#domain/confidence";
import { z } from "zod";
import type { TrainingRow } from "./training-rows.ts";

const shapes = ["label", "short", "long", "json", "tool"] as const satisfies readonly OutputShapeKind[];

/** One labelled answer, a line of JSON. */
const line = z.strictObject({
  model: z.string().min(1).max(512),
  route: z.string().min(1).max(512).exactOptional(),
  tier: z.int().min(0).max(100).exactOptional(),
  shape: z.enum(shapes).exactOptional(),
  signals: z
    .string()
    .regex(/^[a-z]+(?:\+[a-z]+)*$/u, "expected names of signals such as logprobs or agreement+logprobs")
    .exactOptional(),
  /** Log-odds, the principal one first. */
  features: z.array(z.number()).min(1).max(8).exactOptional(),
  /** Natural logarithm of the mean probability of the answer's tokens; null: nothing was told. */
  logprob: z.number().max(0).nullable().exactOptional(),
  /** A probability. */
  raw: z.number().min(0).max(1).exactOptional(),
  correct: z.union([z.boolean(), z.number().min(0).max(1)]),
});

export type OwnAnswersRead =
  | { readonly kind: "read"; readonly rows: readonly TrainingRow[] }
  /** `why` names the line. */
  | { readonly kind: "broken"; readonly why: string };

/**
 * Labelled answers of one's own, one JSON object a line; empty lines are passed over. Without a route a row speaks for its
 * model on every route.
 */
export function readOwnAnswers(text: string, name: string): OwnAnswersRead {
  const rows: TrainingRow[] = [];
  for (const [at, written] of text.split("\n").entries()) {
    if (written.trim() === "") continue;
    const row = readLine(written);
    if (typeof row === "string") return { kind: "broken", why: `${name}, line ${at + 1}: ${row}` };
    rows.push(row);
  }
  return { kind: "read", rows };
}

function readLine(written: string): TrainingRow | string {
  let json: unknown;
  try {
    json = JSON.parse(written);
  } catch {
    return "it is not JSON";
  }
  const read = line.safeParse(json);
  if (!read.success) return z.prettifyError(read.error).replaceAll(/\s+/gu, " ");
  const { model, route = "", tier = 0, shape = "short", signals = "logprobs", correct } = read.data;
  const features = featuresOf(read.data);
  if (features === undefined) return "say exactly one of `features` (log-odds), `logprob` and `raw`";
  const key: CalibrationKey = {
    tenant: "",
    route,
    model,
    tier,
    shape,
    signals: signals.split("+").toSorted().join("+"),
  };
  return {
    key,
    keyText: JSON.stringify(key),
    features,
    caller: "",
    correct: Number(correct),
    source: "human",
    weight: 1,
    propensity: 1,
    atMs: 0,
    told: null,
    isOwnWord: false,
    ofDoubted: false,
  };
}

function featuresOf({ features, logprob, raw }: z.infer<typeof line>): readonly number[] | undefined {
  const said = [features, logprob, raw].filter((each) => each !== undefined);
  if (said.length !== 1) return undefined;
  if (features !== undefined) return features;
  return [raw === undefined ? logOddsOfLogProbability(logprob ?? null) : logOddsOf(raw)];
}
