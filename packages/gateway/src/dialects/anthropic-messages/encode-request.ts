import type { GenerateRequest, TextPart } from "#domain/request";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { arrangeTurns, type ArrangedTurn } from "./arrange-turns.ts";
import { BlockEncoder } from "./encode-blocks.ts";
import { encodeThinking } from "#dialects/claude-thinking";
import { encodeTools } from "./encode-tools.ts";
import { LossLedger } from "./losses.ts";
import { generationOf } from "#dialects/claude-generation";
import { closedSchema } from "#dialects/closed-schema";

/**
 * The version in which `temperature`, `top_p` and `top_k` exist: 2026-10-21 answers 400 to them, even at their
 * defaults. Compatible servers know no other.
 */
export const messagesVersion = "2023-06-01";

/** Where neither the caller nor the catalogue says how long an answer may be; peers use the same number. */
const inventedMaxTokens = 4096;

/** From the hub to a Messages body. The order of fields is fixed: the same request gives the same bytes. */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  refuseMeanings(request, ledger);
  dropWishes(request, ledger);
  const json = bodyJson(request, target, ledger);
  return finished(json, ledger);
}

/** Counting takes only what makes up the prompt, and answers 400 to the rest (`MessageCountTokensParams`, SDK 1.12). */
export function encodeCountRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  for (const field of request.needed ?? []) ledger.note("needed-field", field);
  const { fields, cache } = promptFields(request, { target, ledger, maxTokens: roomForThoughts });
  const json = joinedFields([["model", JSON.stringify(target.model)], ...fields, cache]);
  return finished(json, ledger);
}

/** The answer's length is no part of a count, so that it takes no room from a budget for thinking. */
const roomForThoughts = Number.MAX_SAFE_INTEGER;

function finished(json: string, ledger: LossLedger): Encoded {
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  return {
    kind: "encoded",
    body: Buffer.from(json),
    headers: { "anthropic-version": messagesVersion },
    warnings: ledger.warnings,
  };
}

type Field = readonly [name: string, json: string | undefined];

function bodyJson(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): string {
  const maxTokens = maxTokensOf(request, target, ledger);
  const { fields, cache, thinks } = promptFields(request, { target, ledger, maxTokens });
  const sampling = encodeSampling(request, target, { thinks, ledger });
  return joinedFields([
    ["model", JSON.stringify(target.model)],
    ["max_tokens", String(maxTokens)],
    ["stream", target.streamed ? "true" : undefined],
    ...fields,
    ["stop_sequences", request.stop.length === 0 ? undefined : JSON.stringify(request.stop)],
    ["temperature", JSON.stringify(sampling.temperature)],
    ["top_p", JSON.stringify(sampling.topP)],
    ["top_k", JSON.stringify(sampling.topK)],
    ["metadata", request.user === undefined ? undefined : JSON.stringify({ user_id: request.user })],
    ["service_tier", JSON.stringify(encodeServiceTier(request, ledger))],
    cache,
  ]);
}

interface Prompting {
  readonly target: EncodeTarget;
  readonly ledger: LossLedger;
  readonly maxTokens: number;
}

/** What the model reads. The mark that the whole of it may be cached stands apart, at the end of the body. */
function promptFields(
  request: GenerateRequest,
  { target, ledger, maxTokens }: Prompting,
): { readonly fields: readonly Field[]; readonly cache: Field; readonly thinks: boolean } {
  const blocks = new BlockEncoder(ledger);
  const wholeCache = blocks.wholeCacheControl(request.cache);
  const { system, turns } = arrangeTurns(request.turns, target.issuer, ledger);
  const { tools, choice } = encodeTools({ request, target, turns, blocks, ledger });
  const { thinking, effort } = encodeThinking({
    request,
    target,
    maxTokens,
    unexplainedCalls: hasUnexplainedCalls(turns),
    ledger,
  });
  const format = encodeFormat(request, target, ledger);
  const instructed = request.output?.kind === "json" ? [...system, jsonInstruction] : system;
  if (request.output?.kind === "json") ledger.note("json-mode");
  const outputConfig = effort === undefined && format === undefined ? undefined : { effort, format };
  return {
    fields: [
      ["tools", tools.length === 0 ? undefined : JSON.stringify(tools)],
      ["tool_choice", JSON.stringify(choice)],
      ["system", systemJson(instructed, blocks)],
      ["messages", `[${turns.map((turn) => messageJson(turn, blocks)).join(",")}]`],
      ["thinking", JSON.stringify(thinking)],
      ["output_config", JSON.stringify(outputConfig)],
    ],
    cache: ["cache_control", JSON.stringify(wholeCache)],
    thinks: thinking !== undefined && thinking["type"] !== "disabled",
  };
}

/** `JSON.stringify(undefined)` is undefined at run time, whatever its type says: absent fields are left out here. */
function joinedFields(fields: readonly Field[]): string {
  const present = fields.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
}

