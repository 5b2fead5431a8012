import { objectOf, objectsOf } from "../../replay/json-view.ts";
import { parsedArguments } from "../../replay/meaning.ts";
import type { Json } from "../intent.ts";

const finishes = new Set<unknown>(["stop", "length", "tool_calls", "content_filter"]);

/** What in a whole chat completion a strict client could stumble over, in words. */
export function wholeChatFaults(json: Json): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  expect(json["object"] === "chat.completion", "object");
  expect(typeof json["id"] === "string" && json["id"] !== "", "id");
  expect(typeof json["model"] === "string" && json["model"] !== "", "model");
  expect(Number.isInteger(json["created"]), "created");
  const choices = objectsOf(json["choices"]);
  expect(choices.length === 1 && choices[0]?.["index"] === 0, "choices");
  const choice = choices[0] ?? {};
  expect(finishes.has(choice["finish_reason"]), `finish_reason ${String(choice["finish_reason"])}`);
  const message = objectOf(choice["message"]);
  expect(message["role"] === "assistant", "role");
  for (const field of ["content", "refusal"]) {
    expect(message[field] === null || typeof message[field] === "string", `${field} is neither text nor null`);
  }
  const calls = objectsOf(message["tool_calls"]);
  expect(message["tool_calls"] === undefined || calls.length > 0, "empty tool_calls");
  expect(
    (choice["finish_reason"] === "tool_calls") === calls.length > 0,
    "tool_calls without the finish, or the reverse",
  );
  expect(new Set(calls.map(({ id }) => id)).size === calls.length, "two calls of one id");
  for (const call of calls) {
    const { name, arguments: json } = objectOf(call["function"]);
    expect(
      call["type"] === "function" && typeof call["id"] === "string" && call["id"] !== "",
      "a call without id or type",
    );
    expect(typeof name === "string" && name !== "", "a call without a name");
    expect(typeof json === "string" && isObjectText(json), `arguments are ${String(json)}`);
  }
  const usage = objectOf(json["usage"]);
  expect(
    Number(usage["prompt_tokens"]) + Number(usage["completion_tokens"]) === usage["total_tokens"],
    "usage does not add up",
  );
  return faults;
}

export function isObjectText(json: string): boolean {
  const parsed = json === "" ? undefined : parsedArguments(json);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) && !("broken" in parsed);
}
