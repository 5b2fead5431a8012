import { generationOf } from "#dialects/claude-generation";
import { closedSchema } from "#dialects/closed-schema";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import type { GenerateRequest, TextPart } from "#domain/request";
import { arrangeTurns, type ArrangedTurn } from "./arrange-turns.ts";
import { BlockEncoder } from "./encode-blocks.ts";
import { encodeReasoning } from "./encode-reasoning.ts";
import { encodeTools } from "./encode-tools.ts";
import { LossLedger } from "./losses.ts";
import { familyOf, namesOf, takesTextFormat, type ModelFamily } from "./model-family.ts";
import { ownRequestFields } from "./own-foreign.ts";

/** From the hub to a Converse body. The order of fields is fixed: the same request gives the same bytes. */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  refuseMeanings(request, ledger);
  dropWishes(request, ledger);
  const body = bodyFields(request, target, ledger);
  return encoded(joined(body), ledger);
}

/** A count asks about the prompt, so only what belongs to it is sent (Bedrock's reference: `ConverseTokensRequest`). */
export function encodeCountRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  const body = bodyFields(request, target, ledger).filter(([name]) => promptFields.has(name));
  return encoded(`{"input":{"converse":${joined(body)}}}`, ledger);
}

const promptFields: ReadonlySet<string> = new Set(["messages", "system", "toolConfig", "additionalModelRequestFields"]);

type Field = readonly [name: string, json: string | undefined];

function encoded(json: string, ledger: LossLedger): Encoded {
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  return { kind: "encoded", body: Buffer.from(json), headers: {}, warnings: ledger.warnings };
}

function bodyFields(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): readonly Field[] {
  const family = familyOf(target);
  const blocks = new BlockEncoder(family, ledger);
  const wholeCache = blocks.wholeCachePoint(request.cache);
  const { system, turns } = arrangeTurns(request.turns, target.issuer, ledger);
  const format = encodeFormat(request, target, ledger);
  const { config, claudeChoice } = encodeTools({
    request,
    target,
    family,
    turns,
    blocks,
    ledger,
    ...("answerSchema" in format ? { answerSchema: format.answerSchema } : {}),
  });
  const limit = maxTokensOf(request, target, ledger);
  const forced = "answerSchema" in format ? ({ kind: "required" } as const) : undefined;
  const asked = forced === undefined ? request : { ...request, toolChoice: forced };
  const reasoning = encodeReasoning({ request: asked, target, family, turns, maxTokens: limit, ledger });
  const sampling = encodeSampling(request, target, { family, thinks: reasoning.thinks, ledger });
  const inference = {
    maxTokens: limit ?? reasoning.maxTokens,
    ...sampling.config,
    stopSequences: request.stop.length === 0 ? undefined : request.stop,
  };
  const additional = {
    ...reasoning.fields,
    ...sampling.fields,
    ...(claudeChoice === undefined ? {} : { tool_choice: claudeChoice }),
  };
  const instructed = request.output?.kind === "json" ? [...system, jsonInstruction] : system;
  if (request.output?.kind === "json") ledger.note("json-mode");
  const tier = encodeServiceTier(request, ledger);
  // In the order of the cache: tools were first.
  const systemJson = instructed.length === 0 ? undefined : `[${blocks.blocks(instructed, "system").join(",")}]`;
  return [
    ["messages", messagesJson(turns, blocks, wholeCache)],
    ["system", systemJson],
    ["inferenceConfig", jsonUnlessEmpty(inference)],
    ["toolConfig", config === undefined ? undefined : JSON.stringify(config)],
    ["additionalModelRequestFields", jsonUnlessEmpty(additional)],
    ["additionalModelResponseFieldPaths", stopSequencePath(request, target, family)],
    ["outputConfig", "textFormat" in format ? JSON.stringify({ textFormat: format.textFormat }) : undefined],
    ["serviceTier", tier === undefined ? undefined : JSON.stringify({ type: tier })],
    ...ownFields(request, ledger),
  ];
}

function joined(fields: readonly Field[]): string {
  const present = fields.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
}

function jsonUnlessEmpty(object: object): string | undefined {
  const json = JSON.stringify(object);
  return json === "{}" ? undefined : json;
}

/** What cannot be left out without changing what the caller gets. */
function refuseMeanings(request: GenerateRequest, ledger: LossLedger): void {
  if (request.choices > 1) ledger.note("choices");
  if (request.logprobs !== undefined) ledger.note("logprobs");
  if (Object.keys(request.sampling.logitBias ?? {}).length > 0) ledger.note("logit-bias");
  if (request.stop.some((stop) => stop.trim() === "")) ledger.note("blank-stop");
  for (const field of request.needed ?? []) {
    if (!ownRequestFields.includes(field)) ledger.note("needed-field", field);
  }
}

function dropWishes(request: GenerateRequest, ledger: LossLedger): void {
  const { frequencyPenalty = 0, presencePenalty = 0, seed } = request.sampling;
  if (frequencyPenalty !== 0 || presencePenalty !== 0) ledger.note("penalties");
  if (seed !== undefined) ledger.note("seed");
  if (request.verbosity !== undefined) ledger.note("verbosity");
  const unknown = Object.keys(request.rest)
    .filter((field) => request.needed?.includes(field) !== true && !ownRequestFields.includes(field))
    .toSorted();
  if (unknown.length > 0) ledger.note("unknown-field", unknown.join(", "));
}

