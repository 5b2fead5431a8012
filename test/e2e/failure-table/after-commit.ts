import type { AfterCommit, NoFault } from "./fault-row.ts";
import { openai, streamed, words } from "./fault-row.ts";

const after = { phase: "after", modes: streamed, text: "one two" } as const;
const truncated = { ...after, kind: "truncated_response", code: "upstream_truncated" } as const;
const unreadable = { ...after, kind: "bad_upstream_response", code: "upstream_error" } as const;
const late = { ...after, code: "upstream_timeout" } as const;

/** Rows whose fault comes when the client already has a part of the answer. */
export const afterCommit: readonly AfterCommit[] = [
  {
    ...truncated,
    row: 41,
    name: "the connection is reset",
    fault: { answer: { text: words }, cut: { afterChunk: 2, how: "rst" } },
  },
  {
    ...truncated,
    row: 42,
    name: "the connection ends inside the body",
    fault: { answer: { text: words }, cut: { afterChunk: 2, how: "fin" } },
  },
  {
    ...truncated,
    row: 42,
    name: "the transport ends well, the protocol does not",
    fault: { answer: { text: words }, cut: { afterChunk: 2, how: "clean-end" } },
  },
  {
    ...truncated,
    row: 42,
    name: "a body whose end the closed connection tells is cut",
    fault: { answer: { text: words }, framing: "close-delimited", cut: { afterChunk: 2, how: "fin" } },
  },
  {
    ...truncated,
    row: 42,
    name: "everything came but a finish and an end",
    fault: { answer: { text: words }, omitFinish: true, omitDone: true },
    text: words,
  },
  {
    ...after,
    row: 44,
    name: "the provider says that it is overloaded",
    fault: { answer: { text: words }, errorEvent: { after: { chunk: 2 }, kind: "overloaded" } },
    kind: "upstream_overloaded",
    code: "overloaded",
  },
  {
    ...after,
    row: 44,
    name: "the provider says that it is overloaded, then ends as if all were well",
    fault: { answer: { text: words }, errorEvent: { after: { chunk: 2 }, kind: "overloaded", thenDone: true } },
    kind: "upstream_overloaded",
    code: "overloaded",
  },
  {
    ...late,
    row: 45,
    name: "silence",
    fault: { answer: { text: words }, stall: { after: { chunk: 2 } } },
    timeouts: { idleMs: 300 },
    kind: "transport_idle_timeout",
  },
  {
    ...late,
    row: 45,
    name: "signs of life without content",
    fault: { answer: { text: words }, stall: { after: { chunk: 2 }, pingEveryMs: 20 } },
    timeouts: { idleMs: 2_000, contentIdleMs: 300 },
    kind: "content_idle_timeout",
  },
  {
    ...late,
    row: 45,
    name: "content that takes longer than the whole call may",
    fault: { answer: { text: words }, stall: { after: { chunk: 2 } } },
    timeouts: { totalMs: 500 },
    kind: "total_timeout",
  },
  ...Array.from(["broken-json", "two-objects", "half-frame"] as const, (kind): AfterCommit => ({
    ...unreadable,
    row: 46,
    name: `an event that cannot be read: ${kind}`,
    fault: { answer: { text: words }, malformed: { afterChunk: 2, kind } },
  })),
  {
    ...after,
    row: 48,
    name: "an event larger than any may be",
    fault: { answer: { text: words }, malformed: { afterChunk: 2, kind: "oversize" } },
    kind: "event_too_large",
    code: "upstream_error",
  },
];

const none = { phase: "none", text: words } as const;

/** Rows that look like faults and are none. */
export const noFaults: readonly NoFault[] = [
  {
    ...none,
    row: 15,
    name: "a refusal is an answer: nobody else is asked",
    fault: { answer: { text: words, finish: "policy" } },
    finish: "policy",
  },
  {
    ...none,
    row: 43,
    name: "the finish came, the end did not: the end is written for it",
    modes: streamed,
    fault: { answer: { text: words }, omitDone: true },
  },
  {
    ...none,
    row: 43,
    name: "the finish came, then the connection is cut",
    modes: streamed,
    fault: { answer: { text: words }, omitDone: true, cut: { atByte: 1_000_000, how: "fin" } },
  },
  {
    ...none,
    row: 47,
    name: "nothing behind the end counts",
    modes: streamed,
    upstream: openai,
    fault: {
      raw: [
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"${words}"},"finish_reason":null}]}\n\n`,
        'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
        "data: [DONE]\n\ndata: [DONE]\n\n",
        'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" and more"},"finish_reason":null}]}\n\n',
      ].join(""),
    },
    usageEstimated: true,
  },
  ...Array.from(["unknown-event", "comment"] as const, (kind): NoFault => ({
    ...none,
    row: 46,
    name: `what a later version of the protocol may send: ${kind}`,
    modes: streamed,
    fault: { answer: { text: words }, malformed: { afterChunk: 2, kind } },
  })),
  {
    ...none,
    row: 49,
    name: "characters split over writes",
    fault: { answer: { text: words }, slice: 1 },
  },
  {
    ...none,
    row: 52,
    name: "an answer at the limit of its length",
    fault: { answer: { text: words, finish: "length" } },
    finish: "length",
  },
  {
    ...none,
    row: 56,
    name: "no usage is reported: it is estimated, and said to be",
    fault: { answer: { text: words }, omitUsage: true },
    usageEstimated: true,
  },
];
