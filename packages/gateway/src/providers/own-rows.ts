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
