import type { AnswerView, DecisionRule } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import { isObject } from "#confidence/json-value";
import { quotedExchange } from "./judge.ts";

/** Probabilities of classes that exclude one another add up to 1, but for rounding. */
const slack = 0.02;

/**
 * What a classifier is sent: conversation and answer as quoted data, as a judge is shown them. `POST …/predict` is the
 * language of Text Embeddings Inference (https://huggingface.github.io/text-embeddings-inference), every other address
 * that of vLLM's `/classify` (https://docs.vllm.ai, "Classification API").
 */
export function decisionBody(
  { url, model }: DecisionRule,
  asked: { readonly request: GenerateRequest; readonly view: AnswerView },
): object {
  const text = quotedExchange(asked);
  if (new URL(url).pathname.endsWith("/predict")) return { inputs: text, truncate: true };
  return { ...(model === undefined ? {} : { model }), input: text };
}

/**
 * The classifier's log-odds that the answer is right, from its probability and those of all other classes, so that a
 * probability near 1 loses nothing. Undefined for anything that is no such reply.
 */
export function readDecision(json: unknown, right: DecisionRule["right"]): number | undefined {
  const probabilities = probabilitiesOf(json, right);
  if (probabilities === undefined) return undefined;
  const { of, others } = probabilities;
  const all = [of, ...others];
  if (!all.every((each) => Number.isFinite(each) && each >= 0 && each <= 1)) return undefined;
  const rest = others.length === 0 ? 1 - of : others.reduce((sum, each) => sum + each, 0);
  if (Math.abs(of + rest - 1) > slack) return undefined;
  return Math.log(of) - Math.log(rest);
}

interface Probabilities {
  readonly of: number;
  readonly others: readonly number[];
}

function probabilitiesOf(json: unknown, right: DecisionRule["right"]): Probabilities | undefined {
  const list = Array.isArray(json) && Array.isArray(json[0]) ? (json[0] as unknown[]) : json;
  if (Array.isArray(list)) return amongLabels(list, typeof right === "number" ? `LABEL_${right}` : right);
  const first = isObject(json) && Array.isArray(json["data"]) ? (json["data"] as unknown[])[0] : undefined;
  return isObject(first) ? amongClasses(first, right) : undefined;
}

/** `[{ label, score }, …]`: every class by its name. */
function amongLabels(list: readonly unknown[], right: string): Probabilities | undefined {
  let of: number | undefined;
  const others: number[] = [];
  for (const each of list) {
    if (!isObject(each) || typeof each["score"] !== "number" || typeof each["label"] !== "string") return undefined;
    if (each["label"] === right && of === undefined) of = each["score"];
    else others.push(each["score"]);
  }
  return of === undefined ? undefined : { of, others };
}

/** `{ label, probs }`: classes by number, and only the likeliest one's name, which of two tells both. */
function amongClasses(
  { label, probs }: Readonly<Record<string, unknown>>,
  right: string | number,
): Probabilities | undefined {
  if (!Array.isArray(probs) || !probs.every((each) => typeof each === "number")) return undefined;
  const likeliest = probs.indexOf(Math.max(...probs));
  const named = label === right ? likeliest : probs.length === 2 ? 1 - likeliest : undefined;
  const index = typeof right === "number" ? right : typeof label === "string" ? named : undefined;
  const of = index === undefined ? undefined : probs[index];
  return of === undefined ? undefined : { of, others: probs.filter((_, at) => at !== index) };
}
