import type { AnswerEvent, Finish } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { isObject, type JsonObject } from "#dialects/shape";
import { foreignName } from "./own-foreign.ts";
import { ItemReader } from "./read-items.ts";
import { readUsage } from "./read-usage.ts";

export type ResponseStep =
  | { readonly kind: "events"; readonly events: readonly AnswerEvent[]; readonly ended: boolean }
  | { readonly kind: "failed"; readonly events: readonly AnswerEvent[]; readonly failure: Failure };

/**
 * Progress of hosted tools and pieces of what the hub has no word for: their items have been told already, and their
 * payload comes with the item (`ResponseStreamEvent`, openai 7.57).
 */
const progress =
  /^response\.(?:custom_tool_call_input|mcp_call|mcp_call_arguments|mcp_list_tools|web_search_call|file_search_call|code_interpreter_call|code_interpreter_call_code|image_generation_call|shell_call_command|shell_call_output_content|compaction|audio|x_search_call)\./u;

const ping: readonly AnswerEvent[] = [{ kind: "ping" }];

/** Events of one answer in the stream grammar of the Responses API (protocols §11), one JSON value at a time. */
export class ResponseEvents {
  readonly #classify: (complaint: unknown) => Failure;
  readonly #items = new ItemReader();
  #started = false;

  constructor(classify: (complaint: unknown) => Failure) {
    this.#classify = classify;
  }

  accept(type: string, event: JsonObject): ResponseStep {
    const events: AnswerEvent[] = [];
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        this.#start(event["response"], events);
        return told(events);
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      // OpenRouter's word in its first version.
      case "response.done":
        return this.#terminal(type, event, events);
      case "error":
        return { kind: "failed", events, failure: this.#classify(event) };
      case "keepalive":
        return told(ping);
      default:
        if (isObject(event["error"]) && !type.startsWith("response.")) {
          return { kind: "failed", events, failure: this.#classify(event) };
        }
        this.#start(undefined, events);
        return this.#content(type, event, events) ? told(events) : { kind: "failed", events, failure: tooMuch };
    }
  }

  /** A whole response, which is its own last event. */
  whole(response: JsonObject): ResponseStep {
    const { status } = response;
    if (status === "queued" || status === "in_progress") return { kind: "failed", events: [], failure: unfinished };
    return this.accept(status === "failed" ? "response.failed" : "response.completed", { response });
  }

  #start(response: unknown, events: AnswerEvent[]): void {
    if (this.#started) return;
    this.#started = true;
    const { id, model, created_at: at } = isObject(response) ? response : ({} as JsonObject);
    events.push({
      kind: "start",
      id: typeof id === "string" ? id : "",
      model: typeof model === "string" ? model : "",
      ...(typeof at === "number" && at > 0 ? { createdAtS: Math.trunc(at) } : {}),
    });
  }

  /** False where a bound was passed. */
  #content(type: string, event: JsonObject, events: AnswerEvent[]): boolean {
    const at = event["output_index"] ?? event["item_id"];
    const item = isObject(event["item"]) ? event["item"] : undefined;
    switch (type) {
      case "response.output_item.added":
        return item === undefined || this.#items.add(at, item, events);
      case "response.output_item.done":
        return item === undefined || this.#items.finish(at, item, events);
      case "response.output_text.delta":
      case "response.output_text.done":
      case "response.refusal.delta":
      case "response.refusal.done":
        return this.#said(type, event, { at, events });
      case "response.content_part.added":
        return true;
      case "response.content_part.done":
        this.#items.endPart(at, event["content_index"], events);
        return true;
      case "response.reasoning_summary_part.added":
      case "response.reasoning_summary_part.done":
        return true;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_summary_text.done":
      case "response.reasoning_text.delta":
      case "response.reasoning_text.done":
        return this.#thought(type, event, { at, events });
      case "response.function_call_arguments.delta":
      case "response.function_call_arguments.done": {
        const whole = type.endsWith("done");
        this.#items.callArguments(at, { json: whole ? event["arguments"] : event["delta"], whole }, events);
        return true;
      }
      case "response.output_text.annotation.added":
        events.push({ kind: "foreign", what: foreignName("annotations"), payload: event["annotation"] });
        return true;
      default:
        if (!progress.test(type)) events.push({ kind: "foreign", what: foreignName(type), payload: event });
        return true;
    }
  }

