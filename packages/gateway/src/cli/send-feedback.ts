export type FeedbackSent = { readonly kind: "kept" } | { readonly kind: "failed"; readonly message: string };

const withinMs = 10_000;

/** Tells a running gateway whether an answer was right. Never rejects. */
export async function sendFeedback(url: string, key: string | undefined, said: object): Promise<FeedbackSent> {
  try {
    const response = await fetch(`${url}/v1/feedback`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(key === undefined || key === "" ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(said),
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    if (response.status === 202) return { kind: "kept" };
    const body = (await response.json()) as { readonly error?: { readonly message?: unknown } } | null;
    const message = body?.error?.message;
    const told =
      typeof message === "string" ? message : `what answers at ${url} takes no verdicts (${response.status})`;
    return { kind: "failed", message: response.status === 401 ? `${told} Set HEDGEROW_KEY to it.` : told };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if ((cause as NodeJS.ErrnoException).code === "ECONNREFUSED") {
      const fix = "start the gateway with `hedgerow serve`, or name another with --url";
      return { kind: "failed", message: `nothing listens at ${url}; ${fix}` };
    }
    return { kind: "failed", message: `the gateway at ${url} did not answer: ${(cause as Error).message}` };
  }
}
