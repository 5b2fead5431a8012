import { objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import type { EventMessage } from "./event-frames.ts";

const stopReasons = new Set<unknown>(
  (
    "end_turn stop_sequence max_tokens model_context_window_exceeded tool_use content_filtered guardrail_intervened " +
    "malformed_tool_use malformed_model_output"
  ).split(" "),
);

/** What in a whole answer of Converse a strict client could stumble over, in words. */
export function converseFaults(answer: JsonView): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  const message = objectOf(objectOf(answer["output"])["message"]);
  expect(message["role"] === "assistant", "role");
  expect(Array.isArray(message["content"]), "content");
  for (const block of objectsOf(message["content"])) expect(isBlock(block), `block ${JSON.stringify(block)}`);
  expect(stopReasons.has(answer["stopReason"]), `stopReason ${String(answer["stopReason"])}`);
  expect(addsUp(objectOf(answer["usage"])), "usage does not add up");
  expect(typeof objectOf(answer["metrics"])["latencyMs"] === "number", "metrics.latencyMs");
  return faults;
}

function isBlock(block: JsonView): boolean {
  if (Object.keys(block).length !== 1) return false;
  if (typeof block["text"] === "string") return true;
  const { toolUseId, name, input } = objectOf(block["toolUse"]);
  if (block["toolUse"] !== undefined) {
    return textOf(toolUseId) !== "" && textOf(name) !== "" && isObject(input);
  }
  const { reasoningText, redactedContent } = objectOf(block["reasoningContent"]);
  return typeof objectOf(reasoningText)["text"] === "string" || typeof redactedContent === "string";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The total counts caches too. */
function addsUp(usage: JsonView): boolean {
  const of = (name: string): number => Number(usage[name] ?? 0);
  const parts = of("inputTokens") + of("outputTokens") + of("cacheReadInputTokens") + of("cacheWriteInputTokens");
  return parts === usage["totalTokens"];
}

/** What in a stream a strict client could stumble over: the order of events, and blocks one after another. */
export function converseStreamFaults(events: readonly EventMessage[]): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  const open = new Map<unknown, string>();
  const done = new Set<unknown>();
  let phase: "before" | "content" | "stopped" | "over" = "before";
  for (const { kind, type, json } of events) {
    expect(kind === "event", `a frame of kind ${kind}`);
    const index = json["contentBlockIndex"];
    switch (type) {
      case "messageStart":
        expect(phase === "before" && json["role"] === "assistant", "messageStart out of turn");
        phase = "content";
        break;
      case "contentBlockStart":
        expect(
          phase === "content" && !open.has(index) && !done.has(index),
          `block ${String(index)} begins out of turn`,
        );
        expect(isNamed(objectOf(objectOf(json["start"])["toolUse"])), "a start that is no tool's");
        open.set(index, "toolUse");
        break;
      case "contentBlockDelta": {
        const [member = "nothing"] = Object.keys(objectOf(json["delta"]));
        expect(phase === "content" && !done.has(index), `a delta of block ${String(index)} out of turn`);
        expect(member !== "toolUse" || open.has(index), "arguments of no call");
        expect((open.get(index) ?? member) === member, `${member} in a block of ${String(open.get(index))}`);
        open.set(index, member);
        break;
      }
      case "contentBlockStop":
        expect(open.delete(index), `a stop of block ${String(index)}, which is not open`);
        done.add(index);
        break;
      case "messageStop":
        expect(phase === "content" && open.size === 0, "messageStop out of turn");
        expect(stopReasons.has(json["stopReason"]), `stopReason ${String(json["stopReason"])}`);
        phase = "stopped";
        break;
      case "metadata":
        expect(phase === "stopped", "metadata out of turn");
        expect(addsUp(objectOf(json["usage"])), "usage does not add up");
        expect(typeof objectOf(json["metrics"])["latencyMs"] === "number", "metrics.latencyMs");
        phase = "over";
        break;
      default:
        faults.push(`event ${type}`);
    }
  }
  expect(phase === "over", "no metadata");
  return faults;
}

function isNamed({ toolUseId, name }: JsonView): boolean {
  return textOf(toolUseId) !== "" && textOf(name) !== "";
}
