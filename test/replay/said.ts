import type { FinishReason } from "#domain/answer";
import type { JsonView } from "./json-view.ts";
import { countOf, objectOf } from "./json-view.ts";
import type { Meaning } from "./meaning.ts";

/** Why an answer ended: the hub's words, of which most languages tell only some apart. */
export type Ending = FinishReason;

/** What an answer says in any language: what no translation may change. */
export interface Said {
  readonly text: string;
  /** The model's own words of refusal, where its language keeps them apart from the text. */
  readonly refusal: string;
  readonly reasoning: string;
  /** `id` is empty where the language has none. */
  readonly tools: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly ending: Ending;
  /** The stop sequence that was met, where that is said. */
  readonly stopSequence: string | undefined;
  /** All prompt tokens, those of them that a cache gave, all generated tokens; undefined where nothing was reported. */
  readonly usage: Counts | undefined;
}

export interface Counts {
  readonly prompt: number;
  readonly cacheRead: number;
  readonly completion: number;
}

/** The first of these places that holds a number, else 0. */
export function firstCount(...values: readonly unknown[]): number {
  return values.map(countOf).find((count) => count !== undefined) ?? 0;
}

/** A report can hold more cached tokens than tokens (Grok on Azure, recorded 29 times). */
export function countsOf(counts: Counts): Counts {
  return { ...counts, cacheRead: Math.min(counts.cacheRead, counts.prompt) };
}

export function saidBy(
  { text, refusal, reasoning, tools, stopSequence }: Meaning,
  more: Pick<Said, "ending" | "usage">,
): Said {
  return { text, refusal, reasoning, tools, stopSequence, ...more };
}

export function within(view: unknown, ...path: readonly string[]): JsonView {
  return path.reduce<JsonView>((at, name) => objectOf(at[name]), objectOf(view));
}
