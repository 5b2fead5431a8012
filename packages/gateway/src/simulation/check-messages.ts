import { checkThinking } from "./check-thinking.ts";
import type { Issuer } from "./issuer.ts";
import { object, objects, type JsonObject } from "./received-request.ts";
import type { CheckRules, Violation } from "./voice.ts";

/** Top-level fields of `MessageCreateParams` (anthropic-sdk-typescript 1.12, read 2026-11). */
const known = new Set(
  (
    "cache_control container diagnostics inference_geo max_tokens messages metadata model output_config service_tier " +
    "speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p user_profile_id workspace_id"
  ).split(" "),
);

/** Known only under an `anthropic-beta` header. */
const knownInBeta = new Set(
  "billing_policy compaction context_management fallback_credit_token mcp_servers output_format thread".split(" "),
);

const versions = new Set(["2023-01-01", "2023-06-01", "2026-10-21"]);
const withoutSampling = "2026-10-21";

export interface MessagesRules extends CheckRules {
  readonly headers: Readonly<Record<string, string>>;
  readonly counting: boolean;
}

/** What Anthropic refuses in a messages request, the first breach found. */
export function checkMessages(json: JsonObject, rules: MessagesRules): Violation | undefined {
  const version = rules.headers["anthropic-version"];
  if (version === undefined) return { message: "anthropic-version: header is required" };
  if (!versions.has(version)) return { message: `anthropic-version: "${version}" is not a valid version` };
  const beta = rules.headers["anthropic-beta"] !== undefined;
  for (const field of Object.keys(json)) {
    if (!known.has(field) && !(beta && knownInBeta.has(field)) && !rules.allowFields.has(field)) {
      return { message: `${field}: Extra inputs are not permitted` };
    }
  }
  return (
    checkOptions(json, rules, version) ?? checkCaching(json) ?? checkTools(json) ?? checkTurns(json, rules, version)
  );
}

function checkOptions(json: JsonObject, rules: MessagesRules, version: string): Violation | undefined {
  if (typeof json["model"] !== "string" || json["model"] === "") return { message: "model: Field required" };
  const maxTokens = json["max_tokens"];
  if (!rules.counting) {
    if (maxTokens === undefined) return { message: "max_tokens: Field required" };
    if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1) {
      return { message: "max_tokens: Input should be greater than or equal to 1" };
    }
  }
  for (const field of ["temperature", "top_p", "top_k"]) {
    if (version === withoutSampling && json[field] !== undefined) {
      return { message: `${field}: not supported with anthropic-version ${withoutSampling}` };
    }
  }
  const temperature = json["temperature"];
  if (typeof temperature === "number" && (temperature < 0 || temperature > 1)) {
    return { message: "temperature: range: 0..1" };
  }
  return checkThinking(json);
}

const maxBreakpoints = 4;

/** Marks on tools, on system blocks, on blocks of turns, and on what results bring. */
function checkCaching(json: JsonObject): Violation | undefined {
  const blocks = [json["system"], ...objects(json["messages"]).map(({ content }) => content)].flatMap(objects);
  const marked = [...objects(json["tools"]), ...blocks, ...blocks.flatMap(({ content }) => objects(content))];
  const count = marked.filter(({ cache_control: mark }) => object(mark) !== undefined).length;
  return count > maxBreakpoints
    ? { message: `A maximum of ${maxBreakpoints} blocks with cache_control may be provided. Found ${count}.` }
    : undefined;
}

function checkTools(json: JsonObject): Violation | undefined {
  const names = new Set<unknown>();
  for (const [index, tool] of objects(json["tools"]).entries()) {
    const name = tool["name"];
    const custom = tool["type"] === undefined || tool["type"] === "custom";
    if (custom && (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,128}$/.test(name))) {
      return { message: `tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'` };
    }
    if (custom && object(tool["input_schema"])?.["type"] !== "object") {
      return { message: `tools.${index}.custom.input_schema.type: Input should be 'object'` };
    }
    if (names.has(name)) return { message: "tools: Tool names must be unique." };
    names.add(name);
  }
  return json["tool_choice"] !== undefined && names.size === 0
    ? { message: "tool_choice may only be specified while providing tools" }
    : undefined;
}

function checkTurns(json: JsonObject, rules: MessagesRules, version: string): Violation | undefined {
  const given = json["messages"];
  if (!Array.isArray(given) || given.length === 0) return { message: "messages: at least one message is required" };
  const empty = emptyText(json["system"], "system");
  if (empty) return empty;
  let before: JsonObject | undefined;
  for (const [index, item] of given.entries()) {
    const turn = object(item);
    const role = turn?.["role"];
    if (turn === undefined || !["user", "assistant", "system"].includes(String(role))) {
      return { message: `messages.${index}.role: Input should be 'user' or 'assistant'` };
    }
    if (role === "system") continue;
    if (before === undefined && role !== "user") return { message: 'messages: first message must use the "user" role' };
    if (rules.alternatingRoles && before?.["role"] === role) {
      return {
        message: `messages: roles must alternate between "user" and "assistant", but found multiple "${String(role)}" roles in a row`,
      };
    }
    const path = `messages.${index}`;
    const wrong =
      checkFilled(turn, path, index === given.length - 1) ??
      checkPairs(before, turn, path) ??
      checkBlocks(turn, path, { ...rules, version });
    if (wrong) return wrong;
    before = turn;
  }
  const open = before?.["role"] === "assistant" ? blocksOf(before, "tool_use") : [];
  return open.length > 0 ? unanswered(open, `messages.${given.length - 1}`) : undefined;
}

