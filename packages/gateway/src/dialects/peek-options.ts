import type { CallAddress, CallOptions, ProviderWish } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import { readJson, type FieldScan } from "#wire/json-splice";
import { readConfidenceWish } from "./peek-confidence.ts";
import { endUser } from "./read-bounds.ts";
import { ShapeReader, type JsonObject } from "./shape.ts";

/** Top-level fields that are the gateway's own, in every dialect: removed before a body goes to a provider. */
export const ownFields = ["hedgerow", "models", "fallbacks", "provider", "session_id"] as const;

const ownOptions = [
  "route",
  "min_confidence",
  "confidence",
  "timeout_ms",
  "session",
  "user",
  "tags",
  "metadata",
  "sort",
  "max_latency_ms",
  "reasoning",
] as const;
const efforts = ["minimal", "low", "medium", "high", "xhigh", "max"] as const;
const providerWishes = ["order", "only", "ignore", "allow_fallbacks", "sort", "max_price"] as const;
const priceCeilings = ["prompt", "completion"] as const;
const nanoPerUsd = 1e9;
const mostNames = 32;
const longestWord = 256;

export type CallOptionsRead =
  | {
      readonly kind: "read";
      /** The first name asked for; empty where the caller left it to the gateway. */
      readonly model: string;
      readonly streamed: boolean;
      readonly options: CallOptions;
    }
  | { readonly kind: "refused"; readonly failure: Failure };

/**
 * Reads what decides a plan from the scanned top level: `model` (a string, or an array as a synonym of a chain),
 * `models` and `fallbacks`, `stream`, `session_id`, OpenRouter's `provider` and our own `hedgerow` object. What is
 * there and cannot be honoured is refused by name rather than ignored. Where the address says the model, and whether the
 * answer is streamed, the body's fields of those names are no concern of ours.
 */
export function readCallOptions(body: Uint8Array, scan: FieldScan, address: CallAddress = {}): CallOptionsRead {
  const reader = new ShapeReader();
  const field = (name: string): unknown => {
    const span = scan.fields.get(name);
    if (span === undefined) return undefined;
    const read = readJson(body, span);
    return read.ok ? read.value : reader.refuse(name, `is broken JSON: ${read.problem}`);
  };
  const asked = address.model === undefined ? readNames(reader, field("model")) : [address.model];
  const chain = [...asked, ...readModels(reader, field("models")), ...readFallbacks(reader, field("fallbacks"))];
  if (chain.length > mostNames) reader.refuse("model", `and its fallbacks may name at most ${mostNames} models`);
  const streamed = address.streamed ?? reader.optionalBoolean(field("stream"), "stream") ?? false;
  const own = readOwnOptions(reader, field("hedgerow"));
  const session = own.session ?? boundedWord(reader, field("session_id"), "session_id");
  const provider = readProviderWish(reader, field("provider"));
  const user = own.user ?? endUser(body, scan);
  if (reader.failure !== undefined) return { kind: "refused", failure: reader.failure };
  const chained = scan.fields.has("models") || scan.fields.has("fallbacks") || asked.length > 1;
  const options: CallOptions = {
    ...own,
    ...(chained ? { chain: [...new Set(chain)] } : {}),
    ...(session === undefined ? {} : { session }),
    ...(user === undefined ? {} : { user }),
    ...(provider === undefined ? {} : { provider }),
  };
  return { kind: "read", model: asked[0] ?? chain[0] ?? "", streamed, options };
}

/** Refuses a body that repeats a field two parsers could read differently. */
export function refuseRepeated(scan: FieldScan, guarded: readonly string[]): Failure | undefined {
  const repeated = scan.repeated.find((key) => guarded.includes(key) || (ownFields as readonly string[]).includes(key));
  if (repeated === undefined) return undefined;
  return failure("invalid_request", `${repeated} is given more than once; send it once`, { param: repeated });
}

function readNames(reader: ShapeReader, model: unknown): readonly string[] {
  if (model === undefined || model === "") return [];
  if (typeof model === "string") return [model];
  if (!Array.isArray(model) || model.length === 0) {
    reader.refuse("model", "must be a model's name, or an array of names to try in that order");
    return [];
  }
  return model.map((name, index) => reader.word(name, `model[${index}]`));
}

function readModels(reader: ShapeReader, models: unknown): readonly string[] {
  return reader.optionalWords(models, "models") ?? [];
}

/** Strings, or `{ model }`: other members would be overrides for that model alone, which are not honoured. */
function readFallbacks(reader: ShapeReader, fallbacks: unknown): readonly string[] {
  if (fallbacks === undefined || fallbacks === null) return [];
  return reader.array(fallbacks, "fallbacks").map((entry, index) => {
    const path = `fallbacks[${index}]`;
    if (typeof entry === "string") return reader.word(entry, path);
    const object = reader.object(entry, path);
    if (object === undefined) return "";
    const other = Object.keys(object).find((key) => key !== "model");
    if (other !== undefined) reader.refuse(`${path}.${other}`, "is not honoured; write only the model's name");
    return reader.word(object["model"], `${path}.model`);
  });
}

