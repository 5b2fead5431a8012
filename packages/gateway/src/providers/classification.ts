import { contextWordings } from "./context-wordings.ts";
import type { FailureKind } from "#domain/failure";

/** One fact about what a provider's complaint means. All stated conditions must hold. */
export interface ClassificationRow {
  readonly kind: FailureKind;
  /**
   * Where the fact is from (November 2026): `issue` a public report that was read, `known` the vendors' documentation
   * and common experience, not re-read for this table, `rfc` a standard, `ours` a decision of this project.
   */
  readonly from: string;
  /** Codes and types, lower case; one of them must be there. */
  readonly words?: readonly string[];
  readonly wordLike?: RegExp;
  readonly message?: RegExp;
  /** HTTP statuses; `none` is a complaint inside a 2xx that names no status of its own. */
  readonly statuses?: readonly (number | "none")[];
  readonly forms?: readonly ("object" | "text" | "html" | "empty")[];
}

const refusing = [400, 403, 404, 422, "none"] as const;
const from = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** No money or quota left, whatever the status: 400 at Anthropic, 401 at Perplexity, 403 and 429 at xAI, 402, 429. */
const quotaRows: readonly ClassificationRow[] = [
  // Google says RESOURCE_EXHAUSTED and "exceeded your current quota" for a minute's limit and a day's alike: the
  // violated quota's id tells them apart.
  {
    kind: "quota_exhausted",
    from: "issue crewAIInc/crewAI#3434 (the field), known (its value for a day)",
    wordLike: /perday/,
  },
  { kind: "rate_limited", from: "issue crewAIInc/crewAI#3434", words: ["resource_exhausted"] },
  {
    kind: "quota_exhausted",
    from: "known OpenAI error codes; Anthropic errors (error_code, billing_error); Moonshot errors",
    words: [
      "insufficient_quota",
      "credit_balance_exhausted",
      "enforced_spend_limit_reached",
      "billing_error",
      "billing_hard_limit_reached",
      "billing_not_active",
      "exceeded_current_quota_error",
    ],
  },
  {
    kind: "quota_exhausted",
    from: "issue anthropics/claude-code#66314, status 400",
    message: /credit balance is too low/i,
  },
  {
    kind: "quota_exhausted",
    from: "known Anthropic workspaces, status 400",
    message: /reached your specified (?:workspace )?API usage limits/i,
  },
  {
    kind: "quota_exhausted",
    from: "issue continuedev/continue#10373, status 429",
    message: /used all available credits|reached its monthly spending limit/i,
  },
  { kind: "quota_exhausted", from: "known xAI, status 403", message: /doesn't have any credits/i },
  {
    kind: "quota_exhausted",
    from: "known OpenAI error codes; relays drop the code",
    message: /exceeded your current quota/i,
  },
  {
    kind: "quota_exhausted",
    from: "known DeepSeek error codes; relays change the status",
    message: /insufficient balance/i,
  },
];

const policyRows: readonly ClassificationRow[] = [
  {
    kind: "content_filter",
    from: "known Azure content filtering; OpenAI; Alibaba",
    words: ["content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"],
  },
  {
    kind: "content_filter",
    from: "known OpenAI usage policy, code invalid_prompt",
    message: /flagged as potentially violating/i,
    statuses: refusing,
  },
  {
    kind: "content_filter",
    from: "known Anthropic, type invalid_request_error",
    message: /blocked by (?:our )?content filtering/i,
    statuses: refusing,
  },
  { kind: "content_filter", from: "known xAI, status 403", message: /violates usage guidelines/i, statuses: refusing },
  {
    kind: "content_filter",
    from: "known OpenRouter errors, status 403",
    message: /requires moderation on|input was flagged/i,
    statuses: refusing,
  },
  {
    kind: "content_filter",
    from: "known DeepSeek, status 400",
    message: /content exists risk/i,
    statuses: refusing,
  },
];

const credentialRows: readonly ClassificationRow[] = [
  {
    kind: "credential_rejected",
    from: "known OpenAI, Anthropic, Google (status 400), Moonshot, Cerebras error codes",
    words: [
      "invalid_api_key",
      "authentication_error",
      "api_key_invalid",
      "unauthenticated",
      "invalid_authentication_error",
      "wrong_api_key",
      "account_deactivated",
    ],
  },
  {
    kind: "credential_rejected",
    from: "known xAI, status 400",
    message: /(?:incorrect|invalid) api[ -]key/i,
    statuses: [400, 403, "none"],
  },
  {
    kind: "credential_rejected",
    from: "known Gemini troubleshooting, status 403",
    message: /api key was reported as leaked/i,
  },
  { kind: "credential_rejected", from: "known Anthropic, status 400", message: /organization has been disabled/i },
];

const forbiddenRows: readonly ClassificationRow[] = [
  {
    kind: "upstream_forbidden",
    from: "known Gemini available regions, status 400",
    message: /user location is not supported/i,
  },
  {
    kind: "upstream_forbidden",
    from: "known OpenAI supported countries; Anthropic; google.rpc.Code",
    words: ["unsupported_country_region_territory", "permission_error", "permission_denied"],
  },
];

const modelRows: readonly ClassificationRow[] = [
  // A wrong base address, not a missing model: the operator has to correct the URL.
  {
    kind: "bad_upstream_response",
    from: "known Go and FastAPI default replies; known OpenAI",
    message: /^(?:404 page not found|not found|invalid url\b.*)\.?$/i,
    statuses: [404],
  },
  {
    kind: "model_unavailable",
    from: "known OpenAI (400 on /responses), Anthropic, Azure, Groq, Together, Mistral, Moonshot, Hugging Face, google.rpc.Code",
    words: [
      "model_not_found",
      "not_found_error",
      "deploymentnotfound",
      "model_decommissioned",
      "model_not_available",
      "invalid_model",
      "resource_not_found_error",
      "model_not_supported",
      "not_found",
      "notfounderror",
    ],
  },
  {
    kind: "model_unavailable",
    from: "known xAI, DeepSeek (400), vLLM",
    message: /\bmodel\b.{0,100}?\b(?:does ?n[o']t|not) exist/i,
    statuses: refusing,
  },
  {
    kind: "model_unavailable",
    from: "known Ollama; Fireworks",
    message: /\bmodel\b.{0,100}?\bnot found/i,
    statuses: refusing,
  },
  {
    kind: "model_unavailable",
    from: "known OpenRouter, status 400",
    message: /is not a valid model id/i,
    statuses: refusing,
  },
  { kind: "model_unavailable", from: "known Perplexity, status 400", message: /^invalid model\b/i, statuses: refusing },
];

/** The model itself produced something its provider could not use; another try or target may not. */
const modelMadeRows: readonly ClassificationRow[] = [
  { kind: "upstream_transient", from: "known Groq, status 400", words: ["tool_use_failed", "json_validate_failed"] },
];

const scarceRows: readonly ClassificationRow[] = [
  // Larger than a minute's whole allowance: waiting cannot cure it, another provider may.
  { kind: "upstream_too_large", from: "known OpenAI, status 429; Groq, status 413", message: /request too large for/i },
  {
    kind: "upstream_too_large",
    from: "known Anthropic errors; OpenAI",
    words: ["request_too_large", "string_above_max_length"],
  },
  { kind: "upstream_too_large", from: "known Gemini, status 400", message: /request payload size exceeds/i },
  { kind: "slow_down", from: "known OpenAI error codes, status 503", words: ["slow_down"] },
  {
    kind: "slow_down",
    from: "known OpenAI error codes; Anthropic acceleration limits",
    message: /\bslow down\b|acceleration limit/i,
    statuses: [429, 503, 529, "none"],
  },
  {
    kind: "upstream_overloaded",
    from: "known Anthropic errors; OpenAI; Moonshot; google.rpc.Code; Groq (status 498); Cerebras (status 429); issue google-gemini/gemini-cli#23520",
    words: [
      "overloaded_error",
      "overloaded",
      "engine_overloaded",
      "engine_overloaded_error",
      "unavailable",
      "service_unavailable",
      "capacity_exceeded",
      "queue_exceeded",
      "model_capacity_exhausted",
    ],
  },
  {
    kind: "upstream_overloaded",
    from: "issue BerriAI/litellm#25078, status 429",
    message: /service tier capacity exceeded/i,
  },
  {
    kind: "upstream_overloaded",
    from: "known OpenAI, xAI; statuses differ",
    message: /\b(?:currently|is|are|engine) overloaded/i,
    statuses: [429, 500, 502, "none"],
  },
  {
    kind: "rate_limited",
    from: "known OpenAI, Anthropic, Moonshot, Azure, Cerebras; issue raycast/extensions#31107 (Mistral)",
    words: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "rate_limited",
      "rate_limit_reached_error",
      "ratelimitreached",
      "too_many_requests",
      "too_many_requests_error",
      "throttlingexception",
    ],
  },
  {
    kind: "rate_limited",
    from: "known xAI, OpenRouter in-band",
    message: /\btoo many requests\b|\brate[ -]limit/i,
    statuses: ["none"],
  },
];

const transientRows: readonly ClassificationRow[] = [
  {
    kind: "upstream_transient",
    from: "known Anthropic errors; google.rpc.Code; Amazon Bedrock",
    words: [
      "timeout_error",
      "deadline_exceeded",
      "cancelled",
      "aborted",
      "modeltimeoutexception",
      "modelerrorexception",
    ],
  },
];

/** A thought that another account sealed, or that nobody sealed where it must be: other targets are told the rest. */
const stateRows: readonly ClassificationRow[] = [
  {
    kind: "foreign_state",
    from: "issue openai/codex#8145, known OpenAI error codes; status 400",
    words: ["invalid_encrypted_content", "previous_response_not_found"],
  },
  {
    kind: "foreign_state",
    from: "issue can1357/oh-my-pi#41, status 404",
    message: /\bitem with id 'rs_\w+'/i,
    statuses: refusing,
  },
  {
    kind: "foreign_state",
    from: "issue tombii/better-ccflare#52, status 400",
    message: /invalid `?signature`? in `?thinking`? block/i,
    statuses: refusing,
  },
  {
    kind: "foreign_state",
    from: "issue lbjlaq/Antigravity-Manager#139, status 400",
    message: /\bmissing a `?thought_signature`?/i,
    statuses: refusing,
  },
];

const requestRows: readonly ClassificationRow[] = [
  // It is no lack of rights: the same account gets an answer without them.
  {
    kind: "upstream_rejected",
    from: "known OpenAI, status 403 for models that reason",
    message: /not allowed to request log\s?prob/i,
    statuses: refusing,
  },
  {
    kind: "upstream_rejected",
    from: "known OpenAI, Anthropic; google.rpc.Code; xAI",
    words: [
      "invalid_request_error",
      "invalid_argument",
      "invalid-argument",
      "failed_precondition",
      "validationexception",
    ],
    statuses: ["none"],
  },
];

/** When nothing more telling was said. */
const statusRows: readonly ClassificationRow[] = [
  { kind: "credential_rejected", from: "rfc 9110 §15.5.2", statuses: [401] },
  { kind: "quota_exhausted", from: "known OpenRouter, DeepSeek, Anthropic", statuses: [402] },
  // Which key is wrong shows in the message; without that a 403 is about the model or the region.
  {
    kind: "credential_rejected",
    from: "ours",
    message: /\b(?:api[ -]?key|credentials?|(?:access|bearer|oauth|security) token)\b/i,
    statuses: [403],
  },
  { kind: "upstream_forbidden", from: "rfc 9110 §15.5.4", statuses: [403] },
  {
    kind: "upstream_transient",
    from: "rfc 9110 §15.5.9, §15.5.10; rfc 8470; known Bedrock (424), Google (499)",
    statuses: [408, 409, 424, 425, 499],
  },
  { kind: "upstream_too_large", from: "rfc 9110 §15.5.14", statuses: [413] },
  { kind: "rate_limited", from: "rfc 6585 §4", statuses: [429] },
  // A page from an edge in front of the provider: it never saw the request, or lost it.
  { kind: "bad_upstream_response", from: "ours", forms: ["html"] },
  { kind: "bad_upstream_response", from: "rfc 9110 §15.5.6; wrong address", statuses: [405] },
  { kind: "model_unavailable", from: "rfc 9110 §15.5.5, §15.5.11", statuses: [404, 410] },
  { kind: "upstream_overloaded", from: "known Anthropic errors; Groq; rfc 9110 §15.6.4", statuses: [498, 503, 529] },
  { kind: "bad_upstream_response", from: "known Cloudflare 5xx; rfc 9110 §15.6.3", statuses: [...from(520, 527), 530] },
  { kind: "bad_upstream_response", from: "rfc 9110 §15.6.3, §15.6.5", statuses: [502, 504], forms: ["text", "empty"] },
  { kind: "upstream_rejected", from: "rfc 9110 §15.5", statuses: from(400, 499) },
  { kind: "upstream_failed", from: "rfc 9110 §15.6", statuses: from(500, 599) },
  // A complaint inside a 200 that says nothing we know.
  { kind: "upstream_failed", from: "ours", statuses: ["none"] },
];

/** In order; the first that fits decides. The corpus test proves of each row, word and wording that it is needed. */
export const generalRows: readonly ClassificationRow[] = [
  ...quotaRows,
  ...contextWordings,
  ...policyRows,
  ...credentialRows,
  ...forbiddenRows,
  ...stateRows,
  ...modelRows,
  ...modelMadeRows,
  ...scarceRows,
  ...transientRows,
  ...requestRows,
  ...statusRows,
];
