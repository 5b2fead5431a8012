import { failure } from "#domain/failure";
import type { GenerateRequest } from "#domain/request";
import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";

/** What `/v1/completions` writes where its caller sets no limit. */
const usualMaxTokens = 16;

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "prompt",
  "max_tokens",
  "temperature",
  "top_p",
  "n",
  "stream",
  "stream_options",
  "stop",
  "user",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "best_of",
  "echo",
  "suffix",
  "logprobs",
  ...ownFields,
]);

/**
 * A body of `/v1/completions` as a chat of one user message, for targets without completions. What only a completion
 * can do (several prompts, token numbers, an echo, a suffix, its own log-probabilities) is not translatable.
 */
export function decodeCompletion(json: unknown): Decoded {
  if (!isObject(json)) {
    return { kind: "refused", failure: failure("invalid_request", "The body must be a JSON object.") };
  }
  const only = onlyCompletionsCan(json);
  if (only !== undefined) {
    const why = `${only} can be had only where the target has /v1/completions, and this one is asked as a chat`;
    return { kind: "refused", failure: failure("not_translatable", why, { param: only }) };
  }
  const reader = new ShapeReader();
  reader.leave(json, knownFields, "");
  const request = readRequest(reader, json);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

function onlyCompletionsCan(body: JsonObject): string | undefined {
  const { prompt, echo, suffix, logprobs, best_of: bestOf, n } = body;
  const first: unknown = Array.isArray(prompt) ? prompt[0] : prompt;
  if (Array.isArray(prompt) && (prompt.length > 1 || typeof first !== "string")) return "prompt";
  if (echo === true) return "echo";
  if (!isAbsent(suffix) && suffix !== "") return "suffix";
  if (!isAbsent(logprobs)) return "logprobs";
  return !isAbsent(bestOf) && bestOf !== 1 && bestOf !== n ? "best_of" : undefined;
}

function readRequest(reader: ShapeReader, body: JsonObject): GenerateRequest {
  const { prompt } = body;
  const text = reader.word(Array.isArray(prompt) ? prompt[0] : prompt, "prompt");
  const options = reader.optionalObject(body["stream_options"], "stream_options") ?? {};
  const bias = reader.optionalObject(body["logit_bias"], "logit_bias");
  const number = (name: string): number | undefined => reader.optionalNumber(body[name], name);
  return defined({
    model: typeof body["model"] === "string" ? body["model"] : "",
    streamed: reader.optionalBoolean(body["stream"], "stream") ?? false,
    usageInStream: reader.optionalBoolean(options["include_usage"], "stream_options.include_usage") ?? false,
    turns: [{ role: "user" as const, parts: [{ kind: "text" as const, text }] }],
    tools: [],
    sampling: defined({
      temperature: number("temperature"),
      topP: number("top_p"),
      frequencyPenalty: number("frequency_penalty"),
      presencePenalty: number("presence_penalty"),
      seed: number("seed"),
      logitBias: bias === undefined ? undefined : biasOf(reader, bias),
    }),
    maxOutputTokens: reader.optionalCount(body["max_tokens"], "max_tokens", 1) ?? usualMaxTokens,
    stop: typeof body["stop"] === "string" ? [body["stop"]] : (reader.optionalWords(body["stop"], "stop") ?? []),
    user: reader.optionalString(body["user"], "user"),
    choices: reader.optionalCount(body["n"], "n", 1) ?? 1,
    ...reader.remains,
  });
}

function biasOf(reader: ShapeReader, bias: JsonObject): Record<string, number> {
  const read = Object.entries(bias).map(([token, value]) => {
    return [token, reader.optionalNumber(value, `logit_bias.${token}`) ?? 0] as const;
  });
  return Object.fromEntries(read);
}