function readOwnOptions(reader: ShapeReader, value: unknown): CallOptions {
  const own = reader.optionalObject(value, "hedgerow");
  if (own === undefined) return { metadata: false };
  refuseUnknown(reader, own, { path: "hedgerow", known: ownOptions });
  const route = boundedWord(reader, own["route"], "hedgerow.route");
  const session = boundedWord(reader, own["session"], "hedgerow.session");
  const user = boundedWord(reader, own["user"], "hedgerow.user");
  const timeoutMs = reader.optionalNumber(own["timeout_ms"], "hedgerow.timeout_ms");
  if (timeoutMs !== undefined && timeoutMs <= 0) reader.refuse("hedgerow.timeout_ms", "must be above 0 milliseconds");
  const minConfidence = reader.optionalNumber(own["min_confidence"], "hedgerow.min_confidence");
  if (minConfidence !== undefined && (minConfidence < 0 || minConfidence > 1)) {
    reader.refuse("hedgerow.min_confidence", "must be a number from 0 to 1");
  }
  const confidence = readConfidenceWish(reader, own["confidence"]);
  const tags = reader.optionalWords(own["tags"], "hedgerow.tags");
  if (tags !== undefined && (tags.length > mostNames || tags.some((tag) => tag.length > longestWord))) {
    reader.refuse("hedgerow.tags", `may hold at most ${mostNames} tags of at most ${longestWord} characters`);
  }
  return {
    metadata: reader.optionalBoolean(own["metadata"], "hedgerow.metadata") ?? false,
    ...readPlanWishes(reader, own),
    ...(route === undefined ? {} : { route }),
    ...(session === undefined ? {} : { session }),
    ...(user === undefined ? {} : { user }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(minConfidence === undefined ? {} : { minConfidence }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** What the caller asks of the choice of targets. */
function readPlanWishes(
  reader: ShapeReader,
  own: JsonObject,
): Pick<CallOptions, "sort" | "maxLatencyMs" | "reasoning"> {
  const sort = reader.optionalOneOf(own["sort"], "hedgerow.sort", ["price", "latency", "throughput", "quality"]);
  const maxLatencyMs = reader.optionalNumber(own["max_latency_ms"], "hedgerow.max_latency_ms");
  if (maxLatencyMs !== undefined && maxLatencyMs <= 0) {
    reader.refuse("hedgerow.max_latency_ms", "must be above 0 milliseconds");
  }
  const reasoning = reader.optionalOneOf(own["reasoning"], "hedgerow.reasoning", efforts);
  return {
    ...(sort === undefined ? {} : { sort }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function readProviderWish(reader: ShapeReader, value: unknown): ProviderWish | undefined {
  const wish = reader.optionalObject(value, "provider");
  if (wish === undefined) return undefined;
  refuseUnknown(reader, wish, { path: "provider", known: providerWishes });
  const order = reader.optionalWords(wish["order"], "provider.order");
  const only = reader.optionalWords(wish["only"], "provider.only");
  const ignore = reader.optionalWords(wish["ignore"], "provider.ignore");
  const allowFallbacks = reader.optionalBoolean(wish["allow_fallbacks"], "provider.allow_fallbacks");
  const sort = reader.optionalOneOf(wish["sort"], "provider.sort", ["price", "latency", "throughput"]);
  const maxPrice = readMaxPrice(reader, wish["max_price"]);
  return {
    ...(sort === undefined ? {} : { sort }),
    ...(maxPrice === undefined ? {} : { maxPrice }),
    ...(order === undefined ? {} : { order }),
    ...(only === undefined ? {} : { only }),
    ...(ignore === undefined ? {} : { ignore }),
    ...(allowFallbacks === undefined ? {} : { allowFallbacks }),
  };
}

/** USD per million tokens, as OpenRouter writes them. */
function readMaxPrice(reader: ShapeReader, value: unknown): ProviderWish["maxPrice"] {
  const ceilings = reader.optionalObject(value, "provider.max_price");
  if (ceilings === undefined) return undefined;
  refuseUnknown(reader, ceilings, { path: "provider.max_price", known: priceCeilings });
  const read = (name: (typeof priceCeilings)[number]): number | undefined => {
    const usd = reader.optionalNumber(ceilings[name], `provider.max_price.${name}`);
    if (usd !== undefined && usd < 0) reader.refuse(`provider.max_price.${name}`, "must not be below 0");
    return usd === undefined ? undefined : Math.round(usd * nanoPerUsd);
  };
  const prompt = read("prompt");
  const completion = read("completion");
  return { ...(prompt === undefined ? {} : { prompt }), ...(completion === undefined ? {} : { completion }) };
}

/** A wish that is not understood must not look granted: `zdr: true` ignored would be a broken promise. */
function refuseUnknown(
  reader: ShapeReader,
  object: JsonObject,
  expected: { readonly path: string; readonly known: readonly string[] },
): void {
  const unknown = Object.keys(object).find((key) => !expected.known.includes(key));
  if (unknown === undefined) return;
  reader.refuse(`${expected.path}.${unknown}`, `is not honoured by this gateway; use ${expected.known.join(", ")}`);
}

function boundedWord(reader: ShapeReader, value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const word = reader.word(value, path);
  return word.length <= longestWord ? word : reader.refuse(path, `may have at most ${longestWord} characters`);
}
