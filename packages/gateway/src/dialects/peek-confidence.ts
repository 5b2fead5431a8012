import type { ConfidenceWish } from "#domain/call";
import type { JsonObject, ShapeReader } from "./shape.ts";

const wishes = ["mode", "estimator", "uncalibrated", "exhausted", "stream", "max_cost_usd", "pending"];
const nanoPerUsd = 1e9;

/** `hedgerow.confidence`: what a caller says of the gate beside `min_confidence`. Undefined where it says nothing. */
export function readConfidenceWish(reader: ShapeReader, value: unknown): ConfidenceWish | undefined {
  const path = "hedgerow.confidence";
  const wish: JsonObject | undefined = reader.optionalObject(value, path);
  if (wish === undefined) return undefined;
  const unknown = Object.keys(wish).find((name) => !wishes.includes(name));
  if (unknown !== undefined) reader.refuse(`${path}.${unknown}`, `is not known; use ${wishes.join(", ")}`);
  const mode = reader.optionalOneOf(wish["mode"], `${path}.mode`, ["per_answer", "pool"]);
  const estimators = ["auto", "logprobs", "decision", "agreement", "judge", "verifier"] as const;
  const estimator = reader.optionalOneOf(wish["estimator"], `${path}.estimator`, estimators);
  const cold = ["conservative", "observe", "strict"] as const;
  const uncalibrated = reader.optionalOneOf(wish["uncalibrated"], `${path}.uncalibrated`, cold);
  const exhausted = reader.optionalOneOf(wish["exhausted"], `${path}.exhausted`, ["best", "review", "refuse"]);
  const stream = reader.optionalOneOf(wish["stream"], `${path}.stream`, ["hold", "prefix", "annotate"]);
  const maxCostUsd = reader.optionalNumber(wish["max_cost_usd"], `${path}.max_cost_usd`);
  if (maxCostUsd !== undefined && maxCostUsd < 0) reader.refuse(`${path}.max_cost_usd`, "must not be below 0");
  const pending = reader.optionalBoolean(wish["pending"], `${path}.pending`);
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(estimator === undefined ? {} : { estimator }),
    ...(uncalibrated === undefined ? {} : { uncalibrated }),
    ...(exhausted === undefined ? {} : { exhausted }),
    ...(stream === undefined ? {} : { stream }),
    ...(maxCostUsd === undefined ? {} : { maxCostNanoUsd: Math.round(maxCostUsd * nanoPerUsd) }),
    ...(pending === true ? { pending } : {}),
  };
}
