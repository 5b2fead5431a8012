import type { FirstLanguage } from "../world/first-languages.ts";

/** One complete answer of about a kilobyte, and where in it the answer begins and ends for a client. */
export interface CutStream {
  readonly bytes: string;
  readonly text: string;
  /** Its last byte belongs to the first content. Bytes before `contentMay` cannot commit, from `contentMust` on they do. */
  readonly contentMay: number;
  readonly contentMust: number;
  /** The same for the provider's word of finish. */
  readonly finishMay: number;
  readonly finishMust: number;
}

const pieces = ["Uncut – ", "said in ", "three."] as const;
const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_795_000_000, model: "m" };

function chatChunk(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

function messagesEvent(type: string, content: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...content })}\n\n`;
}

/** A blank line completes a message; but one whose JSON is whole may count where the transport ends behind it. */
function marked(parts: {
  readonly before: string;
  readonly content: readonly string[];
  readonly finish: string;
  readonly after: string;
}): CutStream {
  const { before, content, finish, after } = parts;
  const bytes = [before, ...content, finish, after].join("");
  const sizeOf = (...parts: readonly string[]): number => Buffer.byteLength(parts.join(""));
  const contentMust = sizeOf(before, content[0] ?? "");
  const finishMust = sizeOf(before, ...content, finish);
  return {
    bytes,
    text: pieces.join(""),
    contentMay: contentMust - 2,
    contentMust,
    finishMay: finishMust - 2,
    finishMust,
  };
}

const usage = { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 };

export const cutStreams: Readonly<Record<FirstLanguage, CutStream>> = {
  "openai-chat": marked({
    before: chatChunk({ role: "assistant", content: "" }),
    content: pieces.map((content) => chatChunk({ content })),
    finish: chatChunk({}, "stop"),
    after: `data: ${JSON.stringify({ ...head, choices: [], usage })}\n\ndata: [DONE]\n\n`,
  }),
  "anthropic-messages": marked({
    before:
      messagesEvent("message_start", {
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "m",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      }) +
      messagesEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
      messagesEvent("ping"),
    content: pieces.map((text) =>
      messagesEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    ),
    finish:
      messagesEvent("content_block_stop", { index: 0 }) +
      messagesEvent("message_delta", {
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 7 },
      }),
    after: messagesEvent("message_stop"),
  }),
};

/** The same answer in one piece. */
export const cutAnswers: Readonly<Record<FirstLanguage, string>> = {
  "openai-chat": JSON.stringify({
    ...head,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: pieces.join("") }, finish_reason: "stop" }],
    usage,
  }),
  "anthropic-messages": JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [{ type: "text", text: pieces.join("") }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 7 },
  }),
};
