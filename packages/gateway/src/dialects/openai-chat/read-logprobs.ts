import { isObject, type JsonObject } from "#dialects/shape";

interface TokenEntry {
  readonly token: string;
  readonly logprob: unknown;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly object[];
}

/**
 * A choice's log-probabilities in the hub's form, which is that of chat completions; undefined where there are none.
 * `message`: a whole answer, or a piece of one.
 */
export function readLogprobs(value: unknown, message: JsonObject): unknown {
  if (!isObject(value)) return undefined;
  if (Array.isArray(value["tokens"])) return ofCompletion(value);
  const { content } = message;
  const thought = message["reasoning_content"] ?? message["reasoning"];
  const entries = value["content"];
  if (typeof content !== "string" || typeof thought !== "string" || !Array.isArray(entries)) return value;
  return { ...value, content: behindThoughts(entries as readonly unknown[], content) };
}

/** `{ tokens, token_logprobs, top_logprobs: [{ token: logprob }] }`, as `/v1/completions` has them. */
function ofCompletion(value: JsonObject): unknown {
  const { tokens, token_logprobs: numbers, top_logprobs: tops } = value;
  const content = (tokens as readonly unknown[]).flatMap((token, at): readonly TokenEntry[] => {
    if (typeof token !== "string") return [];
    const top = listed(tops, at);
    const others = isObject(top) ? Object.entries(top) : [];
    const alternatives = others.map(([other, logprob]) => ({ token: other, logprob, bytes: [...Buffer.from(other)] }));
    // The first token of an echoed prompt has none.
    return [
      { token, logprob: listed(numbers, at) ?? null, bytes: [...Buffer.from(token)], top_logprobs: alternatives },
    ];
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}

function listed(list: unknown, at: number): unknown {
  return Array.isArray(list) ? (list as readonly unknown[])[at] : undefined;
}

/**
 * vLLM and its kin tell the log-probabilities of all tokens, those of the thought before the answer too, which it gives
 * apart: those of the answer are the last ones that spell it. All of them, where none do.
 */
function behindThoughts(entries: readonly unknown[], content: string): readonly unknown[] {
  const spelt = entries.map((entry) => (isObject(entry) && typeof entry["token"] === "string" ? entry["token"] : ""));
  const answer = content.trim();
  const start = spelt.join("").lastIndexOf(answer);
  if (answer === "" || start === -1) return entries;
  let at = 0;
  return entries.filter((_, index) => {
    const from = at;
    at += spelt[index]?.length ?? 0;
    return at > start && from < start + answer.length;
  });
}
