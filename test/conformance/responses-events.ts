import type { Responses } from "openai/resources/responses/responses";

type Event = Responses.ResponseStreamEvent;
/** A type of a parsed value may be wider than what is on the wire: fields that may be left out are not demanded. */
type Needed<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];
type Fields<T> = Readonly<Record<Needed<T>, true>>;

/** What the gateway writes of the events there are. */
type Written =
  | "response.created"
  | "response.in_progress"
  | "response.completed"
  | "response.incomplete"
  | "response.failed"
  | "response.output_item.added"
  | "response.output_item.done"
  | "response.content_part.added"
  | "response.content_part.done"
  | "response.output_text.delta"
  | "response.output_text.done"
  | "response.refusal.delta"
  | "response.refusal.done"
  | "response.reasoning_summary_part.added"
  | "response.reasoning_summary_part.done"
  | "response.reasoning_summary_text.delta"
  | "response.reasoning_summary_text.done"
  | "response.function_call_arguments.delta"
  | "response.function_call_arguments.done"
  | "error";

const lifecycle = { response: true, sequence_number: true, type: true } as const;
const item = { item: true, output_index: true, sequence_number: true, type: true } as const;
const place = { item_id: true, output_index: true, sequence_number: true, type: true } as const;
const part = { ...place, content_index: true, part: true } as const;
const summary = { ...place, summary_index: true } as const;

/** The fields that the official package's types demand of each event; a package that demands more fails to compile. */
const events: { readonly [Type in Written]: Fields<Extract<Event, { readonly type: Type }>> } = {
  "response.created": lifecycle,
  "response.in_progress": lifecycle,
  "response.completed": lifecycle,
  "response.incomplete": lifecycle,
  "response.failed": lifecycle,
  "response.output_item.added": item,
  "response.output_item.done": item,
  "response.content_part.added": part,
  "response.content_part.done": part,
  "response.output_text.delta": { ...place, content_index: true, delta: true, logprobs: true },
  "response.output_text.done": { ...place, content_index: true, text: true, logprobs: true },
  "response.refusal.delta": { ...place, content_index: true, delta: true },
  "response.refusal.done": { ...place, content_index: true, refusal: true },
  "response.reasoning_summary_part.added": { ...summary, part: true },
  "response.reasoning_summary_part.done": { ...summary, part: true },
  "response.reasoning_summary_text.delta": { ...summary, delta: true },
  "response.reasoning_summary_text.done": { ...summary, text: true },
  "response.function_call_arguments.delta": { ...place, delta: true },
  "response.function_call_arguments.done": { ...place, arguments: true },
  error: { code: true, message: true, param: true, sequence_number: true, type: true },
};

const items: {
  readonly message: Fields<Responses.ResponseOutputMessage>;
  readonly reasoning: Fields<Responses.ResponseReasoningItem>;
  readonly function_call: Fields<Responses.ResponseFunctionToolCall>;
} = {
  message: { id: true, content: true, role: true, status: true, type: true },
  reasoning: { id: true, summary: true, type: true },
  function_call: { call_id: true, name: true, arguments: true, type: true },
};

const parts: {
  readonly output_text: Fields<Responses.ResponseOutputText>;
  readonly refusal: Fields<Responses.ResponseOutputRefusal>;
  readonly summary_text: Fields<Responses.ResponseReasoningItem.Summary>;
} = {
  output_text: { annotations: true, text: true, type: true },
  refusal: { refusal: true, type: true },
  summary_text: { text: true, type: true },
};

/** `output_text` is what the package adds itself. */
const response: Fields<Omit<Responses.Response, "output_text">> = {
  id: true,
  access_programs: true,
  created_at: true,
  error: true,
  incomplete_details: true,
  instructions: true,
  metadata: true,
  model: true,
  object: true,
  output: true,
  parallel_tool_calls: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_p: true,
};

const usage: Fields<Responses.ResponseUsage> = {
  input_tokens: true,
  input_tokens_details: true,
  output_tokens: true,
  output_tokens_details: true,
  total_tokens: true,
};

export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** The events of a stream's text, in order. */
export function eventsIn(stream: string): readonly WireEvent[] {
  return stream
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("\ndata: ") + "\ndata: ".length)) as WireEvent);
}

/** Every field that is missing in a stream's events and in the items, parts and responses they hold, by path. */
export function missingFields(stream: readonly WireEvent[]): readonly string[] {
  return stream.flatMap((event, at) => {
    const wanted: Readonly<Record<string, true>> | undefined = isWritten(event.type) ? events[event.type] : undefined;
    if (wanted === undefined) return [`${event.type} is no event that is written`];
    const path = `${at} ${event.type}`;
    const wrong = event["sequence_number"] === at ? [] : [`${path}: sequence_number`];
    return [
      ...wrong,
      ...lacking(event, wanted, path),
      ...inItem(event["item"], path),
      ...inPart(event["part"], path),
      ...inResponse(event["response"], path),
    ];
  });
}

/** The same of a whole answer. */
export function missingInResponse(answer: unknown): readonly string[] {
  return inResponse(answer, "response");
}

function isWritten(type: string): type is Written {
  return Object.hasOwn(events, type);
}

type Json = Readonly<Record<string, unknown>>;

function lacking(value: Json, wanted: Readonly<Record<string, true>>, path: string): readonly string[] {
  return Object.keys(wanted).flatMap((name) => (value[name] === undefined ? [`${path}: ${name}`] : []));
}

function inItem(value: unknown, path: string): readonly string[] {
  if (value === undefined) return [];
  const found = value as Json;
  const type = found["type"] as keyof typeof items;
  if (!Object.hasOwn(items, type)) return [`${path}: an item of type ${type}`];
  const list = [found["content"], found["summary"]].flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []));
  return [...lacking(found, items[type], `${path} ${type}`), ...list.flatMap((each) => inPart(each, path))];
}

function inPart(value: unknown, path: string): readonly string[] {
  if (value === undefined) return [];
  const found = value as Json;
  const type = found["type"] as keyof typeof parts;
  if (!Object.hasOwn(parts, type)) return [`${path}: a part of type ${type}`];
  return lacking(found, parts[type], `${path} ${type}`);
}

function inResponse(value: unknown, path: string): readonly string[] {
  if (value === undefined) return [];
  const found = value as Json;
  const output = Array.isArray(found["output"]) ? (found["output"] as readonly unknown[]) : [];
  const counts = found["usage"] as Json | null | undefined;
  return [
    ...lacking(found, response, path),
    ...output.flatMap((each) => inItem(each, path)),
    ...(counts === null || counts === undefined ? [] : lacking(counts, usage, `${path} usage`)),
  ];
}
