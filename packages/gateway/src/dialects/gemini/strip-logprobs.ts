import { pathEditor } from "#wire/json-paths";

/** Of candidates for which none were asked; their mean, `avgLogprobs`, Vertex AI tells unasked. */
export const stripLogprobs = pathEditor([[["candidates", "*", "logprobsResult"], undefined]], "logprobsResult");
