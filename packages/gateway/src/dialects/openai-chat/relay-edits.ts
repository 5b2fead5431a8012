import type { ChatQuirks } from "#domain/quirks";
import { readJson, readString, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { isObject, type JsonObject } from "#dialects/shape";
import { toolCallId } from "./tool-call-ids.ts";

/**
 * Top-level edits that make a chat body fit another upstream of the same language: our own fields go, the target's
 * model name comes, usage is asked for in streams, and fields that are only named differently are renamed. A body that
 * needs none of these keeps all its bytes.
 */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const { quirks } = target;
  const edits = new Map<string, string | undefined>();
  for (const field of ownFields) if (scan.fields.has(field)) edits.set(field, undefined);
  const model = scan.fields.get("model");
  if (model === undefined || readString(body, model) !== target.model) edits.set("model", JSON.stringify(target.model));
  const raw = (name: string): string | undefined => {
    const span = scan.fields.get(name);
    return span === undefined ? undefined : Buffer.from(body.subarray(span.start, span.end)).toString("utf8");
  };
  const rename = (from: string, to: string): void => {
    const value = raw(from);
    if (value === undefined) return;
    edits.set(from, undefined);
    if (!scan.fields.has(to)) edits.set(to, value);
  };
  if (quirks.maxOutputField === "max_tokens") rename("max_completion_tokens", "max_tokens");
  if (quirks.seedField !== "seed") rename("seed", quirks.seedField);
  if (quirks.requiredToolChoice !== "required" && raw("tool_choice") === '"required"') {
    edits.set("tool_choice", JSON.stringify(quirks.requiredToolChoice));
  }
  const usageAdded = askForUsage(edits, readField(scan, body, "stream_options"), target);
  const messages = fitMessages(scan, body, quirks);
  if (messages !== undefined) edits.set("messages", messages);
  return { edits, usageAdded };
}

/** True where usage in the stream is asked for though the caller did not ask. */
function askForUsage(edits: Map<string, string | undefined>, options: unknown, target: EncodeTarget): boolean {
  if (target.quirks.streamUsage === "never" && options !== undefined) edits.set("stream_options", undefined);
  if (target.quirks.streamUsage !== "ask" || !target.streamed) return false;
  const given = isObject(options) ? options : {};
  if (given["include_usage"] === true) return false;
  edits.set("stream_options", JSON.stringify({ ...given, include_usage: true }));
  return true;
}

function readField(scan: FieldScan, body: Uint8Array, name: string): unknown {
  const span = scan.fields.get(name);
  const read = span === undefined ? undefined : readJson(body, span);
  return read?.ok === true ? read.value : undefined;
}

/**
 * Messages with `developer` turns or tool-call ids that this upstream refuses are written anew, the only case in which
 * their bytes change; undefined where they may stay.
 */
function fitMessages(scan: FieldScan, body: Uint8Array, quirks: ChatQuirks): string | undefined {
  const span = scan.fields.get("messages");
  if (span === undefined || (quirks.developerRole && quirks.toolCallIds === "any")) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  const mayMatter =
    (!quirks.developerRole && bytes.includes("developer")) ||
    (quirks.toolCallIds !== "any" && bytes.includes("tool_call"));
  if (!mayMatter) return undefined;
  const messages = readField(scan, body, "messages");
  if (!Array.isArray(messages)) return undefined;
  const before = JSON.stringify(messages);
  const after = JSON.stringify(
    messages.map((message: unknown) => (isObject(message) ? fitted(message, quirks) : message)),
  );
  return after === before ? undefined : after;
}

function fitted(message: JsonObject, quirks: ChatQuirks): JsonObject {
  const fitId = (id: unknown): unknown => {
    return quirks.toolCallIds === "any" || typeof id !== "string" ? id : toolCallId(id, quirks.toolCallIds);
  };
  const changed: Record<string, unknown> = { ...message };
  if (!quirks.developerRole && changed["role"] === "developer") changed["role"] = "system";
  if ("tool_call_id" in changed) changed["tool_call_id"] = fitId(changed["tool_call_id"]);
  if (Array.isArray(changed["tool_calls"])) {
    changed["tool_calls"] = changed["tool_calls"].map((call: unknown) => {
      return isObject(call) && "id" in call ? Object.assign({}, call, { id: fitId(call["id"]) }) : call;
    });
  }
  return changed;
}
