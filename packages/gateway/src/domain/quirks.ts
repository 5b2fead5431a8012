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
  /**
   * Where an assistant turn carries earlier reasoning text, if the upstream wants it back: a field, or `thinking`, which
   * are parts of the content (Mistral).
   */
  readonly reasoningEcho?: "reasoning_content" | "reasoning" | "thinking";
  /** Only models that are known to reason take it back; all others answer 400 (Groq, Cerebras). */
  readonly echoNeedsReasoner?: true;
  /** Takes thoughts of earlier turns back under no name. */
  readonly refusesThoughts?: true;
  /** Gives thoughts as `reasoning_details` and wants that list back as it was, whoever's the model is (OpenRouter). */
  readonly reasoningDetails?: true;
  /** The name under `extra_content` by which tool calls carry a `thought_signature` (Google's). */
  readonly toolSignatures?: string;
  /** Everything that messages of each role may hold, where any other field is refused. */
  readonly messageFields?: Readonly<Record<"system" | "user" | "assistant" | "tool", readonly string[]>>;
  /** Goes on from an assistant's last message that says `prefix: true`: whenever it stands there, or only if asked. */
  readonly prefixes?: "always" | "asked";
  /** Wants an assistant's message between a tool's result and the user's next. */
  readonly answersTools?: true;
  /** Calls tools as it likes, whatever `tool_choice` says. */
  readonly ignoresToolChoice?: true;
  /** Takes images as data only, and fetches none. */
  readonly imagesAsData?: true;
  /** Serves function tools beside reasoning on this endpoint, whatever the model's vendor does. */
  readonly toolsWithReasoning?: true;
  /** Request fields the upstream refuses; the encoder drops them with a warning or refuses, by the loss table. */
  readonly refusedFields: readonly string[];
  /** Further ones that it refuses where the model is known to reason. */
  readonly reasonersRefuse?: readonly string[];
  /** Whether `response_format: json_schema` is understood. */
  readonly jsonSchema: boolean;
  /** Whether its newer models take a mark behind a part of the prompt up to which it is to be cached. */
  readonly cacheBreakpoints?: true;
  /** Of Gemini's token count: takes a request's fields as they are, where others take the whole request as one field. */
  readonly bareCount?: true;
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
