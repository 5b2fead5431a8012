import type { JsonObject } from "#dialects/shape";
import type { Effort, ReasoningWish } from "#domain/request";
import type { RequestReader } from "./request-reader.ts";

/** What `additionalModelRequestFields` say in the words of the models' own makers. */
export interface AdditionalFields {
  readonly topK?: number;
  readonly parallelTools?: boolean;
  readonly reasoning?: ReasoningWish;
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
const known: ReadonlySet<string> = new Set([
  "thinking",
  "reasoning_config",
  "reasoningConfig",
  "reasoning_effort",
  "output_config",
  "top_k",
  "inferenceConfig",
  "tool_choice",
]);
const path = "additionalModelRequestFields";

/** `effort` is that of `outputConfig`. */
export function decodeAdditional(reader: RequestReader, value: unknown, effort: Effort | undefined): AdditionalFields {
  const fields = reader.optionalObject(value, path) ?? {};
  reader.leave(fields, known, path);
  const nested = reader.optionalObject(fields["inferenceConfig"], `${path}.inferenceConfig`) ?? {};
  reader.leave(nested, new Set(["topK"]), `${path}.inferenceConfig`);
  const topK =
    reader.optionalNumber(fields["top_k"], `${path}.top_k`) ??
    reader.optionalNumber(nested["topK"], `${path}.inferenceConfig.topK`);
  const choice = reader.optionalObject(fields["tool_choice"], `${path}.tool_choice`) ?? {};
  const alone = reader.optionalBoolean(
    choice["disable_parallel_tool_use"],
    `${path}.tool_choice.disable_parallel_tool_use`,
  );
  const reasoning = decodeReasoning(reader, fields, effort);
  return {
    ...(topK === undefined ? {} : { topK }),
    ...(alone === undefined ? {} : { parallelTools: !alone }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function decodeReasoning(
  reader: RequestReader,
  fields: JsonObject,
  given: Effort | undefined,
): ReasoningWish | undefined {
  const config = reader.optionalObject(fields["output_config"], `${path}.output_config`) ?? {};
  reader.leave(config, new Set(["effort"]), `${path}.output_config`);
  const effort =
    given ??
    reader.optionalOneOf(config["effort"], `${path}.output_config.effort`, efforts) ??
    reader.optionalOneOf(fields["reasoning_effort"], `${path}.reasoning_effort`, efforts);
  const wished = effort === undefined ? {} : { effort };
  const claude = claudeThinking(reader, fields);
  if (claude !== undefined) return { ...claude, ...wished };
  const nova = reader.optionalObject(fields["reasoningConfig"], `${path}.reasoningConfig`);
  if (nova !== undefined) {
    const most = reader.optionalOneOf(
      nova["maxReasoningEffort"],
      `${path}.reasoningConfig.maxReasoningEffort`,
      efforts,
    );
    if (nova["type"] === "disabled") return { mode: "off", ...wished };
    return { mode: "on", ...(most === undefined ? wished : { effort: most }) };
  }
  return effort === undefined ? undefined : { mode: effort === "none" ? "off" : "adaptive", effort };
}

/** `reasoning_config` is the older name of `thinking`. */
function claudeThinking(reader: RequestReader, fields: JsonObject): ReasoningWish | undefined {
  const name = fields["thinking"] === undefined ? "reasoning_config" : "thinking";
  const thinking = reader.optionalObject(fields[name], `${path}.${name}`);
  if (thinking === undefined) return undefined;
  reader.leave(thinking, new Set(["type", "budget_tokens", "display"]), `${path}.${name}`);
  const display = reader.optionalOneOf(thinking["display"], `${path}.${name}.display`, [
    "summarized",
    "omitted",
  ] as const);
  const shown = display === undefined ? {} : { display };
  switch (thinking["type"]) {
    case "disabled":
      return { mode: "off" };
    case "adaptive":
      return { mode: "adaptive", ...shown };
    case "enabled": {
      const budgetTokens = reader.optionalNumber(thinking["budget_tokens"], `${path}.${name}.budget_tokens`);
      return { mode: "on", ...(budgetTokens === undefined ? {} : { budgetTokens }), ...shown };
    }
    default:
      return reader.refuse(`${path}.${name}.type`, "must be enabled, adaptive or disabled");
  }
}

export { efforts };
