import type { FirstLanguage } from "./first-languages.ts";

export interface Question {
  readonly dialect: FirstLanguage;
  readonly streamed: boolean;
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** How a call looked to its caller. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Everything that came, whole or not. */
  readonly body: string;
  /** The answer's words, from either language, streamed or not. */
  readonly text: string;
  /** `error.metadata.code`, of an error answer or of an error inside a stream. */
  readonly code: string | undefined;
  /** By the protocol's own word: an end, an error, or neither. */
  readonly ending: "complete" | "told" | "silent";
  /** The transport broke before its own end. */
  readonly cut: boolean;
}

const paths: Readonly<Record<FirstLanguage, string>> = {
  "openai-chat": "/v1/chat/completions",
  "anthropic-messages": "/v1/messages",
};

/** One call by hand: no SDK, so that every byte of the answer is seen. Throws only where no answer came at all. */
export async function ask(url: string, question: Question): Promise<Reply> {
  const { dialect, streamed, model = "main" } = question;
  const answer = await fetch(url + paths[dialect], {
    method: "POST",
    headers: { "content-type": "application/json", ...question.headers },
    body: JSON.stringify({
      model,
      max_tokens: 50,
      messages: [{ role: "user", content: "Say something." }],
      ...(streamed ? { stream: true } : {}),
      ...question.body,
    }),
    ...(question.signal === undefined ? {} : { signal: question.signal }),
  });
  const { body, cut } = await readAll(answer);
  const isStream = answer.headers.get("content-type")?.includes("event-stream") === true;
  const seen = isStream ? readStream(body) : readWhole(answer.status, body);
  return { status: answer.status, headers: answer.headers, body, cut, ...seen };
}

async function readAll(answer: Response): Promise<{ readonly body: string; readonly cut: boolean }> {
  const decoder = new TextDecoder();
  let body = "";
  try {
    for await (const bytes of answer.body ?? []) body += decoder.decode(bytes, { stream: true });
    return { body: body + decoder.decode(), cut: false };
  } catch {
    return { body, cut: true };
  }
}

type Seen = Pick<Reply, "text" | "code" | "ending">;

// Only the fields looked at; everything may be missing.
interface Payload {
  readonly type?: string;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly message?: { readonly content?: string | null };
  }[];
  readonly delta?: { readonly text?: string };
  readonly content?: readonly { readonly text?: string }[];
  readonly error?: { readonly metadata?: { readonly code?: string } };
}

function readWhole(status: number, body: string): Seen {
  const json = parse(body);
  const text = json?.choices?.[0]?.message?.content ?? json?.content?.map((block) => block.text ?? "").join("") ?? "";
  const ending = json === undefined ? "silent" : status === 200 ? "complete" : "told";
  return { text, code: json?.error?.metadata?.code, ending };
}

function readStream(body: string): Seen {
  let text = "";
  let code: string | undefined;
  let ending: Reply["ending"] = "silent";
  for (const [, data = ""] of body.matchAll(/^data: ?(.*)$/gm)) {
    const json = parse(data);
    text += json?.choices?.[0]?.delta?.content ?? json?.delta?.text ?? "";
    if (json?.error !== undefined) {
      ending = "told";
      code = json.error.metadata?.code;
    } else if (data.trim() === "[DONE]" || json?.type === "message_stop") ending = "complete";
  }
  return { text, code, ending };
}

function parse(text: string): Payload | undefined {
  try {
    return JSON.parse(text) as Payload;
  } catch {
    return undefined;
  }
}
