import { createHash } from "node:crypto";
import type { GenerateRequest } from "#domain/request";
import { markAdded, wishedLogprobs } from "#dialects/added-logprobs";
import { effortOfBudget } from "#dialects/openai-chat/encode-reasoning";
import {
  nearestEffort,
  refusedFields,
  refusesLogprobs,
  refusesSampling,
  takesNoEffort,
} from "#dialects/openai-chat/forbidden";
import { hintFields } from "#dialects/openai-chat/hint-fields";
import { isStrictSchema } from "#dialects/openai-chat/strict-schema";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { defined } from "#dialects/shape";
import { encodeInput } from "./encode-items.ts";
import { encodeTools } from "./encode-tools.ts";
import { LossLedger } from "./losses.ts";

/** "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16". */
const leastTokens = 16;
const longestUser = 64;
const schemaName = /^[a-zA-Z0-9_-]{1,64}$/u;
const serviceTiers: ReadonlySet<string> = new Set(["auto", "default", "flex", "scale", "priority", "fast"]);

/** OpenAI's models that think; others answer 400 where a sealed thought is asked for. */
const thinkers = /(?:^|\/)(?:o\d|gpt-(?:[5-9]|[1-9]\d))(?![\w.-]*chat)/u;

/** Fields that OpenAI's two languages have in common and the hub has no word for. */
const carried = [
  "metadata",
  "moderation",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
] as const;

const known: ReadonlySet<string> = new Set([...carried, "store"]);

type Body = Record<string, unknown>;

/** From the hub to a Responses body. The order of fields is fixed: the same request gives the same bytes. */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  noteLosses(request, ledger);
  const prompt = promptFields(request, target, ledger);
  const effort = prompt.reasoning?.effort;
  const { logprobs, added } = wishedLogprobs(request, target, refusesLogprobs(target, effort));
  const body: Body = defined({
    model: target.model,
    ...prompt,
    ...encodeSampling(request, target, { effort, ledger }),
    max_output_tokens: encodeMaxTokens(request.maxOutputTokens, target, ledger),
    ...includeFields(logprobs, target),
    safety_identifier: encodeUser(request.user, ledger),
    service_tier: encodeServiceTier(request.serviceTier, ledger),
    store: request.rest["store"] === true,
    ...Object.fromEntries(carried.map((name) => [name, request.rest[name]])),
    stream: target.streamed ? true : undefined,
  });
  leaveOutRefused(body, target, ledger);
  const encoded = finished(body, ledger);
  return encoded.kind === "encoded" ? { ...encoded, ...markAdded(added) } : encoded;
}

/** Counting takes only what makes up the prompt, and answers 400 to the rest (`InputTokenCountParams`, openai 7.57). */
export function encodeCountRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  for (const field of request.needed ?? []) ledger.note("needed-field", field, field);
  return finished(defined({ model: target.model, ...promptFields(request, target, ledger) }), ledger);
}

function finished(body: Body, ledger: LossLedger): Encoded {
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  return { kind: "encoded", body: Buffer.from(JSON.stringify(body)), headers: {}, warnings: ledger.warnings };
}

function promptFields(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger) {
  return {
    input: encodeInput(request.turns, target, ledger),
    ...encodeTools(request, ledger),
    text: encodeText(request, target, ledger),
    reasoning: encodeReasoning(request, target, ledger),
  };
}

function noteLosses(request: GenerateRequest, ledger: LossLedger): void {
  const { sampling, needed = [], rest } = request;
  if (request.choices > 1) ledger.note("choices", undefined, "n");
  if (request.stop.length > 0) ledger.note("stop", undefined, "stop");
  if (Object.keys(sampling.logitBias ?? {}).length > 0) ledger.note("logit-bias", undefined, "logit_bias");
  if (sampling.seed !== undefined) ledger.note("seed");
  if ((sampling.frequencyPenalty ?? 0) !== 0 || (sampling.presencePenalty ?? 0) !== 0) ledger.note("penalties");
  if (sampling.topK !== undefined) ledger.note("top-k");
  if (request.cache !== undefined) ledger.note("cache-markers");
  if (request.turns.at(-1)?.role === "assistant") ledger.note("prefill");
  for (const field of needed) if (!known.has(field)) ledger.note("needed-field", field, field);
  const unknown = Object.keys(rest).filter((field) => !known.has(field) && !needed.includes(field));
  if (unknown.length > 0) ledger.note("unknown-field", unknown.toSorted().join(", "));
}

function encodeText(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): unknown {
  const { verbosity } = request;
  const format = encodeFormat(request, target, ledger);
  return format === undefined && verbosity === undefined ? undefined : defined({ format, verbosity });
}

