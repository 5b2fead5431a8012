import { pathEditor } from "#wire/json-paths";

/** OpenAI writes `null` where none were asked for, in whole answers and in chunks, of chats and of completions. */
export const stripLogprobs = pathEditor([[["choices", "*", "logprobs"], "null"]], "logprobs");
