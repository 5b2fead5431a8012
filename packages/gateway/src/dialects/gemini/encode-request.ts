import type { GenerateRequest } from "#domain/request";
import { markAdded, wishedLogprobs } from "#dialects/added-logprobs";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import type { JsonObject } from "#dialects/shape";
import { arrangeContents } from "./arrange-contents.ts";
import { PartEncoder } from "./encode-parts.ts";
import { encodeThinking } from "./encode-thinking.ts";
import { encodeTools } from "./encode-tools.ts";
import { knownSchema } from "./json-schema.ts";
import { LossLedger } from "./losses.ts";
import { generationOf } from "./model-generation.ts";

const mostStopSequences = 5;
const mostLogprobs = 20;
const highestTemperature = 2;
const largestSeed = 2 ** 31 - 1;

/** From the hub to a `GenerateContentRequest`. The order of fields is fixed: the same request gives the same bytes. */
export function encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  const fields = requestFields(request, target, ledger);
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  const { added } = wishedLogprobs(request, target, false);
  const body = Buffer.from(joinedFields(fields));
  return { kind: "encoded", body, headers: {}, warnings: ledger.warnings, ...markAdded(added) };
}

/** A field's JSON text; undefined where it is absent. */
export type RequestField = readonly [name: string, json: string | undefined];

export function requestFields(
  request: GenerateRequest,
  target: EncodeTarget,
  ledger: LossLedger,
): readonly RequestField[] {
  refuseMeanings(request, ledger);
  dropWishes(request, ledger);
  const generation = generationOf(target.model);
  const parts = new PartEncoder(generation, ledger);
  const { instructions, contents } = arrangeContents(request.turns, target, ledger);
  const { tools, toolConfig } = encodeTools(request, ledger);
  const config = generationConfig(request, target, { hasTools: tools !== undefined, ledger });
  return [
    [
      "systemInstruction",
      instructions.length === 0 ? undefined : instructionJson(instructions.map((part) => parts.part(part))),
    ],
    ["contents", `[${contents.map((content) => parts.content(content)).join(",")}]`],
    ["tools", JSON.stringify(tools)],
    ["toolConfig", JSON.stringify(toolConfig)],
    ["generationConfig", Object.keys(config).length === 0 ? undefined : JSON.stringify(config)],
    ["serviceTier", JSON.stringify(encodeServiceTier(request, ledger))],
  ];
}

/** `JSON.stringify(undefined)` is undefined at run time, whatever its type says: absent fields are left out here. */
export function joinedFields(fields: readonly RequestField[]): string {
  const present = fields.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
}

function instructionJson(parts: readonly string[]): string {
  return `{"parts":[${parts.join(",")}]}`;
}

/** What cannot be left out without changing what the caller gets. */
function refuseMeanings(request: GenerateRequest, ledger: LossLedger): void {
  if (request.choices > 1) ledger.note("choices");
  if ((request.logprobs?.top ?? 0) > mostLogprobs) ledger.note("logprobs");
  if (Object.keys(request.sampling.logitBias ?? {}).length > 0) ledger.note("logit-bias");
  if (request.stop.length > mostStopSequences) ledger.note("stop-count");
  if (request.stop.includes("")) ledger.note("blank-stop");
  for (const field of request.needed ?? []) ledger.note("needed-field", field);
}

function dropWishes(request: GenerateRequest, ledger: LossLedger): void {
  if (request.user !== undefined) ledger.note("user");
  if (request.verbosity !== undefined) ledger.note("verbosity");
  if (request.cache !== undefined) ledger.note("cache-markers");
  const unknown = Object.keys(request.rest)
    .filter((field) => request.needed?.includes(field) !== true)
    .toSorted();
  if (unknown.length > 0) ledger.note("unknown-field", unknown.join(", "));
}

interface ConfigSituation {
  readonly hasTools: boolean;
  readonly ledger: LossLedger;
}

function generationConfig(request: GenerateRequest, target: EncodeTarget, situation: ConfigSituation): JsonObject {
  const { ledger } = situation;
  const { temperature, topP, topK, frequencyPenalty = 0, presencePenalty = 0 } = request.sampling;
  if (temperature !== undefined && temperature > highestTemperature)
    ledger.note("temperature", `it was ${temperature}`);
  const seed = seedOf(request, ledger);
  const maxOutputTokens = maxTokensOf(request, target, ledger);
  const thinkingConfig = encodeThinking({ request, target, ledger });
  return {
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, highestTemperature) }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(presencePenalty === 0 ? {} : { presencePenalty }),
    ...(frequencyPenalty === 0 ? {} : { frequencyPenalty }),
    ...(seed === undefined ? {} : { seed }),
    ...(request.stop.length === 0 ? {} : { stopSequences: request.stop }),
    ...encodeOutput(request, target, situation),
    ...encodeLogprobs(wishedLogprobs(request, target, false).logprobs),
    ...(thinkingConfig === undefined ? {} : { thinkingConfig }),
  };
}

function seedOf({ sampling: { seed } }: GenerateRequest, ledger: LossLedger): number | undefined {
  if (seed === undefined) return undefined;
  if (Number.isInteger(seed) && Math.abs(seed) <= largestSeed) return seed;
  ledger.note("seed");
  return undefined;
}

function maxTokensOf(request: GenerateRequest, target: EncodeTarget, ledger: LossLedger): number | undefined {
  const most = target.traits?.maxOutputTokens;
  const wished = request.maxOutputTokens;
  if (wished === undefined || most === undefined || wished <= most) return wished;
  ledger.note("max-tokens-lowered", `${wished} to ${most}`);
  return most;
}

/** `responseJsonSchema` rather than `responseSchema`: Google's own kind of schema lacks half of the words. */
function encodeOutput(
  { output }: GenerateRequest,
  target: EncodeTarget,
  { hasTools, ledger }: ConfigSituation,
): JsonObject {
  if (output === undefined || output.kind === "text") return {};
  if (hasTools && !generationOf(target.model).jsonWithTools) ledger.note("json-with-tools");
  if (output.kind === "json") return { responseMimeType: "application/json" };
  if (target.traits?.capabilities.structuredOutput === false) ledger.note("json-schema-unsupported");
  const described =
    output.description === undefined || typeof output.schema !== "object"
      ? output.schema
      : { description: output.description, ...output.schema };
  return { responseMimeType: "application/json", responseJsonSchema: knownSchema(described, ledger) };
}

function encodeLogprobs(logprobs: GenerateRequest["logprobs"]): JsonObject {
  if (logprobs === undefined) return {};
  const { top = 0 } = logprobs;
  return { responseLogprobs: true, ...(top === 0 ? {} : { logprobs: top }) };
}

/** OpenAI's and Anthropic's words, in Google's (the SDK's ServiceTier, 3.3). */
const serviceTiers: ReadonlyMap<string, string | undefined> = new Map([
  ["auto", undefined],
  ["default", "standard"],
  ["standard", "standard"],
  ["standard_only", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
]);

function encodeServiceTier({ serviceTier }: GenerateRequest, ledger: LossLedger): string | undefined {
  if (serviceTier === undefined) return undefined;
  if (!serviceTiers.has(serviceTier)) ledger.note("service-tier", serviceTier.slice(0, 100));
  return serviceTiers.get(serviceTier);
}
