import { pathEditor } from "#wire/json-paths";

/** As OpenAI writes answers for which none were asked: empty lists, and no alternatives among the settings it repeats. */
export const stripLogprobs = pathEditor(
  [
    [["logprobs"], "[]"],
    [["part", "logprobs"], "[]"],
    [["item", "content", "*", "logprobs"], "[]"],
    [["output", "*", "content", "*", "logprobs"], "[]"],
    [["top_logprobs"], "0"],
    [["response", "output", "*", "content", "*", "logprobs"], "[]"],
    [["response", "top_logprobs"], "0"],
  ],
  "logprobs",
);
