/** How an upstream speaks OpenAI Chat differently from OpenAI. Rows of data, so that no code compares names. */
export interface ChatQuirks {
  /** The field that bounds the output. */
  readonly maxOutputField: "max_completion_tokens" | "max_tokens";
  /** Whether `stream_options.include_usage` must be asked for, comes anyway, or is refused. */
  readonly streamUsage: "ask" | "always" | "never";
  /** Whether `completion_tokens` already contains reasoning (xAI's does not: 30 of 30 recordings). */
  readonly completionIncludesReasoning: boolean;
  /** Shape that tool-call ids must have in requests. */
  readonly toolCallIds: "any" | "nine-alphanumeric";
  /** The word that forces some tool call. */
  readonly requiredToolChoice: "required" | "any";
  /** Whether `developer` messages are understood; otherwise they are sent as `system`. */
  readonly developerRole: boolean;
  /** The field an assistant turn carries earlier reasoning text in, where the upstream wants it back. */
  readonly reasoningEcho?: "reasoning_content" | "reasoning";
  /** Request fields the upstream refuses; the encoder drops them with a warning or refuses, by the loss table. */
  readonly refusedFields: readonly string[];
  /** Whether `response_format: json_schema` is understood. */
  readonly jsonSchema: boolean;
  /** Whether its newer models take a mark behind a part of the prompt up to which it is to be cached. */
  readonly cacheBreakpoints?: true;
  /** The seed field's name. */
  readonly seedField: "seed" | "random_seed";
}

export const plainChatQuirks: ChatQuirks = {
  maxOutputField: "max_completion_tokens",
  streamUsage: "ask",
  completionIncludesReasoning: true,
  toolCallIds: "any",
  requiredToolChoice: "required",
  developerRole: true,
  refusedFields: [],
  jsonSchema: true,
  seedField: "seed",
};