function checkFilled(turn: JsonObject, path: string, last: boolean): Violation | undefined {
  const content = turn["content"];
  if (typeof content !== "string" && !Array.isArray(content)) return { message: `${path}.content: Field required` };
  if (content.length === 0 && !(last && turn["role"] === "assistant")) {
    return {
      message: `${path}: all messages must have non-empty content except for the optional final assistant message`,
    };
  }
  if (last && turn["role"] === "assistant") {
    const text = typeof content === "string" ? content : objects(content).at(-1)?.["text"];
    if (typeof text === "string" && /\s$/.test(text)) {
      return { message: "messages: final assistant content cannot end with trailing whitespace" };
    }
  }
  return emptyText(content, `${path}.content`);
}

function emptyText(content: unknown, path: string): Violation | undefined {
  for (const [index, block] of objects(content).entries()) {
    const text = block["text"];
    if (block["type"] !== "text") continue;
    if (typeof text !== "string" || text === "")
      return { message: `${path}.${index}: text content blocks must be non-empty` };
    if (text.trim() === "")
      return { message: `${path}.${index}: text content blocks must contain non-whitespace text` };
  }
  return undefined;
}

/** Results come in the turn right after their calls, all of them, before anything else in it. */
function checkPairs(before: JsonObject | undefined, turn: JsonObject, path: string): Violation | undefined {
  const calls = before?.["role"] === "assistant" ? blocksOf(before, "tool_use") : [];
  const open = new Map(calls.map((call) => [call["id"], call]));
  let otherSeen = false;
  for (const [index, block] of objects(turn["content"]).entries()) {
    if (block["type"] !== "tool_result") {
      otherSeen = true;
      continue;
    }
    if (turn["role"] !== "user") return { message: `${path}: \`tool_result\` blocks can only be in \`user\` messages` };
    if (!open.delete(block["tool_use_id"])) {
      return {
        message:
          `${path}.content.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ` +
          `${String(block["tool_use_id"])}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      };
    }
    if (otherSeen)
      return { message: `${path}.content.${index}: \`tool_result\` blocks must come first in the content` };
  }
  return open.size > 0 ? unanswered([...open.values()], path) : undefined;
}

function unanswered(calls: readonly JsonObject[], path: string): Violation {
  return {
    message:
      `${path}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
      `${calls.map((call) => String(call["id"])).join(", ")}.`,
  };
}

function checkBlocks(
  turn: JsonObject,
  path: string,
  rules: MessagesRules & { version: string },
): Violation | undefined {
  for (const [index, block] of objects(turn["content"]).entries()) {
    const at = `${path}.content.${index}`;
    const wrong = checkSeal(block, at, rules.issuer) ?? checkVersioned(turn, block, { at, version: rules.version });
    if (wrong) return wrong;
    if (block["type"] === "tool_use" && !/^[a-zA-Z0-9_-]+$/.test(String(block["id"]))) {
      return { message: `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'` };
    }
    if (block["type"] === "tool_use" && object(block["input"]) === undefined) {
      return { message: `${at}.tool_use.input: Input should be a valid dictionary` };
    }
  }
  return undefined;
}

function checkSeal(block: JsonObject, at: string, issuer: Issuer): Violation | undefined {
  if (block["type"] === "thinking") {
    const { thinking, signature } = block;
    if (typeof thinking !== "string") return { message: `${at}.thinking.thinking: Field required` };
    if (typeof signature !== "string") return { message: `${at}.thinking.signature: Field required` };
    if (!issuer.signed(thinking, signature)) return { message: `${at}: Invalid \`signature\` in \`thinking\` block` };
  }
  if (block["type"] === "redacted_thinking" && !issuer.sealed(String(block["data"]))) {
    return { message: `${at}: Invalid \`data\` in \`redacted_thinking\` block` };
  }
  return undefined;
}

function checkVersioned(
  turn: JsonObject,
  block: JsonObject,
  { at, version }: { readonly at: string; readonly version: string },
): Violation | undefined {
  if (version !== withoutSampling) return undefined;
  if (turn["role"] === "assistant" && block["type"] === "document") {
    return { message: `${at}: \`document\` blocks are not allowed in assistant messages` };
  }
  const citations = block["citations"];
  return turn["role"] === "user" && block["type"] === "text" && Array.isArray(citations) && citations.length > 0
    ? { message: `${at}.citations: not allowed on text blocks in user messages` }
    : undefined;
}

function blocksOf(turn: JsonObject, type: string): readonly JsonObject[] {
  return objects(turn["content"]).filter((block) => block["type"] === type);
}
