import type { Issuer } from "#simulation/issuer";
import { object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";

const roles = new Set(["user", "assistant", "system", "developer"]);

/** Parts of a message, by who speaks. */
const inputParts = new Set(["input_text", "input_image", "input_file", "input_audio"]);
const outputParts = new Set(["output_text", "refusal"]);

/** Every `ResponseInputItem` type but those handled below (openai-node 7.57). */
const otherItems = new Set(
  (
    "file_search_call computer_call computer_call_output web_search_call image_generation_call code_interpreter_call " +
    "local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output " +
    "mcp_list_tools mcp_approval_request mcp_approval_response mcp_call custom_tool_call custom_tool_call_output " +
    "tool_search_call tool_search_output additional_tools configuration_update compaction compaction_trigger " +
    "item_reference program program_output"
  ).split(" "),
);

/** What the ids of items begin with. */
const idPrefixes: Readonly<Record<string, string>> = { message: "msg", function_call: "fc", reasoning: "rs" };

/** What may follow a thought: what the model did after it. */
const afterThought = new Set(["message", "function_call", "custom_tool_call", "reasoning", "compaction"]);

/** What OpenAI refuses in `input`. */
export function checkItems(json: JsonObject, rules: CheckRules): Violation | undefined {
  const input = json["input"];
  if (!Array.isArray(input)) {
    return input === undefined || typeof input === "string"
      ? undefined
      : { message: "Invalid type for 'input': expected one of an array or a string.", param: "input" };
  }
  const items = input as readonly unknown[];
  for (const [index, given] of items.entries()) {
    const at = `input[${index}]`;
    const item = object(given);
    if (item === undefined) return { message: `Invalid type for '${at}': expected an object.`, param: at };
    const wrong = checkItem(item, at) ?? checkId(item, at);
    if (wrong) return wrong;
    if (typeOf(item) === "reasoning") {
      const bad = checkThought(item, items[index + 1], { stored: json["store"] !== false, issuer: rules.issuer });
      if (bad) return bad;
    }
  }
  return checkPairs(objects(items));
}

/** A message may leave its type out. */
function typeOf(item: JsonObject): unknown {
  return item["type"] ?? (item["role"] === undefined ? undefined : "message");
}

function checkItem(item: JsonObject, at: string): Violation | undefined {
  const type = typeOf(item);
  switch (type) {
    case "message":
      return checkMessage(item, at);
    case "function_call":
      return missingText(item, ["call_id", "name", "arguments"], at);
    case "function_call_output":
      return (
        missingText(item, ["call_id"], at) ??
        (typeof item["output"] === "string" || Array.isArray(item["output"])
          ? checkParts(item["output"], `${at}.output`, inputParts)
          : { message: `Missing required parameter: '${at}.output'.`, param: `${at}.output` })
      );
    case "reasoning":
      return Array.isArray(item["summary"])
        ? undefined
        : { message: `Missing required parameter: '${at}.summary'.`, param: `${at}.summary` };
    default:
      return typeof type === "string" && otherItems.has(type)
        ? undefined
        : { message: `Invalid value: '${wordOf(type)}'.`, param: at, code: "invalid_value" };
  }
}

function checkMessage(item: JsonObject, at: string): Violation | undefined {
  const { role, content } = item;
  if (typeof role !== "string" || !roles.has(role)) {
    return {
      message: `Invalid value: '${wordOf(role)}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
      param: `${at}.role`,
      code: "invalid_value",
    };
  }
  if (item["tool_calls"] !== undefined) {
    return { message: `Unknown parameter: '${at}.tool_calls'.`, param: `${at}.tool_calls`, code: "unknown_parameter" };
  }
  if (typeof content === "string") return undefined;
  return Array.isArray(content)
    ? checkParts(content, `${at}.content`, role === "assistant" ? outputParts : inputParts)
    : { message: `Missing required parameter: '${at}.content'.`, param: `${at}.content` };
}

function checkParts(content: unknown, at: string, allowed: ReadonlySet<string>): Violation | undefined {
  for (const [index, part] of objects(content).entries()) {
    const type = wordOf(part["type"]);
    const place = `${at}[${index}]`;
    if (!allowed.has(type)) {
      const words = [...allowed].map((word) => `'${word}'`).join(", ");
      return {
        message: `Invalid value: '${type}'. Supported values are: ${words}.`,
        param: place,
        code: "invalid_value",
      };
    }
    if (type.endsWith("_text") && typeof part["text"] !== "string") {
      return { message: `Missing required parameter: '${place}.text'.`, param: `${place}.text` };
    }
    if (type === "input_image" && part["image_url"] !== undefined && typeof part["image_url"] !== "string") {
      return {
        message: `Invalid type for '${place}.image_url': expected an image URL, but got an object instead.`,
        param: `${place}.image_url`,
        code: "invalid_type",
      };
    }
  }
  return undefined;
}

function missingText(item: JsonObject, fields: readonly string[], at: string): Violation | undefined {
  const field = fields.find((name) => typeof item[name] !== "string" || (item[name] === "" && name !== "arguments"));
  return field === undefined
    ? undefined
    : {
        message: `Missing required parameter: '${at}.${field}'.`,
        param: `${at}.${field}`,
        code: "missing_required_parameter",
      };
}

function checkId(item: JsonObject, at: string): Violation | undefined {
  const { id } = item;
  const prefix = idPrefixes[wordOf(typeOf(item))];
  // Ids of messages count for what the model said; a caller's own may be named freely.
  if (id === undefined || id === null || prefix === undefined) return undefined;
  if (typeOf(item) === "message" && item["role"] !== "assistant") return undefined;
  return typeof id === "string" && id.startsWith(prefix)
    ? undefined
    : {
        message: `Invalid '${at}.id': '${wordOf(id)}'. Expected an ID that begins with '${prefix}'.`,
        param: `${at}.id`,
        code: "invalid_value",
      };
}

/** Where items are kept, a thought may come back by its id alone: one of ours. */
const ownThoughts = "rs_resp_sim";

interface ThoughtRules {
  readonly stored: boolean;
  readonly issuer: Issuer;
}

function checkThought(item: JsonObject, next: unknown, { stored, issuer }: ThoughtRules): Violation | undefined {
  const id = wordOf(item["id"]);
  const sealed = item["encrypted_content"];
  if (typeof sealed !== "string") {
    if (!stored || !id.startsWith(ownThoughts)) {
      const hint = stored
        ? ""
        : " Items are not persisted when `store` is set to false. " +
          "Try again with `store` set to true, or remove this item from your input.";
      return { message: `Item with id '${id}' not found.${hint}`, param: "input", status: 404 };
    }
  } else {
    const [owner, text] = (issuer.open(sealed, "encrypted-reasoning") ?? "").split("\0", 2);
    const reason =
      text === undefined
        ? "could not be verified."
        : item["id"] !== undefined && item["id"] !== owner
          ? "could not be verified. Reason: Encrypted content item_id did not match the target item id."
          : undefined;
    if (reason !== undefined) {
      return {
        message: `The encrypted content for item ${id} ${reason}`,
        param: "input",
        code: "invalid_encrypted_content",
      };
    }
  }
  return afterThought.has(wordOf(typeOf(object(next) ?? {}))) && object(next)?.["role"] !== "user"
    ? undefined
    : {
        message: `Item '${id}' of type 'reasoning' was provided without its required following item.`,
        param: "input",
      };
}

function checkPairs(items: readonly JsonObject[]): Violation | undefined {
  const called = new Set<unknown>();
  const answered = new Set<unknown>();
  for (const item of items) {
    if (item["type"] === "function_call") called.add(item["call_id"]);
    if (item["type"] !== "function_call_output") continue;
    if (!called.has(item["call_id"])) {
      return {
        message: `No tool call found for function call output with call_id ${wordOf(item["call_id"])}.`,
        param: "input",
      };
    }
    answered.add(item["call_id"]);
  }
  const open = [...called].find((id) => !answered.has(id));
  return open === undefined
    ? undefined
    : { message: `No tool output found for function call ${wordOf(open)}.`, param: "input" };
}
