import type { Issuer } from "#simulation/issuer";
import { object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation } from "#simulation/voice";
import { constraint } from "./violations.ts";

const members = new Set(
  (
    "text image document video audio toolUse toolResult guardContent cachePoint reasoningContent citationsContent " +
    "searchResult"
  ).split(" "),
);

/** Formats that each kind of media may have. */
const formats: Readonly<Record<string, ReadonlySet<string>>> = {
  image: new Set(["png", "jpeg", "gif", "webp"]),
  document: new Set(["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]),
  video: new Set(["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]),
};

interface BlockRules {
  readonly issuer: Issuer;
  readonly role: unknown;
}

/** What Bedrock refuses in one content block. */
export function checkBlock(block: JsonObject, at: string, rules: BlockRules): Violation | undefined {
  const [member = ""] = Object.keys(block);
  if (!members.has(member)) return { message: `extraneous key [${at}.${member}] is not permitted` };
  if (member === "text" && typeof block["text"] !== "string") return { message: `${at}.text must be a string.` };
  return (
    checkMedia(block, at) ??
    checkUse(object(block["toolUse"]), at, rules.role) ??
    checkResult(object(block["toolResult"]), at, rules.role) ??
    checkThought(object(block["reasoningContent"]), at, rules)
  );
}

function checkMedia(block: JsonObject, at: string): Violation | undefined {
  for (const [kind, allowed] of Object.entries(formats)) {
    const media = object(block[kind]);
    if (media === undefined) continue;
    if (!allowed.has(wordOf(media["format"]))) {
      return constraint(
        `${at}.${kind}.format`,
        media["format"],
        `Member must satisfy enum value set: [${[...allowed].join(", ")}]`,
      );
    }
    const source = object(media["source"]) ?? {};
    const [word] = Object.keys(source);
    if (word === undefined || !["bytes", "s3Location", "text", "content"].includes(word)) {
      return { message: `${at}.${kind}.source must set exactly one of bytes and s3Location.` };
    }
    if (word === "bytes" && !/^[A-Za-z0-9+/]+={0,2}$/.test(wordOf(source["bytes"]))) {
      return { message: `${at}.${kind}.source.bytes is not valid base64.` };
    }
  }
  const name = object(block["document"])?.["name"];
  if (block["document"] === undefined) return undefined;
  return typeof name === "string" && /^[a-zA-Z0-9()[\] -]{1,200}$/.test(name) && !name.includes("  ")
    ? undefined
    : {
        message:
          `The document file name at ${at} can only contain alphanumeric characters, whitespace characters, hyphens, ` +
          "parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.",
      };
}

function checkUse(use: JsonObject | undefined, at: string, role: unknown): Violation | undefined {
  if (use === undefined) return undefined;
  if (role !== "assistant") return { message: `The toolUse block at ${at} may only be in an assistant message.` };
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(wordOf(use["toolUseId"])))
    return badId(`${at}.toolUse.toolUseId`, use["toolUseId"]);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(wordOf(use["name"]))) return badId(`${at}.toolUse.name`, use["name"]);
  return object(use["input"]) === undefined
    ? {
        message: `The format of the value at ${at}.toolUse.input is invalid. Provide a json object for the field and try again.`,
      }
    : undefined;
}

function badId(place: string, value: unknown): Violation {
  return constraint(place, value, "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+");
}

function checkResult(result: JsonObject | undefined, at: string, role: unknown): Violation | undefined {
  if (result === undefined) return undefined;
  if (role !== "user") return { message: `The toolResult block at ${at} may only be in a user message.` };
  const status = result["status"];
  if (status !== undefined && status !== "success" && status !== "error") {
    return constraint(`${at}.toolResult.status`, status, "Member must satisfy enum value set: [success, error]");
  }
  if (!Array.isArray(result["content"])) return { message: `${at}.toolResult.content must not be null` };
  for (const [index, part] of objects(result["content"]).entries()) {
    const place = `${at}.toolResult.content.${index}`;
    const [member = "", ...others] = Object.keys(part);
    if (others.length > 0 || !["text", "json", "image", "document", "video", "searchResult"].includes(member)) {
      return { message: `${place} must set exactly one of its members.` };
    }
    if (member === "json" && object(part["json"]) === undefined) {
      return {
        message: `The format of the value at ${place}.json is invalid. Provide a json object for the field and try again.`,
      };
    }
    const wrong = checkMedia(part, place);
    if (wrong) return wrong;
  }
  return undefined;
}

/** The signature is the model vendor's; only the same issuer takes it back, and only with the text it was made for. */
function checkThought(
  thought: JsonObject | undefined,
  at: string,
  { issuer, role }: BlockRules,
): Violation | undefined {
  if (thought === undefined) return undefined;
  if (role !== "assistant")
    return { message: `The reasoningContent block at ${at} may only be in an assistant message.` };
  const redacted = thought["redactedContent"];
  if (redacted !== undefined) {
    return issuer.sealed(Buffer.from(wordOf(redacted), "base64").toString())
      ? undefined
      : { message: `The model returned the following errors: ${at}: Invalid \`data\` in \`redacted_thinking\` block` };
  }
  const { text, signature } = object(thought["reasoningText"]) ?? {};
  if (typeof text !== "string") return { message: `${at}.reasoningContent must set exactly one of its members.` };
  if (typeof signature !== "string") {
    return { message: `The model returned the following errors: ${at}.thinking.signature: Field required` };
  }
  return issuer.signed(text, signature)
    ? undefined
    : { message: `The model returned the following errors: ${at}: Invalid \`signature\` in \`thinking\` block` };
}
