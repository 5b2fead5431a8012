export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Most characters of the answer that are of interest; none by default. */
  readonly answerLength?: number;
}

/** What came of a post. Never a rejected promise: whoever collects is not ours. */
export type Posted =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number; readonly text: string }
  | { readonly kind: "failed"; readonly why: string };

/** Posts to a collector of the operator's. Redirects are not followed: they would carry what is posted to somebody else. */
export async function post({ url, headers, body, timeoutMs, signal, answerLength = 0 }: Post): Promise<Posted> {
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers,
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = answerLength === 0 ? await ignored(response) : await beginning(response, answerLength);
    const retryAfterMs = readRetryAfter(response.headers.get("retry-after"), Date.now());
    return { kind: "answered", status: response.status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), text };
  } catch (error) {
    const { message, cause } = error as Error;
    return { kind: "failed", why: cause instanceof Error ? cause.message : message };
  }
}

/** Seconds, or a date. */
export function readRetryAfter(written: string | null, wallMs: number): number | undefined {
  if (written === null) return undefined;
  if (/^\s*\d{1,9}(?:\.\d{1,3})?\s*$/u.test(written)) return Number(written) * 1000;
  const atMs = /^[A-Za-z]{3,9}, .* GMT$/u.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - wallMs);
}

async function ignored(response: Response): Promise<string> {
  await response.body?.cancel();
  return "";
}

/** However much a collector says, no more than this is read of it. */
async function beginning(response: Response, length: number): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < length) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, length);
}
