import type { Part, ReasoningPart, Seal, ToolCallPart, ToolResultPart, Turn } from "#domain/request";
import { isObject, type JsonObject, type ShapeReader } from "#dialects/shape";
import { decodeContent, markLast, marker } from "./decode-parts.ts";
import { isSigned } from "./read-tool-calls.ts";
import { detailText, objectsOf, sealDetails } from "./reasoning-details.ts";
import { detailsIssuer, issuerOf } from "./reasoning-issuer.ts";

/** Beside the content: who speaks, and markers on the whole message. */
const everyMessage = ["role", "content", "name", "cache_control", "prompt_cache_breakpoint"] as const;
const plainFields: ReadonlySet<string> = new Set(everyMessage);
const resultFields: ReadonlySet<string> = new Set([...everyMessage, "tool_call_id"]);
const assistantFields: ReadonlySet<string> = new Set([
  ...everyMessage,
  "refusal",
  "audio",
  "tool_calls",
  "function_call",
  "reasoning_content",
  "reasoning",
  "reasoning_details",
  "extra_content",
  // Mistral's mark of a last message to go on from, which that message is in every other language.
  "prefix",
]);
/** `index` comes from clients that put a call together from a stream. */
const callFields: ReadonlySet<string> = new Set(["id", "type", "function", "index", "extra_content"]);
const calledFields: ReadonlySet<string> = new Set(["name", "arguments"]);

/** From `messages` to turns. Consecutive tool messages become one user turn, because the others need them together. */
export function decodeMessages(reader: ShapeReader, value: unknown): readonly Turn[] {
  const messages = reader.array(value, "messages");
  if (messages.length === 0) reader.refuse("messages", "must hold at least one message");
  const turns: Turn[] = [];
  let results: ToolResultPart[] | undefined;
  let legacyCall: string | undefined;
  for (const [index, item] of messages.entries()) {
    const path = `messages[${index}]`;
    const message = reader.object(item, path);
    if (message === undefined) break;
    const role = message["role"];
    if (role === "tool" || role === "function") {
      reader.leave(message, resultFields, path);
      const callId = role === "tool" ? reader.word(message["tool_call_id"], `${path}.tool_call_id`) : legacyCall;
      const result = decodeToolResult(reader, message, { path, callId: callId ?? `function_${index}` });
      if (results === undefined) {
        results = [];
        turns.push({ role: "user", parts: results });
      }
      results.push(result);
      continue;
    }
    results = undefined;
    const turn = decodeTurn(reader, message, path);
    if (turn === undefined) break;
    if (isObject(message["function_call"])) legacyCall = `call_${index}`;
    turns.push(turn);
  }
  return turns;
}

function decodeTurn(reader: ShapeReader, message: JsonObject, path: string): Turn | undefined {
  const name = reader.optionalString(message["name"], `${path}.name`);
  const named = name === undefined ? {} : { name };
  const { cache } = marker(reader, message, path);
  reader.leave(message, message["role"] === "assistant" ? assistantFields : plainFields, path);
  switch (message["role"]) {
    case "system":
    case "developer":
    case "user": {
      if (message["content"] === undefined || message["content"] === null) {
        return reader.refuse(`${path}.content`, "must be a string or an array of content parts");
      }
      const parts = decodeContent(reader, message["content"], `${path}.content`);
      markLast(parts, cache);
      return { role: message["role"] === "user" ? "user" : "system", parts, ...named };
    }
    case "assistant": {
      const parts = decodeAssistant(reader, message, path);
      markLast(parts, cache);
      return { role: "assistant", parts, ...named };
    }
    default:
      return reader.refuse(`${path}.role`, 'must be "system", "developer", "user", "assistant" or "tool"');
  }
}

