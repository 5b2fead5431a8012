import { objectOf, objectsOf } from "../../replay/json-view.ts";
import type { Json } from "../intent.ts";
import { isObjectText } from "./whole-chat.ts";

/** Every field that the `Response` object of OpenAI's published schema requires. */
const required = (
  "id object created_at status error incomplete_details instructions model tools output parallel_tool_calls metadata " +
  "tool_choice temperature top_p"
).split(" ");

/** What in a response, whole or as lifecycle events show it, a strict client could stumble over, in words. */
export function responseFaults(json: Json, isOver: boolean): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  for (const field of required) expect(field in json, `no ${field}`);
  expect(json["object"] === "response", "object");
  expect(/^resp_./.test(String(json["id"])), `id ${String(json["id"])}`);
  expect(Number.isInteger(json["created_at"]), "created_at");
  expect(Array.isArray(json["output"]), "output");
  if (!isOver) {
    expect(json["status"] === "in_progress" || json["status"] === "queued", `status ${String(json["status"])}`);
    return faults;
  }
  const { status } = json;
  expect(status === "completed" || status === "incomplete", `status ${String(status)}`);
  expect(
    (status === "incomplete") === (typeof objectOf(json["incomplete_details"])["reason"] === "string"),
    "incomplete_details",
  );
  const items = objectsOf(json["output"]);
  for (const item of items) expect(isItem(item), `item ${JSON.stringify(item)}`);
  expect(new Set(items.map(({ id }) => id)).size === items.length, "two items of one id");
  const usage = objectOf(json["usage"]);
  expect(Number(usage["input_tokens"]) + Number(usage["output_tokens"]) === usage["total_tokens"], "usage");
  for (const field of ["input_tokens_details", "output_tokens_details"]) {
    expect(typeof usage[field] === "object", `no usage.${field}`);
  }
  return faults;
}

export function isItem(item: Json): boolean {
  const { type, id } = item;
  switch (type) {
    case "message":
      return String(id).startsWith("msg_") && item["role"] === "assistant" && objectsOf(item["content"]).every(isPart);
    case "reasoning":
      return (
        String(id).startsWith("rs_") && objectsOf(item["summary"]).every((part) => part["type"] === "summary_text")
      );
    case "function_call": {
      const { call_id: callId, name, arguments: json } = item;
      const isNamed = typeof callId === "string" && callId !== "" && typeof name === "string" && name !== "";
      return String(id).startsWith("fc_") && isNamed && typeof json === "string" && isObjectText(json);
    }
    default:
      return false;
  }
}

function isPart(part: Json): boolean {
  if (part["type"] === "refusal") return typeof part["refusal"] === "string";
  return part["type"] === "output_text" && typeof part["text"] === "string" && Array.isArray(part["annotations"]);
}
