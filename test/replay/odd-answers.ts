import type { ClientDialectId } from "#domain/call";
import { eventFrame } from "./languages/event-frames.ts";
import type { OddJson } from "./odd-json.ts";

/** One event of a stream: its type where the language names it, and its JSON. */
type OddEvent = readonly [type: string | undefined, json: string];

/** The events of a whole stream that says a few odd strings. */
const streams: Readonly<Record<ClientDialectId, (odd: OddJson, texts: readonly string[]) => readonly OddEvent[]>> = {
  "openai-chat": (odd, texts) => {
    const head = { id: '"c"', object: '"chat.completion.chunk"', created: "1", model: '"m"' };
    const choice = (delta: string, finish = "null"): OddEvent => [
      undefined,
      odd.odd({ ...head, choices: `[${odd.odd({ index: "0", delta, finish_reason: finish })}]` }),
    ];
    const usage = odd.odd({ prompt_tokens: "1", completion_tokens: "2", total_tokens: "3" });
    return [
      choice(odd.odd({ role: '"assistant"', content: '""' })),
      ...texts.map((text) => choice(odd.odd({ content: text }))),
      choice("{}", '"stop"'),
      [undefined, odd.odd({ ...head, choices: "[ ]", usage })],
    ];
  },
  "openai-responses": (odd, texts) => {
    const state = { id: '"resp_1"', object: '"response"', created_at: "1", model: '"m"' };
    const response = (status: string): string => odd.odd({ ...state, status, output: "[]" });
    const event = (type: string, fields: Readonly<Record<string, string>>): OddEvent => [
      type,
      odd.odd({ type: `"${type}"`, ...fields }),
    ];
    const item = odd.odd({ id: '"msg_1"', type: '"message"', role: '"assistant"', content: "[]" });
    const at = { item_id: '"msg_1"', output_index: "0", content_index: "0" };
    return [
      event("response.created", { response: response('"in_progress"') }),
      event("response.output_item.added", { output_index: "0", item }),
      ...texts.map((text) => event("response.output_text.delta", { ...at, delta: text })),
      event("response.output_item.done", { output_index: "0", item }),
      event("response.completed", { response: response('"completed"') }),
    ];
  },
  "anthropic-messages": (odd, texts) => {
    const event = (type: string, fields: Readonly<Record<string, string>>): OddEvent => [
      type,
      odd.odd({ type: `"${type}"`, ...fields }),
    ];
    const usage = odd.odd({ input_tokens: "1", output_tokens: "1" });
    const message = odd.odd({
      id: '"m"',
      type: '"message"',
      role: '"assistant"',
      model: '"m"',
      content: "[]",
      stop_reason: "null",
      usage,
    });
    return [
      event("message_start", { message }),
      event("content_block_start", { index: "0", content_block: odd.odd({ type: '"text"', text: '""' }) }),
      ...texts.map((text) =>
        event("content_block_delta", { index: "0", delta: odd.odd({ type: '"text_delta"', text }) }),
      ),
      event("content_block_stop", { index: "0" }),
      event("message_delta", { delta: odd.odd({ stop_reason: '"end_turn"' }), usage }),
      event("message_stop", {}),
    ];
  },
  gemini: (odd, texts) => {
    const chunk = (parts: string, more: Readonly<Record<string, string>> = {}): OddEvent => [
      undefined,
      odd.odd({
        candidates: `[${odd.odd({ index: "0", content: odd.odd({ role: '"model"', parts }), ...more })}]`,
        responseId: '"r"',
        modelVersion: '"m"',
      }),
    ];
    return [
      ...texts.map((text) => chunk(`[${odd.odd({ text })}]`)),
      chunk(`[${odd.odd({ text: '""' })}]`, { finishReason: '"STOP"' }),
    ];
  },
  "bedrock-converse": (odd, texts) => [
    ["messageStart", odd.odd({ role: '"assistant"' })],
    ...texts.map((text): OddEvent => [
      "contentBlockDelta",
      // A delta is a union: it holds one member and nothing beside it.
      odd.odd({ contentBlockIndex: "0", delta: odd.object([odd.member("text", text)]) }),
    ]),
    ["contentBlockStop", odd.odd({ contentBlockIndex: "0" })],
    ["messageStop", odd.odd({ stopReason: '"end_turn"' })],
    [
      "metadata",
      odd.odd({
        usage: odd.odd({ inputTokens: "1", outputTokens: "1", totalTokens: "2" }),
        metrics: odd.odd({ latencyMs: "3" }),
      }),
    ],
  ],
};

