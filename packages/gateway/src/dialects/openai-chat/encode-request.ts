import { createHash } from "node:crypto";
import type { GenerateRequest, OutputShape, ToolChoice } from "#domain/request";
import { markAdded, wishedLogprobs } from "#dialects/added-logprobs";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined } from "#dialects/shape";
import { encodeMessages } from "./encode-messages.ts";
import { encodeReasoningEffort } from "./encode-reasoning.ts";
import { refusedFields, refusesLogprobs, refusesSampling, refusesStop } from "./forbidden.ts";
import { hintFields } from "./hint-fields.ts";
import { LossReport } from "./losses.ts";
import { isStrictSchema } from "./strict-schema.ts";

const mostStopSequences = 4;
const longestUser = 64;
const toolName = /^[A-Za-z0-9_-]{1,64}$/u;
const serviceTiers: ReadonlySet<string> = new Set(["auto", "default", "flex", "scale", "priority", "fast"]);

/** From the hub to a chat body for this target. The key order is fixed: the same request gives the same bytes. */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const report = new LossReport();
  const effort = encodeReasoningEffort(request, target, report);
  const { logprobs, added } = wishedLogprobs(request, target, refusesLogprobs(target, effort));
  const body: Record<string, unknown> = defined({
    model: target.model,
    messages: encodeMessages(request.turns, target, report),
    ...encodeTools(request, target, report),
    response_format: encodeOutput(request.output, target, report),
    ...encodeSampling(request, target, { effort, report }),
    [target.quirks.maxOutputField]: encodeMaxTokens(request.maxOutputTokens, target, report),
    stop: request.stop.length > 0 ? request.stop : undefined,
    n: request.choices > 1 ? request.choices : undefined,
    logprobs: logprobs === undefined ? undefined : true,
    top_logprobs: logprobs?.top,
    reasoning_effort: effort,
    verbosity: request.verbosity,
    user: encodeUser(request.user, report),
    service_tier: encodeServiceTier(request.serviceTier, report),
    stream: target.streamed ? true : undefined,
    stream_options: target.streamed && target.quirks.streamUsage === "ask" ? { include_usage: true } : undefined,
  });
  if (request.stop.length > mostStopSequences) report.meet("stop-sequences", undefined, "stop");
  if (request.stop.length > 0 && refusesStop(target)) report.meet("stop-unsupported", undefined, "stop");
  if (request.cache !== undefined) report.meet("cache-markers");
  if (request.turns.at(-1)?.role === "assistant" && target.quirks.prefixes !== "always") report.meet("prefill");
  const { needed = [] } = request;
  for (const field of needed) report.meet("needed-field", field, field);
  const unknown = Object.keys(request.rest).filter((field) => !needed.includes(field));
  if (unknown.length > 0) report.meet("unknown-field", unknown.join(", "));
  leaveOutRefused(body, target, report);
  if (report.refusal !== undefined) return { kind: "refused", failure: report.refusal };
  const bytes = Buffer.from(JSON.stringify(body));
  return { kind: "encoded", body: bytes, headers: {}, warnings: report.warnings, ...markAdded(added) };
}

/** OpenAI answers 400 to more than the model can give; clients of other languages send 128,000 as a matter of course. */
function encodeMaxTokens(wished: number | undefined, target: EncodeTarget, report: LossReport): number | undefined {
  const most = target.traits?.maxOutputTokens;
  if (wished === undefined || most === undefined || wished <= most) return wished;
  report.meet("max-tokens-lowered", `${wished} to ${most}`);
  return most;
}

function leaveOutRefused(body: Record<string, unknown>, target: EncodeTarget, report: LossReport): void {
  for (const field of refusedFields(target)) {
    if (body[field] === undefined) continue;
    if (!hintFields.has(field)) report.meet("refused-meaning", field, field);
    else if (field !== "stream_options") report.meet("refused-hint", field);
    delete body[field];
  }
}