/** Without a limit Bedrock gives the model's own. */
function maxTokensOf(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): number | undefined {
  const most = target.traits?.maxOutputTokens;
  const wished = request.maxOutputTokens;
  if (wished === undefined || most === undefined || wished <= most) return wished;
  ledger.note("max-tokens-lowered", `${wished} to ${most}`);
  return most;
}

const jsonInstruction: TextPart = {
  kind: "text",
  text: "Answer with one valid JSON object and nothing else: no text around it and no code fence.",
};

type Format = { readonly textFormat: object } | { readonly answerSchema: unknown } | Readonly<Record<string, never>>;

/** A schema is a text here (recorded); where the model is not held to it, a tool is. */
function encodeFormat(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): Format {
  const { output } = request;
  if (output?.kind !== "json-schema") return {};
  if (takesTextFormat(target)) {
    const { description, name } = output;
    const jsonSchema = {
      name: formatName(name),
      description,
      schema: JSON.stringify(closedSchema(output.schema, ledger)),
    };
    return { textFormat: { type: "json_schema", structure: { jsonSchema } } };
  }
  if (target.traits?.capabilities.tools === false) ledger.note("json-schema-unsupported");
  ledger.note("json-schema-as-tool");
  return { answerSchema: output.schema };
}

function formatName(name: string | undefined): string | undefined {
  const fitting = name?.replace(/[^a-zA-Z0-9_-]/gu, "_").slice(0, 64);
  return fitting === "" ? undefined : fitting;
}

interface SamplingFields {
  readonly config: { readonly temperature?: number; readonly topP?: number };
  readonly fields: Readonly<Record<string, unknown>>;
}

interface SamplingSituation {
  readonly family: ModelFamily;
  readonly thinks: boolean;
  readonly ledger: LossLedger;
}

function encodeSampling(
  request: GenerateRequest,
  target: EncodeTarget,
  { family, thinks, ledger }: SamplingSituation,
): SamplingFields {
  const { temperature, topP, topK } = request.sampling;
  if (temperature === undefined && topP === undefined && topK === undefined) return { config: {}, fields: {} };
  const generation = family.id === "claude" ? generationOf(namesOf(target)) : undefined;
  if (!(target.traits?.capabilities.sampling ?? generation?.sampling ?? true)) {
    ledger.note("sampling");
    return { config: {}, fields: {} };
  }
  if (thinks) {
    ledger.note("sampling-while-thinking");
    return { config: {}, fields: {} };
  }
  if (temperature !== undefined && temperature > 1) ledger.note("temperature", `it was ${temperature}`);
  const either = temperature !== undefined && topP !== undefined && generation?.bothSampling === false;
  if (either) ledger.note("top-p-beside-temperature");
  if (topK !== undefined && family.topK === undefined) ledger.note("top-k");
  return {
    config: {
      ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
      ...(topP === undefined || either ? {} : { topP }),
    },
    fields: topKField(topK, family),
  };
}

function topKField(topK: number | undefined, { topK: place }: ModelFamily): Readonly<Record<string, unknown>> {
  if (topK === undefined || place === undefined) return {};
  return place === "top_k" ? { top_k: topK } : { inferenceConfig: { topK } };
}

/** Which stop sequence was met is told only where it is asked for, and only Claude tells it (the AI SDK asks so). */
function stopSequencePath(request: GenerateRequest, target: EncodeTarget, family: ModelFamily): string | undefined {
  if (request.stop.length === 0 || family.id !== "claude") return undefined;
  return JSON.stringify([target.streamed ? "/delta/stop_sequence" : "/stop_sequence"]);
}

/** Bedrock's tiers (reference: `ServiceTier`); `auto` leaves it to the provider. */
const serviceTiers: ReadonlyMap<string, string> = new Map([
  ["default", "default"],
  ["standard_only", "default"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["reserved", "reserved"],
]);

function encodeServiceTier(request: GenerateRequest, ledger: LossLedger): string | undefined {
  const { serviceTier } = request;
  if (serviceTier === undefined || serviceTier === "auto") return undefined;
  const tier = serviceTiers.get(serviceTier);
  if (tier === undefined) ledger.note("service-tier", serviceTier);
  return tier;
}

/** Bedrock's reference: `RequestMetadata` values. */
const metadataValue = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/u;

/** Fields of this language that came through the hub, and the user, whose id has its place among request metadata. */
function ownFields(request: GenerateRequest, ledger: LossLedger): readonly Field[] {
  const { user, rest } = request;
  const fits = user !== undefined && metadataValue.test(user);
  if (user !== undefined && !fits) ledger.note("user-id");
  const given = rest["requestMetadata"];
  const metadata = { ...(typeof given === "object" ? given : {}), ...(fits ? { user_id: user } : {}) };
  return ownRequestFields.map((name) => {
    if (name === "requestMetadata") return [name, jsonUnlessEmpty(metadata)];
    return [name, rest[name] === undefined ? undefined : JSON.stringify(rest[name])];
  });
}

/** The cache point of the whole prompt stands at its very end. */
function messagesJson(turns: readonly ArrangedTurn[], blocks: BlockEncoder, wholeCache: string | undefined): string {
  const messages = turns.map(({ role, parts }, index) => {
    const content = [...blocks.blocks(parts, role)];
    if (
      index === turns.length - 1 &&
      wholeCache !== undefined &&
      content.at(-1)?.startsWith('{"cachePoint"') !== true
    ) {
      content.push(wholeCache);
    }
    return `{"role":"${role}","content":[${content.join(",")}]}`;
  });
  return `[${messages.join(",")}]`;
}
