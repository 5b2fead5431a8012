import type { Usage } from "./usage.ts";

/** A request for vectors of texts, in the hub's words. */
export interface EmbedRequest {
  /** As the caller wrote it; the encoder replaces it by the target's name. */
  readonly model: string;
  /** Texts, or token numbers, which only OpenAI's own vocabularies can read. In the order of the answer. */
  readonly inputs: readonly EmbedInput[];
  /** The caller gave one text outside a list; some languages answer that in another shape. */
  readonly single: boolean;
  readonly dimensions?: number;
  /** How the caller wants the numbers written. */
  readonly encoding: "float" | "base64";
  /** What the vectors are for. */
  readonly purpose?: EmbedPurpose;
  /** A document's title, where the language has one (Gemini). */
  readonly title?: string;
  readonly user?: string;
  /** Fields this hub has no word for, by path. */
  readonly rest: Readonly<Record<string, unknown>>;
}

export type EmbedInput = string | readonly number[];

export type EmbedPurpose =
  | "query"
  | "document"
  | "similarity"
  | "classification"
  | "clustering"
  | "question-answering"
  | "fact-verification"
  | "code-query";

export interface EmbedAnswer {
  /** One for each input, in its order. */
  readonly vectors: readonly (readonly number[] | Float32Array)[];
  readonly model?: string;
  readonly usage?: Usage;
}
