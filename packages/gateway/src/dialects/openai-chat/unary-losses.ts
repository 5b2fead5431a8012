import { LossCollector } from "#dialects/loss-collector";

/**
 * What OpenAI's embeddings, and the rerank of the servers that speak its language, cannot say. All of it is a wish about
 * how the answer is made, so it is left out with a warning. docs/endpoints.md holds the same table.
 */
export const unaryLosses = {
  "embed-purpose": "OpenAI's embeddings are not told what the vectors are for",
  "embed-title": "OpenAI's embeddings take no title of a document",
  "rerank-length": "this rerank takes no limit for the length of a document",
  "unknown-field": "fields that this operation has no word for were left out",
} as const satisfies Record<string, string>;

/** Collects what one translation of these operations loses. */
export class UnaryLossReport extends LossCollector {
  meet(loss: keyof typeof unaryLosses, what?: string): void {
    this.warn(`${loss}: ${unaryLosses[loss]}${what === undefined ? "" : ` (${what})`}`);
  }

  /** Fields by path. */
  meetUnknown(rest: Readonly<Record<string, unknown>>): void {
    const fields = Object.keys(rest);
    if (fields.length > 0) this.meet("unknown-field", fields.toSorted().join(", "));
  }
}