function encodeTools(request: GenerateRequest, target: EncodeTarget, report: LossReport): Record<string, unknown> {
  const tools: unknown[] = [];
  const names = new Set<string>();
  for (const tool of request.tools) {
    if (tool.kind === "foreign") {
      report.meet(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what, "tools");
      continue;
    }
    if (!toolName.test(tool.name)) report.meet("tool-name", tool.name.slice(0, 100), "tools");
    if (tool.cache !== undefined) report.meet("cache-markers");
    names.add(tool.name);
    const description = tool.description === "" ? undefined : tool.description;
    const definition = { name: tool.name, description, parameters: tool.schema, strict: tool.strict };
    tools.push({ type: "function", function: defined(definition) });
  }
  if (tools.length > 0 && target.quirks.toolSignatures !== undefined && target.hasOtherLane === true) {
    report.meet("signatures-elsewhere", undefined, "tools");
  }
  const choice = request.toolChoice;
  const isLost =
    (choice?.kind === "named" && !names.has(choice.name)) || (choice?.kind === "required" && names.size === 0);
  const isIgnored = target.quirks.ignoresToolChoice === true && choice !== undefined;
  if (isIgnored && (choice.kind === "named" || choice.kind === "required")) {
    report.meet("tool-choice-ignored", undefined, "tool_choice");
  }
  if (isIgnored && choice.kind === "none") return {};
  if (isLost) report.meet("foreign-tool-choice", choice.kind === "named" ? choice.name : undefined, "tool_choice");
  // OpenAI refuses both companions where there are no tools.
  if (tools.length === 0) return {};
  return {
    tools,
    tool_choice: choice === undefined || isIgnored ? undefined : encodeChoice(choice, target),
    parallel_tool_calls: request.parallelTools,
  };
}

function encodeChoice(choice: ToolChoice, target: EncodeTarget): unknown {
  if (choice.kind === "named") return { type: "function", function: { name: choice.name } };
  return choice.kind === "required" ? target.quirks.requiredToolChoice : choice.kind;
}

function encodeOutput(output: OutputShape | undefined, target: EncodeTarget, report: LossReport): unknown {
  if (output === undefined || output.kind === "text") return undefined;
  if (output.kind === "json") return { type: "json_object" };
  if (!target.quirks.jsonSchema) report.meet("json-schema", undefined, "response_format");
  const { name, description, schema } = output;
  // Other languages enforce every schema; OpenAI does so only where it is told to, and not every one.
  const strict = output.strict ?? (isStrictSchema(schema) || undefined);
  if (strict === undefined) report.meet("json-schema-loose");
  // Other languages name no schema; OpenAI demands a name.
  return { type: "json_schema", json_schema: defined({ name: name ?? "response", description, schema, strict }) };
}

function encodeSampling(
  request: GenerateRequest,
  target: EncodeTarget,
  { effort, report }: { readonly effort: string | undefined; readonly report: LossReport },
): Record<string, unknown> {
  const { sampling } = request;
  if (sampling.topK !== undefined) report.meet("top-k");
  const knobs = {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    logit_bias: sampling.logitBias,
  };
  const seed = { [target.quirks.seedField]: sampling.seed };
  if (!refusesSampling(target, effort)) return { ...knobs, ...seed };
  const lost = Object.entries(knobs).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (lost.length > 0) report.meet("sampling", lost.join(", "));
  return seed;
}

function encodeUser(user: string | undefined, report: LossReport): string | undefined {
  if (user === undefined || user.length <= longestUser) return user;
  report.meet("user-id");
  return createHash("sha256").update(user).digest("hex");
}

/** Anthropic's `standard_only` is what OpenAI calls `default`. */
function encodeServiceTier(tier: string | undefined, report: LossReport): string | undefined {
  if (tier === undefined || serviceTiers.has(tier)) return tier;
  if (tier === "standard_only") return "default";
  report.meet("service-tier", tier.slice(0, 100));
  return undefined;
}
