import type { Usage } from "./usage.ts";

/** A request to order documents by how well they answer a query. */
export interface RerankRequest {
  /** As the caller wrote it; the encoder replaces it by the target's name. */
  readonly model: string;
  readonly query: string;
  /** Texts; structured documents are their YAML or JSON text, as Cohere advises. */
  readonly documents: readonly string[];
  readonly topN?: number;
  /** The caller wants the documents themselves in the answer. */
  readonly returnDocuments: boolean;
  readonly maxTokensPerDocument?: number;
  /** Fields this hub has no word for, by path. */
  readonly rest: Readonly<Record<string, unknown>>;
}

export interface RerankAnswer {
  readonly id?: string;
  /** Best first. `index` is the document's place in the request, `score` is 0..1. */
  readonly results: readonly { readonly index: number; readonly score: number }[];
  readonly usage?: Usage;
  /** What the provider bills by, where that is not tokens (Cohere). */
  readonly searchUnits?: number;
}
