import type { ClassificationRow } from "./classification.ts";

/** Numeric codes of one provider: another may mean something else by the same number. */
export const mistralRows: readonly ClassificationRow[] = [
  {
    kind: "upstream_overloaded",
    from: "known Mistral errors: service tier capacity exceeded, status 429",
    words: ["3505"],
  },
  { kind: "context_length_exceeded", from: "known Mistral errors: prompt too large, status 400", words: ["3051"] },
  { kind: "model_unavailable", from: "known Mistral errors: invalid model, status 400", words: ["1500"] },
];

export const zaiRows: readonly ClassificationRow[] = [
  {
    kind: "quota_exhausted",
    from: "known Z.ai errors: in arrears, day's limit, plan expired; status 429",
    words: ["1113", "1304", "1309"],
  },
  { kind: "context_length_exceeded", from: "known Z.ai errors; issue mangowhoiscloud/geode#668", words: ["1261"] },
  { kind: "content_filter", from: "known Z.ai errors: unsafe content, status 400", words: ["1301"] },
  { kind: "model_unavailable", from: "known Z.ai errors: unknown model, status 400", words: ["1211"] },
];

/** Cohere has no codes, only statuses and sentences. */
export const cohereRows: readonly ClassificationRow[] = [
  {
    kind: "quota_exhausted",
    from: "known Cohere rate limits: a trial key's calls of a month, status 429",
    message: /limited to .{0,40}calls? \/ month/i,
  },
  {
    kind: "context_length_exceeded",
    from: "known Cohere errors, status 400",
    message: /total number of tokens in the prompt cannot exceed/i,
  },
  {
    kind: "content_filter",
    from: "known Cohere errors: what is asked or answered is blocked, status 498",
    statuses: [498],
  },
  {
    kind: "model_unavailable",
    from: "known Cohere errors: the model is of another endpoint, status 400",
    message: /^invalid request: model .{1,100} is not supported by/i,
  },
  { kind: "upstream_transient", from: "known Cohere finish reasons: the answer took too long", words: ["timeout"] },
];

/** Azure has codes of its own beside OpenAI's; what a model's API refuses keeps OpenAI's words. */
export const azureRows: readonly ClassificationRow[] = [
  { kind: "quota_exhausted", from: "known Azure OpenAI error codes, status 429", words: ["insufficientquota"] },
  {
    kind: "bad_upstream_response",
    from: "known Azure OpenAI: a wrong path or api-version, no missing deployment; status 404",
    message: /^resource not found$/i,
    statuses: [404],
  },
  {
    kind: "model_unavailable",
    from: "known Azure OpenAI and Foundry Models, status 400: the deployment lacks the API; there is none of this name",
    words: ["operationnotsupported", "unknown_model", "unavailable_model"],
  },
  {
    kind: "credential_rejected",
    from: "known Azure OpenAI, status 403: the resource takes tokens of Entra ID only",
    words: ["authenticationtypedisabled"],
  },
  { kind: "upstream_overloaded", from: "known Azure OpenAI error codes, status 429", words: ["nocapacity"] },
];

/** The exceptions of Bedrock and of AWS in front of it; inside a stream they come without a status. */
export const bedrockRows: readonly ClassificationRow[] = [
  {
    kind: "quota_exhausted",
    from: "known Bedrock: a day's tokens, status 429 ThrottlingException",
    message: /too many tokens per day/i,
  },
  { kind: "quota_exhausted", from: "known Bedrock API errors, status 400", words: ["servicequotaexceededexception"] },
  {
    kind: "credential_rejected",
    from: "known AWS common errors; statuses 400 and 403",
    words: [
      "invalidsignatureexception",
      "incompletesignatureexception",
      "missingauthenticationtokenexception",
      "unrecognizedclientexception",
      "expiredtokenexception",
    ],
  },
  {
    kind: "model_unavailable",
    from: "known Bedrock, status 400 ValidationException: no such model, by an inference profile only, or not counted",
    message: /model identifier is invalid|with on-demand throughput isn.t supported|doesn.t support counting tokens/i,
  },
  {
    kind: "upstream_forbidden",
    from: "known Bedrock, status 400 ValidationException: an account without quota for the model",
    message: /^operation not allowed\.?$/i,
  },
  {
    kind: "context_length_exceeded",
    from: "known Bedrock (Amazon Nova), status 400 ValidationException",
    message: /number of input tokens exceeds maximum length/i,
  },
  {
    kind: "upstream_overloaded",
    from: "known Bedrock API errors: status 429 of a model still starting; in a stream",
    words: ["modelnotreadyexception", "serviceunavailableexception"],
  },
  { kind: "upstream_transient", from: "known Bedrock API errors, in a stream", words: ["modelstreamerrorexception"] },
];

/** Reasons of `google.rpc.ErrorInfo` and wordings of the Gemini API and Vertex AI. */
export const googleRows: readonly ClassificationRow[] = [
  {
    kind: "quota_exhausted",
    from: "known google.api.ErrorReason, status 403",
    words: ["billing_disabled"],
  },
  {
    kind: "quota_exhausted",
    from: "known Gemini, status 429: a model the free tier lacks; money paid ahead or a cap used up",
    message: /\blimit: 0\b|prepayment credits are depleted|exceeded its (?:monthly )?spending cap/i,
  },
  {
    kind: "credential_rejected",
    from: "known google.api.ErrorReason, status 403",
    words: ["api_key_service_blocked", "api_key_http_referrer_blocked", "api_key_ip_address_blocked"],
  },
  {
    kind: "model_unavailable",
    from: "known Vertex AI (partner models), status 400 FAILED_PRECONDITION",
    message: /is not servable in region/i,
  },
];
