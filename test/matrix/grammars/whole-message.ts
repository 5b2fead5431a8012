import { objectOf, objectsOf } from "../../replay/json-view.ts";
import type { Json } from "../intent.ts";

const reasons = new Set<unknown>([
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
]);

/** What in a whole message a strict client could stumble over, in words. */
export function wholeMessageFaults(json: Json): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  expect(json["type"] === "message" && json["role"] === "assistant", "type or role");
  expect(typeof json["id"] === "string" && json["id"] !== "", "id");
  expect(typeof json["model"] === "string" && json["model"] !== "", "model");
  expect(reasons.has(json["stop_reason"]), `stop_reason ${String(json["stop_reason"])}`);
  expect(
    json["stop_reason"] === "stop_sequence"
      ? typeof json["stop_sequence"] === "string"
      : json["stop_sequence"] === null,
    "stop_sequence",
  );
  expect(Array.isArray(json["content"]), "content");
  const blocks = objectsOf(json["content"]);
  for (const block of blocks) expect(isBlock(block), `block ${JSON.stringify(block)}`);
  expect(json["stop_reason"] !== "tool_use" || blocks.some(({ type }) => type === "tool_use"), "tool_use without any");
  const usage = objectOf(json["usage"]);
  for (const field of ["input_tokens", "output_tokens"]) expect(Number(usage[field]) >= 0, field);
  return faults;
}

function isBlock(block: Json): boolean {
  switch (block["type"]) {
    case "text":
      return typeof block["text"] === "string" && block["text"] !== "";
    case "thinking":
      return typeof block["thinking"] === "string" && typeof block["signature"] === "string";
    case "redacted_thinking":
      return typeof block["data"] === "string" && block["data"] !== "";
    case "tool_use": {
      const { id, name, input } = block;
      const isNamed = typeof id === "string" && id !== "" && typeof name === "string" && name !== "";
      return isNamed && typeof input === "object" && input !== null && !Array.isArray(input);
    }
    default:
      return false;
  }
}
