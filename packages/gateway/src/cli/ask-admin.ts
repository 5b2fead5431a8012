/** What the admin API of a running gateway answers, or why it did not. */
export type AdminAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "failed"; readonly message: string };

export interface AdminCall {
  readonly url: string;
  readonly token: string | undefined;
  readonly method: "GET" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: object;
}

const withinMs = 15_000;

/** One request to a running gateway's admin API. Never rejects. */
export async function askAdmin({ url, token, method, path, body }: AdminCall): Promise<AdminAnswer> {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    const told: unknown = await response.json();
    if (typeof told !== "object" || told === null) return { kind: "failed", message: noGateway(url) };
    return { kind: "answered", status: response.status, body: told as Readonly<Record<string, unknown>> };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "failed", message: noGateway(url) };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if ((cause as NodeJS.ErrnoException).code === "ECONNREFUSED") {
      const fix = "start the gateway with `hedgerow serve`, name another with --url, or its folder with --data";
      return { kind: "failed", message: `nothing listens at ${url}; ${fix}` };
    }
    return { kind: "failed", message: `the gateway at ${url} did not answer: ${(cause as Error).message}` };
  }
}

function noGateway(url: string): string {
  return `what answers at ${url} is no gateway with an admin API`;
}
