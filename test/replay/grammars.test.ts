import { describe, expect, it } from "vitest";
import { chatStreamFaults } from "./chat-grammar.ts";
import { messagesStreamFaults } from "./messages-grammar.ts";
import { readSse } from "./sse-messages.ts";

/** The checkers that judge every replay are judged here: a checker that finds nothing proves nothing. */
const head = '"id":"c","object":"chat.completion.chunk","created":1,"model":"m"';
const chunk = (delta: string, finish = "null"): string =>
  `data: {${head},"choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}\n\n`;
const role = chunk('{"role":"assistant","content":""}');
const stop = chunk("{}", '"stop"');
const done = "data: [DONE]\n\n";
const usage = `data: {${head},"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n`;
const call = (json: string, named = '"id":"a","type":"function",'): string =>
  chunk(`{"tool_calls":[{"index":0,${named}"function":{"name":"f","arguments":${JSON.stringify(json)}}}]}`);

describe("the chat grammar", () => {
  it.each([
    ["nothing, in a whole answer", role + chunk('{"content":"x"}') + stop + usage + done, /^$/],
    ["a missing finish_reason", role + done, /no finish_reason/],
    ["a missing [DONE]", role + stop, /no \[DONE\]/],
    ["content behind the finish", role + stop + chunk('{"content":"x"}') + done, /behind the finish_reason/],
    ["bytes behind [DONE]", role + stop + done + role, /behind \[DONE\]/],
    ["a missing role", chunk('{"content":"x"}') + stop + done, /no role/],
    ["usage before the finish", role + usage + stop + done, /usage beside or before/],
    ["a call without id and type", role + call("{}", "") + stop + done, /without id or type/],
    ["a call named twice", role + call("{") + call("}") + stop + done, /named twice/],
    ["arguments that are no object", role + call("[1]") + stop + done, /no JSON object/],
    ["a changed id", role + stop.replace('"id":"c"', '"id":"d"') + done, /head changed/],
    ["an error", `${role}data: {"error":{"message":"x"}}\n\n`, /an error/],
    ["a torn last message", role + stop + done.trimEnd(), /outside of any message/],
  ])("finds %s", (_what, text, fault) => {
    expect(chatStreamFaults(text, { usageAsked: true }).join("\n")).toMatch(fault);
  });

  it("finds usage that nobody asked for", () => {
    const faults = chatStreamFaults(role + stop + usage + done, { usageAsked: false });
    expect(faults).toEqual(["usage nobody asked for"]);
  });
});

const event = (type: string, more = ""): string => `event: ${type}\ndata: {"type":"${type}"${more}}\n\n`;
const start = event(
  "message_start",
  ',"message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,' +
    '"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
);
const begin = (index: number, block = '{"type":"text","text":""}'): string =>
  event("content_block_start", `,"index":${index},"content_block":${block}`);
const delta = (index: number, piece = '{"type":"text_delta","text":"x"}'): string =>
  event("content_block_delta", `,"index":${index},"delta":${piece}`);
const end = (index: number): string => event("content_block_stop", `,"index":${index}`);
const text = begin(0) + delta(0) + end(0);
const over = event("message_delta", ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}');
const last = event("message_stop");

describe("the Messages grammar", () => {
  it.each([
    ["nothing, in a whole answer", start + event("ping") + text + over + last, /^$/],
    ["a missing message_stop", start + text + over, /no message_stop/],
    ["a missing message_delta", start + text + last, /message_stop while content/],
    ["a second message_start", start + start + text + over + last, /second message_start/],
    ["interleaved blocks", start + begin(0) + begin(1) + delta(0) + end(0) + over + last, /out of turn/],
    ["a reused index", start + text + text + over + last, /block 0 in place of 1/],
    [
      "a delta of another kind",
      start + begin(0) + delta(0, '{"type":"thinking_delta"}') + end(0) + over + last,
      /in a text/,
    ],
    ["an open block at the end", start + begin(0) + delta(0) + over + last, /message_delta out of turn/],
    ["an empty text block", start + begin(0) + end(0) + over + last, /empty text block/],
    ["a missing event line", start + text.replace("event: content_block_stop\n", "") + over + last, /event line says/],
    ["bytes behind message_stop", start + text + over + last + event("ping"), /behind message_stop/],
    ["an error event", start + event("error"), /event error/],
  ])("finds %s", (_what, stream, fault) => {
    expect(messagesStreamFaults(stream).join("\n")).toMatch(fault);
  });
});

describe("the tests' own reading of event streams", () => {
  it("knows the three line ends, comments, joined data lines and a torn last message", () => {
    const messages = readSse("\uFEFFdata: a\r\ndata:b\r\n\r\nevent: x\rdata\r\r: c\n\ndata: torn\n");
    expect(messages.map(({ event, data }) => [event, data])).toEqual([
      [undefined, "a\nb"],
      ["x", ""],
      [undefined, undefined],
    ]);
  });
});
