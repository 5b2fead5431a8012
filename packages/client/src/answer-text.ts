import { type Json, isObject } from "./json.ts";

/** The first choice's text of what may be a chat completion; undefined where there is none. */
export function textOfAnswer(answer: unknown): string | undefined {
  const choices = childOf(answer as Json | undefined, "choices");
  const message = childOf(Array.isArray(choices) ? (choices[0] as Json | undefined) : undefined, "message");
  const content = childOf(message, "content");
  return typeof content === "string" ? content : undefined;
}

function childOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}
