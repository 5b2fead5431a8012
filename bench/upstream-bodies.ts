// What the benchmark's provider says, in the languages it speaks.
export interface Bodies {
  readonly whole: Buffer;
  readonly opening: Buffer;
  readonly content: Buffer;
  readonly ending: Buffer;
}

const words = " a few words of an answer";
const longAnswer = "x".repeat(700);

const usage = { prompt_tokens: 200, completion_tokens: 180, total_tokens: 380 };
const chunkHead = { id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1_760_000_000, model: "gpt-5.4" };
const message = { role: "assistant", content: longAnswer, refusal: null };

function chunk(delta: object, finish: string | null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...chunkHead, choices, usage: null })}\n\n`;
}

export const openai: Bodies = {
  whole: Buffer.from(
    JSON.stringify({
      ...chunkHead,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage,
    }),
  ),
  opening: Buffer.alloc(0),
  content: Buffer.from(chunk({ content: words }, null)),
  ending: Buffer.from(
    `${chunk({}, "stop")}data: ${JSON.stringify({ ...chunkHead, choices: [], usage })}\n\ndata: [DONE]\n\n`,
  ),
};

const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const claude = { id: "msg_bench", type: "message", role: "assistant", model: "claude-sonnet-5" };
const claudeUsage = {
  input_tokens: 200,
  output_tokens: 180,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

export const anthropic: Bodies = {
  whole: Buffer.from(
    JSON.stringify({
      ...claude,
      content: [{ type: "text", text: longAnswer }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: claudeUsage,
    }),
  ),
  opening: Buffer.from(
    event("message_start", {
      message: {
        ...claude,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...claudeUsage, output_tokens: 1 },
      },
    }) + event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ),
  content: Buffer.from(event("content_block_delta", { index: 0, delta: { type: "text_delta", text: words } })),
  ending: Buffer.from(
    event("content_block_stop", { index: 0 }) +
      event("message_delta", {
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 180 },
      }) +
      event("message_stop", {}),
  ),
};
