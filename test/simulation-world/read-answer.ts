import type { ClientDialect } from "./world-plan.ts";

/** What a client has in hand, by its own language's words. */
export interface AnswerSeen {
  readonly text: string;
  /** The language's own completion came. */
  readonly complete: boolean;
  /** The language's own error came. */
  readonly told: boolean;
}

// Only what is looked at; everything may be missing.
interface Payload {
  readonly type?: string;
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly message?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly delta?: { readonly text?: string } | string;
  readonly content?: readonly { readonly text?: string }[];
  readonly output?: readonly { readonly content?: readonly { readonly text?: string }[] }[];
}

export function readStream(body: string): AnswerSeen {
  let text = "";
  let complete = false;
  let told = false;
  for (const line of body.split("\n")) {
    if (!line.startsWith("data:")) continue;
    const data = line.slice(5).trim();
    if (data === "[DONE]") {
      complete = true;
      continue;
    }
    const json = JSON.parse(data) as Payload;
    const { type, delta } = json;
    if (json.error !== undefined || type === "error" || type === "response.failed") told = true;
    else if (type === "message_stop" || type === "response.completed" || type === "response.incomplete")
      complete = true;
    else if (type === "response.output_text.delta" && typeof delta === "string") text += delta;
    else if (type === "content_block_delta" && typeof delta === "object") text += delta.text ?? "";
    else text += json.choices?.[0]?.delta?.content ?? "";
  }
  return { text, complete, told };
}

export function readWhole(body: string): AnswerSeen {
  const json = JSON.parse(body) as Payload;
  const told = json.error !== undefined && json.error !== null;
  const blocks = json.content ?? json.output?.flatMap(({ content }) => content ?? []) ?? [];
  const text = json.choices?.[0]?.message?.content ?? blocks.map((block) => block.text ?? "").join("");
  return { text, complete: !told, told };
}

const completions: Readonly<Record<ClientDialect, string>> = {
  "openai-chat": "data: [DONE]",
  "anthropic-messages": '"type":"message_stop"',
  "openai-responses": '"type":"response.completed"',
};

/** Whether these bytes bring a stream's completion. */
export function completes(dialect: ClientDialect, bytes: Buffer): boolean {
  return bytes.includes(completions[dialect]);
}

export interface Piece {
  readonly serial: number;
  readonly at: number;
  readonly of: number;
}

export function piecesIn(text: string): readonly Piece[] {
  return [...text.matchAll(/\[(\d+)\.(\d+)\/(\d+)\]/g)].map(([, serial, at, of]) => ({
    serial: Number(serial),
    at: Number(at),
    of: Number(of),
  }));
}
