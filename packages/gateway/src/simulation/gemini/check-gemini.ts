import { object, objects, strings, wordOf } from "#simulation/received-request";
import type { JsonObject, ReceivedRequest } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";
import { checkContents } from "./check-contents.ts";
import { checkSchema } from "./check-schema.ts";

/** Fields of `GenerateContentRequest` (ai.google.dev/api, Vertex's reference, read 2026-11). */
const known = new Set(
  (
    "model contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent labels " +
    "serviceTier store"
  ).split(" "),
);

const knownConfig = new Set(
  (
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount " +
    "maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs " +
    "enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution routingConfig audioTimestamp " +
    "modelSelectionConfig modelConfig"
  ).split(" "),
);

const knownThinking = new Set(["includeThoughts", "thinkingBudget", "thinkingLevel"]);
const levels = new Set(["MINIMAL", "LOW", "MEDIUM", "HIGH", "THINKING_LEVEL_UNSPECIFIED"]);
const modes = new Set(["AUTO", "NONE", "ANY", "VALIDATED", "MODE_UNSPECIFIED"]);
const maxStops = 5;

/** What Gemini refuses in a request, the first breach found. */
export function checkGemini(request: ReceivedRequest, rules: CheckRules): Violation | undefined {
  const { json, model } = request;
  const counting = request.operation === "count-tokens";
  const inner = object(json["generateContentRequest"]);
  if (counting && inner !== undefined) {
    const named = wordOf(inner["model"] ?? "");
    if (!named.startsWith("models/")) {
      return { message: "* CountTokensRequest.generateContentRequest.model: unexpected model name format" };
    }
    return checkBody(inner, model, rules);
  }
  return checkBody(json, model, rules);
}

function checkBody(json: JsonObject, model: string, rules: CheckRules): Violation | undefined {
  const config = object(json["generationConfig"]) ?? {};
  return (
    unknownName(json, known, { allowed: rules.allowFields, at: "" }) ??
    unknownName(config, knownConfig, { at: "generation_config" }) ??
    checkConfig(config, model, json["tools"] !== undefined) ??
    checkTools(json) ??
    checkInstruction(json, model) ??
    checkContents(json, model, rules)
  );
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Both spellings of a name are the same to Google's JSON. */
function unknownName(
  json: JsonObject,
  names: ReadonlySet<string>,
  { at, allowed }: { readonly at: string; readonly allowed?: ReadonlySet<string> },
): Violation | undefined {
  const odd = Object.keys(json).find((name) => !names.has(camelCase(name)) && allowed?.has(name) !== true);
  if (odd === undefined) return undefined;
  const place = at === "" ? "" : ` at '${at}'`;
  return { message: `Invalid JSON payload received. Unknown name "${odd}"${place}: Cannot find field.` };
}

function checkConfig(config: JsonObject, model: string, hasTools: boolean): Violation | undefined {
  const { temperature, candidateCount, responseSchema, responseJsonSchema, responseMimeType } = config;
  const at = "* GenerateContentRequest.generation_config";
  if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
    return { message: `${at}.temperature: temperature must be in the range [0.0, 2.0].` };
  }
  if (strings(config["stopSequences"]).length > maxStops) {
    return { message: `${at}.stop_sequences: at most ${maxStops} stop sequences are allowed.` };
  }
  if (typeof config["maxOutputTokens"] === "number" && config["maxOutputTokens"] < 1) {
    return { message: `${at}.max_output_tokens: max_output_tokens must be positive.` };
  }
  if (typeof candidateCount === "number" && candidateCount !== 1) {
    return { message: "Multiple candidates is not enabled for this model" };
  }
  if (responseSchema !== undefined && responseJsonSchema !== undefined) {
    return { message: `${at}: only one of response_schema and response_json_schema may be set.` };
  }
  const structured = responseSchema ?? responseJsonSchema;
  if (structured !== undefined && responseMimeType !== "application/json" && responseMimeType !== "text/x.enum") {
    return { message: `${at}.response_mime_type: response schema requires response mime type 'application/json'.` };
  }
  if (hasTools && responseMimeType === "application/json" && /(?:^|\/)gemini-[12]/.test(model)) {
    return { message: "Function calling with a response mime type: 'application/json' is unsupported" };
  }
  return (
    checkThinking(object(config["thinkingConfig"]), model) ??
    (responseSchema === undefined ? undefined : checkSchema(responseSchema, "generation_config.response_schema"))
  );
}

