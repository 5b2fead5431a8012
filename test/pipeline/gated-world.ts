import { expect } from "vitest";
import { defaultConfidence, type ConfidenceRule } from "#domain/confidence";
import type { CallRecord } from "#domain/record";
import type { NewReview } from "#domain/review";
import type { ProviderSpec, Route } from "#domain/snapshot";
import type { DataPlane } from "#pipeline/data-plane";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { done, PipelineWorld, type SentRequest } from "./pipeline-world.ts";

/** Natural logarithms; the prior makes more than 0.85 of the first and about a half of the second. */
export const sure = -0.0001;
export const unsure = -0.7;

export interface Setting {
  readonly rule?: Partial<ConfidenceRule>;
  readonly route?: Partial<Route>;
  readonly targets?: readonly string[];
  readonly plane?: Partial<DataPlane>;
  readonly provider?: (id: string) => Partial<ProviderSpec>;
}

const price = { input: 1_000, output: 1_000, from: { source: "test", date: "2026-11-21" } };
const models = new Map([["m", { ...sampleTraits("v/m", 200_000), price }]]);

export function gatedWorld({
  rule = {},
  route = {},
  targets = ["a/m", "b/m"],
  plane = {},
  provider,
}: Setting = {}): PipelineWorld {
  const world = new PipelineWorld(
    ["a", "b", "c", "j"].map((id) => sampleProvider(id, { operator: id, models, ...provider?.(id) })),
    [sampleRoute("main", targets, { confidence: { ...defaultConfidence, ...rule }, ...route })],
  );
  return Object.assign(world, { plane: { ...world.plane, ...plane } });
}

const content = (token: string, logprob: number): object => ({
  content: [{ token, logprob, bytes: [...Buffer.from(token)], top_logprobs: [] }],
  refusal: null,
});

export function whole(text: string, logprob?: number): object {
  return {
    id: "c1",
    object: "chat.completion",
    model: "m",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text },
        logprobs: logprob === undefined ? null : content(text, logprob),
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  };
}

const event = (choice: object): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, ...choice }] })}\n\n`;
export const told = (token: string, logprob: number): string =>
  event({ delta: { content: token }, logprobs: content(token, logprob), finish_reason: null });
export const finish = event({ delta: {}, logprobs: null, finish_reason: "stop" });

export function stream(sent: SentRequest, words: readonly (readonly [string, number])[]): void {
  sent.head();
  for (const [token, logprob] of words) sent.bytes(told(token, logprob));
  sent.bytes(finish + done).end();
}

export const bodyOf = (sent: SentRequest): Record<string, unknown> =>
  JSON.parse(Buffer.concat(sent.request.body ?? []).toString()) as Record<string, unknown>;

export const onlyRecord = (world: PipelineWorld): CallRecord => {
  expect(world.bugs).toEqual([]);
  expect(world.records).toHaveLength(1);
  const [record] = world.records;
  if (record === undefined) throw new Error("no record");
  return record;
};

/** Keeps reviews for a test to look at; nobody ever decides them. */
export function reviewsInto(kept: NewReview[]): Pick<DataPlane, "reviews"> {
  const reviews = {
    put: (review: NewReview) => kept.push(review) > 0,
    get: () => ({ kind: "unknown" as const }),
    isPending: () => false,
  };
  return { reviews };
}