/** What cannot be left out without changing what the caller gets. */
function refuseMeanings(request: GenerateRequest, ledger: LossLedger): void {
  if (request.choices > 1) ledger.note("choices");
  if (request.logprobs !== undefined) ledger.note("logprobs");
  if (Object.keys(request.sampling.logitBias ?? {}).length > 0) ledger.note("logit-bias");
  if (request.stop.some((stop) => stop.trim() === "")) ledger.note("blank-stop");
  for (const field of request.needed ?? []) ledger.note("needed-field", field);
}

function dropWishes(request: GenerateRequest, ledger: LossLedger): void {
  const { frequencyPenalty = 0, presencePenalty = 0, seed } = request.sampling;
  if (frequencyPenalty !== 0 || presencePenalty !== 0) ledger.note("penalties");
  if (seed !== undefined) ledger.note("seed");
  if (request.verbosity !== undefined) ledger.note("verbosity");
  const unknown = Object.keys(request.rest)
    .filter((field) => request.needed?.includes(field) !== true)
    .toSorted();
  if (unknown.length > 0) ledger.note("unknown-field", unknown.join(", "));
}

function maxTokensOf(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): number {
  const most = target.traits?.maxOutputTokens;
  const wished = request.maxOutputTokens;
  if (wished === undefined) {
    if (most === undefined) ledger.note("max-tokens-invented");
    return most ?? inventedMaxTokens;
  }
  if (most === undefined || wished <= most) return wished;
  ledger.note("max-tokens-lowered", `${wished} to ${most}`);
  return most;
}

/** With thinking on, some generations refuse a tool call in the running exchange that no thought precedes. */
function hasUnexplainedCalls(turns: readonly ArrangedTurn[]): boolean {
  const last = turns.findLast((turn) => turn.role === "assistant");
  const parts = last?.parts ?? [];
  return parts.some((part) => part.kind === "tool-call") && !parts.some((part) => part.kind === "reasoning");
}

const jsonInstruction: TextPart = {
  kind: "text",
  text: "Answer with one valid JSON object and nothing else: no text around it and no code fence.",
};

function encodeFormat(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): unknown {
  const { output } = request;
  if (output?.kind !== "json-schema") return undefined;
  if (target.traits?.capabilities.structuredOutput === false) ledger.note("json-schema-unsupported");
  const described =
    output.description === undefined || typeof output.schema !== "object"
      ? output.schema
      : { description: output.description, ...output.schema };
  return { type: "json_schema", schema: closedSchema(described, ledger) };
}

interface SamplingFields {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
}

function encodeSampling(
  request: GenerateRequest,
  target: EncodeTarget,
  { thinks, ledger }: { readonly thinks: boolean; readonly ledger: LossLedger },
): SamplingFields {
  const { temperature, topP, topK } = request.sampling;
  if (temperature === undefined && topP === undefined && topK === undefined) return {};
  const generation = generationOf(target.model);
  if (!(target.traits?.capabilities.sampling ?? generation.sampling)) {
    ledger.note("sampling");
    return {};
  }
  if (thinks) {
    ledger.note("sampling-while-thinking");
    return {};
  }
  if (temperature !== undefined && temperature > 1) ledger.note("temperature", `it was ${temperature}`);
  const either = temperature !== undefined && topP !== undefined && !generation.bothSampling;
  if (either) ledger.note("top-p-beside-temperature");
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === undefined || either ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
  };
}

/** OpenAI's `default` is the standard tier by name. */
const serviceTiers: ReadonlyMap<string, string> = new Map([
  ["auto", "auto"],
  ["default", "standard_only"],
  ["standard_only", "standard_only"],
]);

function encodeServiceTier(request: GenerateRequest, ledger: LossLedger): string | undefined {
  if (request.serviceTier === undefined) return undefined;
  const tier = serviceTiers.get(request.serviceTier);
  if (tier === undefined) ledger.note("service-tier", request.serviceTier);
  return tier;
}

function systemJson(parts: readonly TextPart[], blocks: BlockEncoder): string | undefined {
  const [only] = parts;
  if (only === undefined) return undefined;
  return parts.length === 1 && only.cache === undefined && only.citations === undefined
    ? JSON.stringify(only.text)
    : `[${parts.map((part) => blocks.block(part, "system")).join(",")}]`;
}

function messageJson(turn: ArrangedTurn, blocks: BlockEncoder): string {
  const [only] = turn.parts;
  const plain =
    turn.parts.length === 1 && only?.kind === "text" && only.cache === undefined && only.citations === undefined;
  const content = plain
    ? JSON.stringify(only.text)
    : `[${turn.parts.map((part) => blocks.block(part, turn.role)).join(",")}]`;
  return `{"role":"${turn.role}","content":${content}}`;
}
