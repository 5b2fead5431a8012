import type { AnswerEvent, FinishReason } from "#domain/answer";
import type { AnswerView, TokenLogprob, ToolCallView } from "#domain/confidence";

/** Tokens of one answer that are looked at: several times what any model writes. With more, none are. */
const maxTokens = 500_000;
/** Alternatives kept for each token: no provider tells more. */
const maxTop = 20;

/**
 * One answer as estimators see it, from its events so far: streamed or whole, in whatever pieces. Texts and tokens are in
 * the order in which their blocks began; reasoning is no part of an answer.
 */
export function viewOf(events: readonly AnswerEvent[]): AnswerView {
  const texts = new Map<number, TextBlock>();
  const calls = new Map<number, { readonly id: string; readonly name: string; argumentsJson: string }>();
  let refusal = "";
  let finish: FinishReason | undefined;
  let foreign = false;
  for (const event of events) {
    switch (event.kind) {
      case "text-delta":
        blockOf(texts, event.block).add(event.text, event.logprobs);
        break;
      case "tool-start":
        calls.set(event.block, { id: event.id, name: event.name, argumentsJson: "" });
        break;
      case "tool-delta": {
        const call = calls.get(event.block);
        if (call !== undefined) call.argumentsJson += event.json;
        break;
      }
      case "refusal-delta":
        refusal += event.text;
        break;
      case "foreign":
        foreign ||= event.content === true;
        break;
      case "finish":
        finish = event.finish.reason;
        break;
      default:
        break;
    }
  }
  const blocks = [...texts.values()];
  const tokens = blocks.length === 1 ? (blocks[0]?.tokens ?? []) : blocks.flatMap((block) => block.tokens);
  const toolCalls: readonly ToolCallView[] = [...calls.values()];
  return {
    text: blocks.map((block) => block.text).join(""),
    refusal,
    toolCalls,
    ...(finish === undefined ? {} : { finish }),
    ...(tokens.length === 0 || tokens.length > maxTokens ? {} : { tokens }),
    ...(foreign ? { foreign } : {}),
  };
}

function blockOf(texts: Map<number, TextBlock>, block: number): TextBlock {
  const known = texts.get(block) ?? new TextBlock();
  texts.set(block, known);
  return known;
}

/** Joins a text and its tokens. A character of several tokens belongs to the last of them, and the others are empty. */
class TextBlock {
  text = "";
  readonly tokens: TokenLogprob[] = [];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param logprobs as OpenAI's chat completions shape them: `{ content: [{ token, logprob, bytes, top_logprobs }] }` */
  add(text: string, logprobs: unknown): void {
    this.text += text;
    const content = field(logprobs, "content");
    if (!Array.isArray(content)) return;
    for (const entry of content as readonly unknown[]) {
      const token = field(entry, "token");
      if (typeof token !== "string" || this.tokens.length > maxTokens) continue;
      const top = alternatives(field(entry, "top_logprobs"));
      this.tokens.push({
        token: this.#spelling(token, field(entry, "bytes")),
        logprob: logarithm(field(entry, "logprob")),
        ...(top.length === 0 ? {} : { top }),
      });
    }
  }

  /** Half of a character has no spelling of its own, and providers write it in ways of their own: its bytes are exact. */
  #spelling(token: string, bytes: unknown): string {
    if (!Array.isArray(bytes) || bytes.length === 0 || isAscii(token, bytes) || !bytes.every(isByte)) return token;
    return this.#decoder.decode(Uint8Array.from(bytes), { stream: true });
  }
}

function alternatives(top: unknown): NonNullable<TokenLogprob["top"]> {
  if (!Array.isArray(top)) return [];
  const found: { readonly token: string; readonly logprob: number }[] = [];
  for (const entry of top as readonly unknown[]) {
    const token = field(entry, "token");
    if (typeof token === "string") found.push({ token, logprob: logarithm(field(entry, "logprob")) });
    if (found.length === maxTop) break;
  }
  return found;
}

/** Not a number where the provider told none. */
function logarithm(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

/** Nearly all tokens: they are spared the decoder. */
function isAscii(token: string, bytes: readonly unknown[]): boolean {
  if (bytes.length !== token.length) return false;
  for (let at = 0; at < token.length; at += 1) {
    const code = token.charCodeAt(at);
    if (code !== bytes[at] || code > 127) return false;
  }
  return true;
}

function isByte(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