function checkThinking(thinking: JsonObject | undefined, model: string): Violation | undefined {
  if (thinking === undefined) return undefined;
  const { thinkingLevel: level, thinkingBudget: budget } = thinking;
  const odd = unknownName(thinking, knownThinking, { at: "generation_config.thinking_config" });
  if (odd) return odd;
  if (level !== undefined && budget !== undefined) {
    return { message: "You can only set only one of thinking budget and thinking level." };
  }
  if (level !== undefined && !levels.has(wordOf(level).toUpperCase())) {
    return { message: `Invalid value at 'generation_config.thinking_config.thinking_level', "${wordOf(level)}"` };
  }
  if (level !== undefined && /(?:^|\/)gemini-[12]/.test(model)) {
    return { message: "Thinking level is not supported for this model." };
  }
  return typeof budget === "number" && (budget < -1 || budget > 32_768)
    ? { message: "The thinking budget is invalid. Please choose a value between 0 and 32768." }
    : undefined;
}

function checkTools(json: JsonObject): Violation | undefined {
  const names = new Set<string>();
  for (const [index, tool] of objects(json["tools"]).entries()) {
    for (const [number, declared] of objects(tool["functionDeclarations"]).entries()) {
      const at = `tools[${index}].function_declarations[${number}]`;
      const wrong = checkDeclaration(declared, at);
      if (wrong) return wrong;
      const name = wordOf(declared["name"]);
      if (names.has(name)) return { message: `Duplicate function declaration found: ${name}` };
      names.add(name);
    }
  }
  return checkChoice(json, names);
}

function checkDeclaration(declared: JsonObject, at: string): Violation | undefined {
  const { name, parameters, parametersJsonSchema } = declared;
  if (typeof name !== "string" || !/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(name)) {
    return {
      message:
        `* GenerateContentRequest.${at}.name: Invalid function name. Must start with a letter or an underscore. ` +
        "Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), " +
        "with a maximum length of 64.",
    };
  }
  const fields = new Set(
    "name description parameters parametersJsonSchema response responseJsonSchema behavior".split(" "),
  );
  const odd = unknownName(declared, fields, { at });
  if (odd) return odd;
  if (parameters !== undefined && parametersJsonSchema !== undefined) {
    return { message: `${at}: only one of parameters and parameters_json_schema may be set.` };
  }
  return parameters === undefined ? undefined : checkSchema(parameters, `${at}.parameters`);
}

function checkChoice(json: JsonObject, declared: ReadonlySet<string>): Violation | undefined {
  const config = object(object(json["toolConfig"])?.["functionCallingConfig"]);
  if (config === undefined) return undefined;
  const mode = wordOf(config["mode"] ?? "AUTO");
  if (!modes.has(mode)) {
    return { message: `Invalid value at 'tool_config.function_calling_config.mode', "${mode}"` };
  }
  const allowed = strings(config["allowedFunctionNames"]);
  if (allowed.length > 0 && mode !== "ANY" && mode !== "VALIDATED") {
    return { message: "Allowed function names should only be set when function calling mode is ANY." };
  }
  const unknown = allowed.find((name) => !declared.has(name));
  if (unknown !== undefined) {
    return { message: `allowed_function_names: ${unknown} is not among the function declarations.` };
  }
  return mode === "ANY" && declared.size === 0
    ? { message: "Function calling config is set without function_declarations." }
    : undefined;
}

function checkInstruction(json: JsonObject, model: string): Violation | undefined {
  const cached = json["cachedContent"] !== undefined;
  if (cached && ["systemInstruction", "tools", "toolConfig"].some((field) => json[field] !== undefined)) {
    return {
      message:
        "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.",
    };
  }
  if (json["systemInstruction"] === undefined) return undefined;
  if (model.startsWith("gemma")) return { message: `Developer instruction is not enabled for models/${model}` };
  const parts = objects(object(json["systemInstruction"])?.["parts"]);
  return parts.length === 0 || parts.some(({ text }) => typeof text !== "string")
    ? { message: "* GenerateContentRequest.system_instruction.parts: parts must be texts, and at least one." }
    : undefined;
}
