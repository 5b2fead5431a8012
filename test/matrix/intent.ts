import type { AnswerScript } from "#simulation/behaviour";

export type Json = Readonly<Record<string, unknown>>;

/** What a person or program wants, in no language: each client's writer says it as its own SDK would. */
export interface Intent {
  readonly system?: IntentText;
  readonly turns: readonly IntentTurn[];
  readonly tools?: readonly IntentTool[];
  /** The model must call some tool, or this one. */
  readonly toolChoice?: "required" | { readonly name: string };
  /** JSON Schema the answer must fit. */
  readonly schema?: Json;
  readonly reasoning?: "on" | "off";
  readonly stop?: readonly string[];
  readonly maxTokens: number;
}

export interface IntentText {
  readonly kind: "text";
  readonly text: string;
  /** The prompt up to here is to be cached. */
  readonly cached?: true;
}

export type IntentPart =
  | IntentText
  | { readonly kind: "image"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "pdf"; readonly name: string; readonly data: string };

export type IntentTurn =
  | { readonly role: "user"; readonly parts: readonly IntentPart[] }
  | { readonly role: "assistant"; readonly text: string };

export interface IntentTool {
  readonly name: string;
  readonly description: string;
  readonly schema: Json;
}

/** What a tool gave, in the order of the calls. */
export interface ToolOutcome {
  readonly text: string;
  readonly failed?: true;
}

/** Facets of an intent that a provider's request can show or lack. */
export type Facet =
  | "text"
  | "image"
  | "pdf"
  | "tools"
  | "tool-choice"
  | "schema"
  | "reasoning"
  | "stop"
  | "limit"
  | "cache";

export interface Scenario {
  readonly name: string;
  readonly intent: Intent;
  /** The provider's answer; `refusal` words stand for what each provider says in its own way. */
  readonly says: AnswerScript;
  /** A second turn: the first answer as the client's SDK keeps it, then these results, then this answer. */
  readonly goesOn?: { readonly outcomes: readonly ToolOutcome[]; readonly says: AnswerScript };
}
