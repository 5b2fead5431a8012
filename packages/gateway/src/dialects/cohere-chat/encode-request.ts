import type { GenerateRequest, ReasoningWish, Sampling, Tool } from "#domain/request";
import { markAdded, wishedLogprobs } from "#dialects/added-logprobs";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined, isObject } from "#dialects/shape";
import { encodeMessages } from "./encode-messages.ts";
import { LossReport } from "./losses.ts";
import { outputSchema } from "./output-schema.ts";

const mostStopSequences = 5;

/** Cohere's own words, which callers of other languages may send beside theirs. */
const ownFields = ["documents", "citation_options", "safety_mode"] as const;
type Own = Readonly<Partial<Record<(typeof ownFields)[number], unknown>>>;

/**
 * From the hub to a body of `POST /v2/chat` (https://docs.cohere.com/reference/chat, 2026-11). The key order is fixed:
 * the same request gives the same bytes.
 */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const report = new LossReport();
  const own = ownOf(request);
  const { messages, documents } = encodeMessages(request.turns, target, report);
  // Cohere takes no number of alternatives, and none is sent.
  const { logprobs, added } = wishedLogprobs(request, target, false);
  const given: readonly unknown[] = Array.isArray(own.documents) ? own.documents : [];
  const all = [...given, ...documents];
  const tools = encodeTools(request, report);
  const body: Record<string, unknown> = defined({
    model: target.model,
    messages,
    ...tools,
    documents: all.length > 0 ? all : undefined,
    citation_options: own.citation_options,
    response_format: encodeOutput(request, { hasContext: tools["tools"] !== undefined || all.length > 0, report }),
    safety_mode: own.safety_mode,
    max_tokens: encodeMaxTokens(request.maxOutputTokens, target, report),
    stop_sequences: request.stop.length > 0 ? request.stop : undefined,
    ...encodeSampling(request.sampling, report),
    logprobs: logprobs === undefined ? undefined : true,
    thinking: encodeThinking(request.reasoning, target, report),
    stream: target.streamed,
  });
  meetTheRest(request, report);
  if (report.refusal !== undefined) return { kind: "refused", failure: report.refusal };
  const bytes = Buffer.from(JSON.stringify(body));
  return { kind: "encoded", body: bytes, headers: {}, warnings: report.warnings, ...markAdded(added) };
}

function ownOf({ rest }: GenerateRequest): Own {
  const { documents, citation_options: citing, safety_mode: safety } = rest;
  return {
    ...(Array.isArray(documents) ? { documents } : {}),
    ...(isObject(citing) ? { citation_options: citing } : {}),
    ...(typeof safety === "string" ? { safety_mode: safety } : {}),
  };
}

/** What has no place in the body at all. */
function meetTheRest(request: GenerateRequest, report: LossReport): void {
  if (request.choices > 1) report.meet("choices", String(request.choices), "n");
  if ((request.logprobs?.top ?? 0) > 0) report.meet("top-logprobs", undefined, "top_logprobs");
  if (request.stop.length > mostStopSequences) report.meet("stop-sequences", String(request.stop.length), "stop");
  if (request.cache !== undefined) report.meet("cache-markers");
  if (request.user !== undefined) report.meet("user");
  if (request.serviceTier !== undefined) report.meet("service-tier", request.serviceTier.slice(0, 100));
  if (request.verbosity !== undefined) report.meet("verbosity");
  const own = ownOf(request);
  const { needed = [] } = request;
  for (const field of needed) report.meet("needed-field", field, field);
  const unknown = Object.keys(request.rest).filter((field) => !needed.includes(field) && !(field in own));
  if (unknown.length > 0) report.meet("unknown-field", unknown.join(", "));
}

function encodeMaxTokens(wished: number | undefined, target: EncodeTarget, report: LossReport): number | undefined {
  const most = target.traits?.maxOutputTokens;
  if (wished === undefined || most === undefined || wished <= most) return wished;
  report.meet("max-tokens-lowered", `${wished} to ${most}`);
  return most;
}

type FunctionTool = Tool & { readonly kind: "function" };

