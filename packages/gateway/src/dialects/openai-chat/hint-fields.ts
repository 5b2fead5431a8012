/** Fields whose loss changes how an answer is made, not what it must be. Any other field that is refused is refused. */
export const hintFields: ReadonlySet<string> = new Set([
  "seed",
  "random_seed",
  "user",
  "frequency_penalty",
  "presence_penalty",
  "logit_bias",
  "temperature",
  "top_p",
  "parallel_tool_calls",
  "reasoning_effort",
  "verbosity",
  "service_tier",
  "store",
  "stream_options",
]);