/** A stream as a provider could write it, with the oddities its framing allows. `usage`: in a message of its own, too. */
export function oddStream(dialect: ClientDialectId, odd: OddJson, usage = true): Buffer {
  const texts = Array.from({ length: 1 + odd.below(4) }, () => odd.text());
  const said = streams[dialect](odd, texts);
  const events = usage ? said : said.slice(0, -1);
  if (dialect === "bedrock-converse") {
    return Buffer.concat(events.map(([type = "", json]) => eventFrame(type, json)));
  }
  if (dialect === "gemini" && odd.chance(3)) {
    const elements = events.map(([, json]) => odd.space() + json + odd.space());
    return Buffer.from(`[${elements.join(",")}]`);
  }
  const lineEnd = odd.pick(["\n", "\n", "\r\n"], "\n");
  const messages = events.map((event) => sseMessage(event, lineEnd, odd));
  if (dialect === "openai-chat") messages.push(`data:${odd.chance(4) ? "" : " "}[DONE]${lineEnd}${lineEnd}`);
  return Buffer.from(messages.join(""));
}

/** Line breaks between members are as many `data` lines; comments stand between messages. */
function sseMessage([type, json]: OddEvent, lineEnd: string, odd: OddJson): string {
  const lines = json.split(/\r\n|\n|\r/u).map((line) => `data:${odd.chance(5) ? "" : " "}${line}${lineEnd}`);
  const comment = odd.chance(8) ? `: ping${lineEnd}${odd.chance(2) ? lineEnd : ""}` : "";
  const id = odd.chance(10) ? `id: 7${lineEnd}retry: 10${lineEnd}` : "";
  return `${comment}${type === undefined ? "" : `event: ${type}${lineEnd}`}${id}${lines.join("")}${lineEnd}`;
}

/** A whole answer. */
export function oddAnswer(dialect: ClientDialectId, odd: OddJson): Buffer {
  return Buffer.from(odd.space() + wholes[dialect](odd, odd.text()) + odd.space());
}

const wholes: Readonly<Record<ClientDialectId, (odd: OddJson, text: string) => string>> = {
  "openai-chat": (odd, text) =>
    odd.odd({
      id: '"c"',
      object: '"chat.completion"',
      created: "1",
      model: '"m"',
      choices: `[${odd.odd({ index: "0", message: odd.odd({ role: '"assistant"', content: text }), finish_reason: '"stop"' })}]`,
    }),
  "openai-responses": (odd, text) => {
    const part = odd.odd({ type: '"output_text"', text, annotations: "[]" });
    const item = odd.odd({ id: '"msg_1"', type: '"message"', role: '"assistant"', content: `[${part}]` });
    return odd.odd({ id: '"resp_1"', object: '"response"', status: '"completed"', output: `[${item}]` });
  },
  "anthropic-messages": (odd, text) =>
    odd.odd({
      id: '"m"',
      type: '"message"',
      role: '"assistant"',
      model: '"m"',
      content: `[${odd.odd({ type: '"text"', text })}]`,
      stop_reason: '"end_turn"',
      usage: odd.odd({ input_tokens: "1", output_tokens: "1" }),
    }),
  gemini: (odd, text) => {
    const content = odd.odd({ role: '"model"', parts: `[${odd.odd({ text })}]` });
    return odd.odd({ candidates: `[${odd.odd({ index: "0", content, finishReason: '"STOP"' })}]`, responseId: '"r"' });
  },
  "bedrock-converse": (odd, text) => {
    const message = odd.odd({ role: '"assistant"', content: `[${odd.object([odd.member("text", text)])}]` });
    const usage = odd.odd({ inputTokens: "1", outputTokens: "1", totalTokens: "2" });
    return odd.odd({ output: odd.odd({ message }), stopReason: '"end_turn"', usage, metrics: '{"latencyMs":3}' });
  },
};