function encodeFormat({ output }: GenerateRequest, target: EncodeTarget, ledger: LossLedger): unknown {
  if (output === undefined || output.kind === "text") return undefined;
  if (output.kind === "json") return { type: "json_object" };
  const isUnsupported = target.traits?.capabilities.structuredOutput === false || !target.quirks.jsonSchema;
  if (isUnsupported) ledger.note("json-schema-unsupported", undefined, "text.format");
  const { name = "response", description, schema } = output;
  if (!schemaName.test(name)) ledger.note("schema-name", name, "text.format.name");
  // Other languages enforce every schema; OpenAI does so only where it is told to, and not every one.
  const strict = output.strict ?? isStrictSchema(schema);
  if (!strict && output.strict === undefined) ledger.note("json-schema-loose");
  return defined({ type: "json_schema", name, description, schema, strict });
}

interface AskedReasoning {
  readonly effort?: string;
  readonly summary?: string;
}

function encodeReasoning(
  request: GenerateRequest,
  target: EncodeTarget,
  ledger: LossLedger,
): AskedReasoning | undefined {
  const wish = request.reasoning;
  if (wish === undefined) return undefined;
  const reasons = target.traits?.capabilities.reasoning;
  if (wish.mode === "off") return wish.effort === "none" || reasons === true ? { effort: "none" } : undefined;
  if (reasons === false) {
    ledger.note("reasoning-unsupported");
    return undefined;
  }
  if (takesNoEffort(target)) {
    if (wish.effort !== undefined || wish.budgetTokens !== undefined) ledger.note("effort-fixed");
    return wish.display === "summarized" ? { summary: "auto" } : undefined;
  }
  if (wish.effort === undefined && wish.budgetTokens !== undefined) ledger.note("reasoning-budget");
  // What is said of a wish without a measure agrees with OpenAI Chat's encoder.
  const usual = wish.mode === "adaptive" ? "high" : "medium";
  const effort = wish.effort ?? (wish.budgetTokens === undefined ? usual : effortOfBudget(wish.budgetTokens));
  // Not unasked: organisations that OpenAI has not verified get 400 for it.
  const nearest = nearestEffort(effort, target);
  if (nearest !== undefined) ledger.note("effort-moved", `${effort} to ${nearest}`);
  return defined({ effort: nearest ?? effort, summary: wish.display === "summarized" ? "auto" : undefined });
}

function encodeSampling(
  request: GenerateRequest,
  target: EncodeTarget,
  { effort, ledger }: { readonly effort: string | undefined; readonly ledger: LossLedger },
): Body {
  const { temperature, topP } = request.sampling;
  if (!refusesSampling(target, effort)) return { temperature, top_p: topP };
  if (temperature !== undefined || topP !== undefined) ledger.note("sampling");
  return {};
}

function encodeMaxTokens(wished: number | undefined, target: EncodeTarget, ledger: LossLedger): number | undefined {
  if (wished === undefined) return undefined;
  const most = target.traits?.maxOutputTokens;
  if (most !== undefined && wished > most) {
    ledger.note("max-tokens-lowered", `${wished} to ${most}`);
    return most;
  }
  if (wished >= leastTokens) return wished;
  ledger.note("max-tokens-raised", `it was ${wished}`);
  return leastTokens;
}

/** Nothing is kept at the provider, so its sealed thoughts are asked for: without them the next turn thinks anew. */
function includeFields(logprobs: GenerateRequest["logprobs"], target: EncodeTarget): Body {
  const reasons = target.traits?.capabilities.reasoning ?? thinkers.test(target.traits?.name ?? target.model);
  const include = [
    ...(reasons ? ["reasoning.encrypted_content"] : []),
    ...(logprobs === undefined ? [] : ["message.output_text.logprobs"]),
  ];
  return { include: include.length === 0 ? undefined : include, top_logprobs: logprobs?.top };
}

function encodeUser(user: string | undefined, ledger: LossLedger): string | undefined {
  if (user === undefined || user.length <= longestUser) return user;
  ledger.note("user-id");
  return createHash("sha256").update(user).digest("hex");
}

/** Anthropic's `standard_only` is what OpenAI calls `default`. */
function encodeServiceTier(tier: string | undefined, ledger: LossLedger): string | undefined {
  if (tier === undefined || serviceTiers.has(tier)) return tier;
  if (tier === "standard_only") return "default";
  ledger.note("service-tier", tier);
  return undefined;
}

/** Fields a compatible server is known to answer 400 to, where both of OpenAI's languages name them alike. */
function leaveOutRefused(body: Body, target: EncodeTarget, ledger: LossLedger): void {
  for (const field of refusedFields(target)) {
    if (body[field] === undefined || field === "store") continue;
    if (hintFields.has(field)) ledger.note("refused-hint", field);
    else ledger.note("refused-meaning", field, field);
    delete body[field];
  }
}