  #said(type: string, event: JsonObject, { at, events }: Place): boolean {
    const whole = type.endsWith("done");
    const kind = type.includes("refusal") ? "refusal" : "text";
    const text = whole ? event[kind] : event["delta"];
    if (typeof text !== "string") return true;
    return this.#items.say(
      { item: at, part: event["content_index"] ?? 0, kind },
      { text, whole, logprobs: event["logprobs"] },
      events,
    );
  }

  #thought(type: string, event: JsonObject, { at, events }: Place): boolean {
    const whole = type.endsWith("done");
    const text = whole ? event["text"] : event["delta"];
    if (typeof text !== "string") return true;
    const isSummary = type.includes("summary");
    const index = isSummary ? event["summary_index"] : event["content_index"];
    const section = `${isSummary ? "summary" : "text"} ${typeof index === "number" ? index : 0}`;
    return this.#items.think({ item: at, section }, { text, whole }, events);
  }

  #terminal(type: string, event: JsonObject, events: AnswerEvent[]): ResponseStep {
    const { response } = event;
    if (!isObject(response)) return { kind: "failed", events, failure: malformed };
    this.#start(response, events);
    const usage = readUsage(response);
    const { status, error } = response;
    const isFailed = type === "response.failed" || status === "failed" || isObject(error);
    if (!isFailed && this.#items.isEmpty && !this.#wholeItems(response["output"], events)) {
      return { kind: "failed", events, failure: tooMuch };
    }
    if (!isFailed && this.#items.hasNamelessCall) return { kind: "failed", events, failure: nameless };
    if (!isFailed) this.#items.closeAll(events);
    if (usage !== undefined) events.push({ kind: "usage", usage });
    if (isFailed) return { kind: "failed", events, failure: this.#classify(event) };
    if (status === "cancelled") return { kind: "failed", events, failure: cancelled };
    const isIncomplete = type === "response.incomplete" || status === "incomplete";
    const finish = isIncomplete
      ? incompleteFinish(response["incomplete_details"])
      : { reason: this.#items.sawCall ? ("tools" as const) : ("stop" as const), raw: "completed" };
    events.push({ kind: "finish", finish }, { kind: "end" });
    return { kind: "events", events, ended: true };
  }

  /** The output of an answer that came in one piece. */
  #wholeItems(output: unknown, events: AnswerEvent[]): boolean {
    const items: readonly unknown[] = Array.isArray(output) ? output : [];
    return items.every((item, index) => !isObject(item) || this.#items.finish(index, item, events));
  }
}

interface Place {
  readonly at: unknown;
  readonly events: AnswerEvent[];
}

/** `incomplete_details.reason`: the words OpenAI documents, and that the answer was cut for one nobody documented. */
function incompleteFinish(details: unknown): Finish {
  const raw = isObject(details) && typeof details["reason"] === "string" ? details["reason"] : "incomplete";
  return { reason: raw === "content_filter" ? "policy" : "length", raw };
}

function told(events: readonly AnswerEvent[]): ResponseStep {
  return { kind: "events", events, ended: false };
}

const malformed = failure("bad_upstream_response", "The provider's last event holds no response.");
const nameless = failure("bad_upstream_response", "The provider sent a tool call without a name.");
const tooMuch = failure("bad_upstream_response", "The provider sent more items than any answer can hold.");
const unfinished = failure("truncated_response", "The provider gave back an answer that it has not finished.");
const cancelled = failure("truncated_response", "The provider cancelled its answer.");