function decodeAssistant(reader: ShapeReader, message: JsonObject, path: string): Part[] {
  const content = decodeContent(reader, message["content"], `${path}.content`);
  const parts: Part[] = [...decodeReasoning(message), ...content];
  const refusal = reader.optionalString(message["refusal"], `${path}.refusal`);
  if (refusal !== undefined && refusal !== "") parts.push({ kind: "refusal", text: refusal });
  if (isObject(message["audio"])) {
    parts.push({ kind: "foreign", what: "audio of an earlier answer", payload: message["audio"] });
  }
  const calls = message["tool_calls"] ?? [];
  for (const [index, call] of reader.array(calls, `${path}.tool_calls`).entries()) {
    const part = decodeToolCall(reader, call, `${path}.tool_calls[${index}]`);
    if (part !== undefined) parts.push(part);
  }
  if (message["function_call"] !== undefined && message["function_call"] !== null) {
    const id = `call_${/\d+/u.exec(path)?.[0] ?? "0"}`;
    const part = functionCall(reader, message["function_call"], { path: `${path}.function_call`, id });
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

function decodeToolCall(reader: ShapeReader, value: unknown, path: string): Part | undefined {
  const call = reader.object(value, path);
  if (call === undefined) return undefined;
  const type = reader.optionalString(call["type"], `${path}.type`) ?? "function";
  // Its result stands in a later message.
  if (type !== "function") {
    return { kind: "foreign", what: `tool call of type "${type}"`, payload: call, needed: true };
  }
  reader.leave(call, callFields, path);
  const id = reader.word(call["id"], `${path}.id`);
  const part = functionCall(reader, call["function"], { path: `${path}.function`, id });
  const seal = signatureIn(call["extra_content"]);
  return part === undefined || seal === undefined ? part : { ...part, seal };
}

/** Google's place for it, which our own answers use for every vendor: `extra_content.google.thought_signature`. */
function signatureIn(extra: unknown): Seal | undefined {
  for (const [issuer, value] of isObject(extra) ? Object.entries(extra) : []) {
    if (isSigned(value)) return { issuer, form: "signature", value: value.thought_signature };
  }
  return undefined;
}

function functionCall(
  reader: ShapeReader,
  value: unknown,
  at: { readonly path: string; readonly id: string },
): ToolCallPart | undefined {
  const called = reader.object(value, at.path);
  if (called === undefined) return undefined;
  reader.leave(called, calledFields, at.path);
  return {
    kind: "tool-call",
    id: at.id,
    name: reader.word(called["name"], `${at.path}.name`),
    argumentsJson: reader.optionalString(called["arguments"], `${at.path}.arguments`) ?? "",
  };
}

function decodeToolResult(
  reader: ShapeReader,
  message: JsonObject,
  at: { readonly path: string; readonly callId: string },
): ToolResultPart {
  const decoded = decodeContent(reader, message["content"], `${at.path}.content`);
  const parts: ToolResultPart["parts"][number][] = [];
  for (const [index, part] of decoded.entries()) {
    if (part.kind === "text" || part.kind === "image" || part.kind === "document" || part.kind === "foreign") {
      parts.push(part);
    } else {
      reader.refuse(`${at.path}.content[${index}]`, "cannot stand in a tool's result; send text, an image or a file");
    }
  }
  return {
    kind: "tool-result",
    callId: at.callId,
    parts,
    failed: false,
    ...marker(reader, message, at.path),
  };
}

/**
 * Thoughts that come back with an assistant turn. `reasoning_details` (OpenRouter's typed list, which our own answers
 * use too) carries seals; the plain fields carry text only, and repeat it where both are there.
 */
function decodeReasoning(message: JsonObject): readonly ReasoningPart[] {
  const plain = [message["reasoning_content"], message["reasoning"]].find((text) => typeof text === "string");
  const details = objectsOf(message["reasoning_details"]);
  const isHosts = details.some((detail) => issuerOf(detail["format"]) === detailsIssuer);
  const parts = isHosts ? sealedWhole(details) : mergeDetails(details);
  if (plain !== undefined && plain !== "" && !parts.some((part) => part.text !== "")) {
    return [{ kind: "reasoning", text: plain }, ...parts];
  }
  return parts;
}

/** OpenRouter takes the list back as it was, or not at all. */
function sealedWhole(details: readonly JsonObject[]): ReasoningPart[] {
  const value = sealDetails(details);
  const text = details.map(detailText).join("");
  const seal = value === undefined ? {} : { seal: { issuer: detailsIssuer, form: "signature" as const, value } };
  return [{ kind: "reasoning", text, ...seal }];
}

/** Clients that collected a stream send each delta as an entry of its own: entries of one `index` are joined. */
function mergeDetails(details: readonly JsonObject[]): ReasoningPart[] {
  const parts: ReasoningPart[] = [];
  let openIndex: unknown;
  for (const detail of details) {
    const issuer = issuerOf(detail["format"]);
    if (typeof detail["data"] === "string") {
      parts.push({ kind: "reasoning", text: "", seal: { issuer, form: "redacted", value: detail["data"] } });
      continue;
    }
    const text = detail["text"] ?? detail["summary"];
    const signature = detail["signature"];
    const last = parts.at(-1);
    const continues = last !== undefined && last.seal === undefined && openIndex === detail["index"];
    const joined = (continues ? last.text : "") + (typeof text === "string" ? text : "");
    const part: ReasoningPart = {
      kind: "reasoning",
      text: joined,
      ...(typeof signature === "string" ? { seal: { issuer, form: "signature" as const, value: signature } } : {}),
    };
    if (continues) parts[parts.length - 1] = part;
    else if (joined !== "" || part.seal !== undefined) parts.push(part);
    openIndex = detail["index"];
  }
  return parts;
}