function encodeTools(request: GenerateRequest, report: LossReport): Record<string, unknown> {
  const functions: FunctionTool[] = [];
  for (const tool of request.tools) {
    if (tool.kind === "function") functions.push(tool);
    else report.meet(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what, "tools");
    if (tool.kind === "function" && tool.cache !== undefined) report.meet("cache-markers");
  }
  const choice = request.toolChoice;
  const offered =
    choice?.kind === "named" ? functions.filter(({ name }) => name === choice.name).slice(0, 1) : functions;
  const isForced = choice?.kind === "named" || choice?.kind === "required";
  if (isForced && offered.length === 0) report.meet("foreign-tool-choice", undefined, "tool_choice");
  if (choice?.kind === "named" && functions.length > 1) report.meet("tool-choice-named", choice.name);
  if (offered.length === 0) return {};
  if (request.parallelTools === false) report.meet("parallel-tools");
  const strict = offered.filter((tool) => tool.strict === true).length;
  const isStrict = strict === offered.length;
  if (strict > 0 && !isStrict) report.meet("strict-tool");
  return {
    tools: offered.map(encodeTool),
    strict_tools: isStrict ? true : undefined,
    tool_choice: isForced ? "REQUIRED" : choice?.kind === "none" ? "NONE" : undefined,
  };
}

/** Without `strict`, which Cohere answers with 422 (OpenRouterTeam/openrouter-examples#71). */
function encodeTool({ name, description, schema }: FunctionTool): object {
  const parameters = isObject(schema) ? { type: "object", ...schema } : { type: "object", properties: {} };
  return {
    type: "function",
    function: defined({ name, description: description === "" ? undefined : description, parameters }),
  };
}

function encodeOutput(
  { output }: GenerateRequest,
  { hasContext, report }: { readonly hasContext: boolean; readonly report: LossReport },
): unknown {
  if (output === undefined || output.kind === "text") return undefined;
  // "not supported when used in combinations with the documents or tools parameters" (docs.cohere.com/reference/chat)
  if (hasContext) report.meet("json-with-tools", undefined, "response_format");
  if (output.kind === "json") return { type: "json_object" };
  return { type: "json_object", schema: outputSchema(output.schema, report) };
}

function encodeSampling(sampling: Sampling, report: LossReport): Record<string, unknown> {
  const { seed } = sampling;
  const isSeed = seed !== undefined && Number.isSafeInteger(seed) && seed >= 0;
  if (seed !== undefined && !isSeed) report.meet("seed", String(seed));
  if (sampling.logitBias !== undefined) report.meet("logit-bias", undefined, "logit_bias");
  const within = (field: string, wished: number | undefined, [least, most]: readonly [number, number]) => {
    if (wished === undefined) return undefined;
    const near = Math.min(Math.max(wished, least), most);
    if (near !== wished) report.meet("sampling", `${field} ${wished} as ${near}`);
    return near;
  };
  // "cannot specify both frequency_penalty and presence_penalty" (docs.cohere.com/reference/errors); 0 is its default.
  const frequency = within("frequency_penalty", sampling.frequencyPenalty, [0, 1]);
  const presence = within("presence_penalty", sampling.presencePenalty, [0, 1]);
  const isBoth = (frequency ?? 0) > 0 && (presence ?? 0) > 0;
  if (isBoth) report.meet("presence-penalty");
  return {
    temperature: within("temperature", sampling.temperature, [0, 1]),
    p: within("p", sampling.topP, [0.01, 0.99]),
    k: within("k", sampling.topK, [0, 500]),
    seed: isSeed ? seed : undefined,
    frequency_penalty: frequency === 0 ? undefined : frequency,
    presence_penalty: presence === 0 || isBoth ? undefined : presence,
  };
}

/** LiteLLM's budgets; from `high` on the model may think without a bound, which is Cohere's own default. */
const budgets: Readonly<Record<string, number>> = { minimal: 1024, low: 1024, medium: 2048 };

function encodeThinking(wish: ReasoningWish | undefined, target: EncodeTarget, report: LossReport): unknown {
  if (wish === undefined) return undefined;
  const reasons = target.traits?.capabilities.reasoning;
  const isOff = wish.mode === "off" || wish.effort === "none";
  if (isOff) return reasons === true ? { type: "disabled" } : undefined;
  if (reasons === false) {
    report.meet("reasoning-unsupported");
    return undefined;
  }
  if (wish.budgetTokens !== undefined) return { type: "enabled", token_budget: wish.budgetTokens };
  const budget = wish.effort === undefined ? undefined : budgets[wish.effort];
  if (wish.effort !== undefined) {
    report.meet("effort-as-budget", `${wish.effort} as ${budget === undefined ? "no bound" : `${budget} tokens`}`);
  }
  return { type: "enabled", ...(budget === undefined ? {} : { token_budget: budget }) };
}
