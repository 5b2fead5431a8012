import type { AnswerView, DecisionRule } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import { isObject } from "#confidence/json-value";
import { quotedExchange } from "./judge.ts";

/** Probabilities of classes that exclude one another add up to 1, but for rounding to 8 bits (bfloat16). */
const slack = 0.02;

/**
 * What a classifier is sent: conversation and answer as quoted data, as a judge is shown them. `POST …/predict` is the
 * language of Text Embeddings Inference (https://huggingface.github.io/text-embeddings-inference), every other address
 * that of vLLM's `/classify` (https://docs.vllm.ai, "Classification API").
 *
 * A text that is too long for the classifier is refused, not cut: both would cut its end, which is the answer, and score
 * the rest. vLLM refuses where nothing is said; the other server does as it was started.
 */
export function decisionBody(
  { url, model }: DecisionRule,
  asked: { readonly request: GenerateRequest; readonly view: AnswerView },
): object {
  const text = quotedExchange(asked);
  if (new URL(url).pathname.endsWith("/predict")) return { inputs: text, truncate: false };
  return { ...(model === undefined ? {} : { model }), input: text };
}

/** Log-odds (natural) that the answer is right, or why a reply tells none: words of the gateway's own. */
export type ReadDecision = { readonly logOdds: number } | { readonly why: string };

/**
 * The classifier's log-odds that the answer is right, from its probability and those of all other classes, so that a
 * probability near 1 loses nothing. Infinite where one of the two is 0.
 */
export function readDecision(json: unknown, right: DecisionRule["right"]): ReadDecision {
  const told = probabilitiesOf(json, right);
  if ("why" in told) return told;
  const { of, others } = told;
  if (![of, ...others].every((each) => each >= 0 && each <= 1))
    return { why: "it told scores that are no probabilities" };
  const rest = others.length === 0 ? 1 - of : others.reduce((sum, each) => sum + each, 0);
  if (Math.abs(of + rest - 1) > slack) return { why: "its probabilities do not add up to 1" };
  return { logOdds: Math.log(of) - Math.log(rest) };
}

/** Of the class of right answers, and of each other class. Of a single class the others are what it leaves. */
type Probabilities = { readonly of: number; readonly others: readonly number[] } | { readonly why: string };

const unreadable = { why: "it told no probabilities of classes" };
const unnamed = { why: "it told nothing of the class that `right` names" };

function probabilitiesOf(json: unknown, right: DecisionRule["right"]): Probabilities {
  const results: unknown = isObject(json) ? json["data"] : json;
  if (!Array.isArray(results)) return unreadable;
  if (isObject(json)) return isObject(results[0]) ? ofOne(results, amongClasses(results[0], right)) : unreadable;
  const name = typeof right === "number" ? `LABEL_${right}` : right;
  return Array.isArray(results[0])
    ? ofOne(results, amongLabels(results[0], name))
    : amongLabels(results as unknown[], name);
}

/** One text was sent: of several results nobody knows which is the answer's. */
function ofOne(results: readonly unknown[], told: Probabilities): Probabilities {
  return results.length === 1 ? told : { why: "it answered for several texts" };
}

/** `[{ label, score }, …]`: every class by its name, the likeliest first. */
function amongLabels(list: readonly unknown[], right: string): Probabilities {
  const of: number[] = [];
  const others: number[] = [];
  for (const each of list) {
    if (!isObject(each) || typeof each["score"] !== "number" || typeof each["label"] !== "string") return unreadable;
    (each["label"] === right ? of : others).push(each["score"]);
  }
  const [only] = of;
  return only === undefined || of.length > 1 ? unnamed : { of: only, others };
}

/** `{ label, probs }`: classes by number, and only the likeliest one's name, which of two tells both. */
function amongClasses({ label, probs }: Readonly<Record<string, unknown>>, right: string | number): Probabilities {
  if (!Array.isArray(probs) || !probs.every((each) => typeof each === "number")) return unreadable;
  const likeliest = probs.indexOf(Math.max(...probs));
  const named = label === right ? likeliest : probs.length === 2 ? 1 - likeliest : undefined;
  const index = typeof right === "number" ? right : typeof label === "string" ? named : undefined;
  const of = index === undefined ? undefined : probs[index];
  return of === undefined ? unnamed : { of, others: probs.filter((_, at) => at !== index) };
}
