import type { Issuer } from "#simulation/issuer";
import { object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject, ReceivedRequest } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";
import { checkBlock } from "./check-block.ts";
import { checkToolConfig } from "./check-tool-config.ts";
import { constraint, oneMember } from "./violations.ts";

/** Members of `ConverseRequest` (Bedrock's reference, read 2026-11). */
const known = new Set(
  (
    "messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables " +
    "additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig"
  ).split(" "),
);

const knownInference = new Set(["maxTokens", "temperature", "topP", "stopSequences"]);

/** Inference profiles are no models, and have no tokenizer. */
const profile = /^(?:us|eu|apac|jp|au|global)\./;

/** What Bedrock refuses in a Converse request, the first breach found. */
export function checkConverse(request: ReceivedRequest, rules: CheckRules): Violation | undefined {
  const { json, model } = request;
  if (request.operation !== "count-tokens") return checkBody(json, rules);
  if (profile.test(model)) return { message: "The provided model doesn't support counting tokens." };
  const input = object(json["input"]);
  if (input === undefined || Object.keys(input).length !== 1) {
    return {
      message: "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must not be null",
    };
  }
  const converse = object(input["converse"]);
  if (converse !== undefined) return checkBody(converse, rules);
  return typeof object(input["invokeModel"])?.["body"] === "string"
    ? undefined
    : { message: "1 validation error detected: Value at 'input.invokeModel.body' must not be null" };
}

function checkBody(json: JsonObject, rules: CheckRules): Violation | undefined {
  const odd = Object.keys(json).find((field) => !known.has(field) && !rules.allowFields.has(field));
  if (odd !== undefined) return { message: `extraneous key [${odd}] is not permitted` };
  return (
    checkInference(json) ?? checkFormat(json) ?? checkToolConfig(json) ?? checkSystem(json) ?? checkTurns(json, rules)
  );
}

function checkInference(json: JsonObject): Violation | undefined {
  const config = object(json["inferenceConfig"]);
  if (config === undefined) return undefined;
  const odd = Object.keys(config).find((field) => !knownInference.has(field));
  if (odd !== undefined) return { message: `extraneous key [inferenceConfig.${odd}] is not permitted` };
  const { maxTokens, temperature, topP } = config;
  if (typeof maxTokens === "number" && maxTokens < 1) {
    return constraint("inferenceConfig.maxTokens", maxTokens, "Member must have value greater than or equal to 1");
  }
  for (const [name, value] of Object.entries({ temperature, topP })) {
    if (typeof value === "number" && (value < 0 || value > 1)) {
      return constraint(`inferenceConfig.${name}`, value, "Member must have value less than or equal to 1");
    }
  }
  return undefined;
}

function checkFormat(json: JsonObject): Violation | undefined {
  const format = object(object(json["outputConfig"])?.["textFormat"]);
  if (format === undefined) return undefined;
  const described = object(object(format["structure"])?.["jsonSchema"]);
  if (format["type"] !== "json_schema" || typeof described?.["schema"] !== "string") {
    return {
      message: "outputConfig.textFormat.structure.jsonSchema.schema must be a string that holds a JSON schema.",
    };
  }
  try {
    if (object(JSON.parse(described["schema"])) !== undefined) return undefined;
  } catch {
    // Falls through to the refusal.
  }
  return { message: "The JSON schema at outputConfig.textFormat is not valid JSON." };
}

function checkSystem(json: JsonObject): Violation | undefined {
  for (const [index, block] of objects(json["system"]).entries()) {
    if (Object.keys(block).length !== 1) return oneMember(`system.${index}`);
    if (block["text"] !== undefined && wordOf(block["text"]).trim() === "") return blank(`system.${index}`);
  }
  return undefined;
}

function checkTurns(json: JsonObject, rules: CheckRules): Violation | undefined {
  const given = json["messages"];
  if (!Array.isArray(given) || given.length === 0) {
    return {
      message:
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    };
  }
  let before: JsonObject | undefined;
  for (const [index, item] of (given as readonly unknown[]).entries()) {
    const turn = object(item) ?? {};
    const wrong =
      checkRole(before, turn, index) ?? checkContent(turn, index, rules.issuer) ?? checkPairs(before, turn, index);
    if (wrong) return wrong;
    before = turn;
  }
  return before === undefined || before["role"] !== "assistant" ? undefined : checkPairs(before, {}, given.length);
}

function checkRole(before: JsonObject | undefined, turn: JsonObject, index: number): Violation | undefined {
  const role = turn["role"];
  if (role !== "user" && role !== "assistant") {
    return constraint(
      `messages.${index + 1}.member.role`,
      role,
      "Member must satisfy enum value set: [user, assistant]",
    );
  }
  if (before === undefined && role !== "user") {
    return {
      message:
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    };
  }
  return before?.["role"] === role
    ? {
        message:
          "A conversation must alternate between user and assistant roles. " +
          "Make sure the conversation alternates between user and assistant roles and try again.",
      }
    : undefined;
}

function checkContent(turn: JsonObject, index: number, issuer: Issuer): Violation | undefined {
  const blocks = objects(turn["content"]);
  const at = `messages.${index}.content`;
  if (blocks.length === 0) {
    return {
      message:
        `The content field in the Message object at messages.${index} is empty. ` +
        "Add a ContentBlock object to the content field and try again.",
    };
  }
  const names = new Set<unknown>();
  // A blank text stands where a thought stands beside it.
  const thinks = blocks.some((block) => block["reasoningContent"] !== undefined);
  for (const [number, block] of blocks.entries()) {
    const place = `${at}.${number}`;
    if (Object.keys(block).length !== 1) return oneMember(place);
    if (typeof block["text"] === "string" && block["text"].trim() === "" && !thinks) return blank(place);
    const wrong = checkBlock(block, place, { issuer, role: turn["role"] });
    if (wrong) return wrong;
    const name = object(block["document"])?.["name"];
    if (name !== undefined && names.has(name)) {
      return { message: "The model returned the following errors: Document names must be unique within a message." };
    }
    names.add(name);
  }
  const documents = blocks.some((block) => block["document"] !== undefined);
  return documents && !blocks.some((block) => block["text"] !== undefined)
    ? { message: `A text block must be included in the message at messages.${index} that has a document.` }
    : undefined;
}

function blank(place: string): Violation {
  return {
    message: `The text field in the ContentBlock object at ${place} is blank. Add text to the text field, and try again.`,
  };
}

/** Results come in the turn right after their calls, all of them and no other. */
function checkPairs(before: JsonObject | undefined, turn: JsonObject, index: number): Violation | undefined {
  const open = new Set(idsOf(before?.["role"] === "assistant" ? before : undefined, "toolUse"));
  const calls = open.size;
  const results = idsOf(turn, "toolResult");
  for (const id of results) {
    if (open.delete(id)) continue;
    return {
      message:
        results.length > calls
          ? `The number of toolResult blocks at messages.${index}.content exceeds the number of toolUse blocks of previous turn.`
          : `The toolResult at messages.${index}.content with the Id ${wordOf(id)} has no toolUse in the previous turn.`,
    };
  }
  return open.size === 0
    ? undefined
    : {
        message: `Expected toolResult blocks at messages.${index}.content for the following Ids: ${[...open].join(", ")}`,
      };
}

function idsOf(turn: JsonObject | undefined, member: "toolUse" | "toolResult"): readonly unknown[] {
  return objects(turn?.["content"]).flatMap((block) => {
    const found = object(block[member]);
    return found === undefined ? [] : [found["toolUseId"]];
  });
}
