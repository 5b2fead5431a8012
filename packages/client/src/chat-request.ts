/** What callers send: OpenAI's chat fields by their own names, and the gateway's options in ours. */
export interface ChatRequest {
  /** `vendor/model`, a route, an alias; or several of them, tried in this order. */
  readonly model: string | readonly string[];
  readonly messages: readonly ChatMessage[];

  /** Milliseconds over the whole call, all the gateway's attempts and this client's retries included. */
  readonly timeoutMs?: number | undefined;
  /** The least confidence (0..1) an answer needs, where the route has a confidence gate. */
  readonly minConfidence?: number | undefined;
  /** Aborting it ends the call, streamed or not, with an `Aborted` error. */
  readonly signal?: AbortSignal | undefined;
  /** Fields this type does not know (a provider's own), sent as they are. Named fields win over these. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
  /** The gateway's other options. They never reach a provider. */
  readonly hedgerow?: GatewayOptions | undefined;

  /** Further names to try, as OpenRouter and LiteLLM write them: synonyms of a `model` list. */
  readonly models?: readonly string[] | undefined;
  readonly fallbacks?: readonly (string | { readonly model: string; readonly [field: string]: unknown })[] | undefined;
  /** OpenRouter's routing wishes, honoured where the meaning is the same. */
  readonly provider?: Readonly<Record<string, unknown>> | undefined;

  readonly audio?: { readonly format: string; readonly voice: unknown } | null | undefined;
  readonly frequency_penalty?: number | null | undefined;
  readonly function_call?: "none" | "auto" | { readonly name: string } | undefined;
  readonly functions?: readonly FunctionDefinition[] | undefined;
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined;
  readonly logprobs?: boolean | null | undefined;
  readonly max_completion_tokens?: number | null | undefined;
  readonly max_tokens?: number | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  readonly modalities?: readonly ("text" | "audio")[] | null | undefined;
  readonly moderation?: unknown;
  readonly n?: number | null | undefined;
  readonly parallel_tool_calls?: boolean | undefined;
  readonly prediction?: { readonly type: "content"; readonly content: string | readonly TextPart[] } | null | undefined;
  readonly presence_penalty?: number | null | undefined;
  readonly prompt_cache_key?: string | undefined;
  readonly prompt_cache_options?: unknown;
  readonly prompt_cache_retention?: string | null | undefined;
  readonly reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max" | null | undefined;
  readonly response_format?: ResponseFormat | undefined;
  readonly safety_identifier?: string | undefined;
  readonly seed?: number | null | undefined;
  readonly service_tier?: string | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
  readonly store?: boolean | null | undefined;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?:
    | { readonly include_usage?: boolean; readonly include_obfuscation?: boolean }
    | null
    | undefined;
  readonly temperature?: number | null | undefined;
  readonly tool_choice?: ToolChoice | undefined;
  readonly tools?: readonly Tool[] | undefined;
  readonly top_logprobs?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly user?: string | undefined;
  readonly verbosity?: "low" | "medium" | "high" | null | undefined;
  readonly web_search_options?: Readonly<Record<string, unknown>> | undefined;
}

export interface GatewayOptions {
  readonly route?: string;
  /** Calls of one session prefer the same target. */
  readonly session?: string;
  readonly tags?: readonly string[];
  /** The order in which targets are asked; `quality` is the route's own. */
  readonly sort?: "price" | "latency" | "throughput" | "quality";
  /** Targets that are known to begin later, milliseconds, for one call in twenty are left out while others are not. */
  readonly max_latency_ms?: number;
  /** An effort of reasoning that whoever answers must have. */
  readonly reasoning?: "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
  /** What is asked of the confidence gate beside `minConfidence`; it wins over the route's own. */
  readonly confidence?: ConfidenceWish;
  /** Adds the facts known only late (a stream's cost) to the answer's last part. */
  readonly metadata?: boolean;
  readonly [option: string]: unknown;
}

export interface ConfidenceWish {
  readonly mode?: "per_answer" | "pool";
  readonly estimator?: "auto" | "logprobs" | "decision" | "agreement" | "judge" | "verifier";
  readonly uncalibrated?: "conservative" | "observe" | "strict";
  /** When nobody was sure: the best answer, a person, or an error. */
  readonly exhausted?: "best" | "review" | "refuse";
  readonly stream?: "hold" | "prefix" | "annotate";
  /** Most that the call may cost, US dollars, before nobody else is asked. */
  readonly max_cost_usd?: number;
  /** A reply of status 202 in place of an error, where a person is asked. Either way this client raises the same. */
  readonly pending?: boolean;
}

export type ChatMessage =
  | {
      readonly role: "system" | "developer";
      readonly content: string | readonly TextPart[];
      readonly name?: string;
    }
  | { readonly role: "user"; readonly content: string | readonly UserPart[]; readonly name?: string }
  | AssistantMessage
  | { readonly role: "tool"; readonly content: string | readonly TextPart[]; readonly tool_call_id: string }
  | { readonly role: "function"; readonly content: string | null; readonly name: string };

/** An earlier answer, given back. `reasoning_content` and the like travel in the open part of the type. */
export interface AssistantMessage {
  readonly role: "assistant";
  readonly content?: string | readonly (TextPart | { readonly type: "refusal"; readonly refusal: string })[] | null;
  readonly refusal?: string | null;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly [field: string]: unknown;
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
  /** Anthropic's prompt-cache marker, carried where the target has one. */
  readonly cache_control?: { readonly type: "ephemeral"; readonly ttl?: "5m" | "1h" };
}

export type UserPart =
  | TextPart
  | {
      readonly type: "image_url";
      readonly image_url: { readonly url: string; readonly detail?: "auto" | "low" | "high" | "original" };
    }
  | { readonly type: "input_audio"; readonly input_audio: { readonly data: string; readonly format: "wav" | "mp3" } }
  | {
      readonly type: "file";
      readonly file: { readonly file_id?: string; readonly file_data?: string; readonly filename?: string };
    };

export interface FunctionDefinition {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly strict?: boolean | null;
}

export type Tool =
  | { readonly type: "function"; readonly function: FunctionDefinition }
  | {
      readonly type: "custom";
      readonly custom: { readonly name: string; readonly description?: string; readonly format?: unknown };
    };

export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | { readonly type: "function"; readonly function: { readonly name: string } }
  | { readonly type: "custom"; readonly custom: { readonly name: string } }
  | { readonly type: "allowed_tools"; readonly allowed_tools: unknown };

/** A wish of the model to run a tool; `arguments` is JSON text as the model wrote it. */
export type ToolCall =
  | {
      readonly id: string;
      readonly type: "function";
      readonly function: { readonly name: string; readonly arguments: string };
    }
  | {
      readonly id: string;
      readonly type: "custom";
      readonly custom: { readonly name: string; readonly input: string };
    };

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly name: string;
        readonly description?: string;
        readonly schema?: Readonly<Record<string, unknown>>;
        readonly strict?: boolean | null;
      };
    };
