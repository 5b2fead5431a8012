/** What a gateway says of one scope, as it came. */
export interface ToldScope {
  readonly name: string;
  readonly state: string;
  readonly words: string;
  /** Dates of RFC 3339. */
  readonly since?: string;
  readonly until?: string;
  readonly in_flight?: number;
  readonly limit?: number;
  readonly headroom?: readonly ToldLimit[];
}

interface ToldLimit {
  readonly name: string;
  readonly remaining: number;
  readonly limit?: number;
  readonly reset: string;
}

export interface ToldHealth {
  readonly at: string;
  readonly version: string;
  readonly workers: number;
  readonly scopes: readonly ToldScope[];
}

export type FetchedHealth =
  | { readonly kind: "told"; readonly health: ToldHealth }
  | { readonly kind: "failed"; readonly message: string };

const withinMs = 10_000;

/** What a running gateway says of its providers. Never rejects. */
export async function fetchHealth(url: string, key: string | undefined): Promise<FetchedHealth> {
  try {
    const response = await fetch(`${url}/admin/api/health`, {
      headers: key === undefined || key === "" ? {} : { authorization: `Bearer ${key}` },
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    const body: unknown = await response.json();
    if (response.ok && isHealth(body)) return { kind: "told", health: body };
    if (response.ok) return { kind: "failed", message: noGateway(url) };
    const told = isObject(body) && typeof body["error"] === "string" ? body["error"] : undefined;
    const hint =
      response.status === 401
        ? "; set HEDGEROW_ADMIN_TOKEN, or HEDGEROW_KEY to a key with admin: true or role: viewer"
        : "";
    return { kind: "failed", message: `${told ?? `the gateway answered ${response.status}`}${hint}` };
  } catch (error) {
    return { kind: "failed", message: unreachable(error, url) };
  }
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

/** Enough of a look to tell a gateway from something else at its address. */
function isHealth(value: unknown): value is ToldHealth {
  if (!isObject(value) || typeof value["at"] !== "string" || !Array.isArray(value["scopes"])) return false;
  return value["scopes"].every(
    (each) => isObject(each) && typeof each["name"] === "string" && typeof each["words"] === "string",
  );
}

function noGateway(url: string): string {
  return `what answers at ${url} is no gateway that tells of its health`;
}

function unreachable(error: unknown, url: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if ((cause as NodeJS.ErrnoException).code === "ECONNREFUSED") {
    return `nothing listens at ${url}; start the gateway with \`hedgerow serve\`, or name another with --url`;
  }
  if (error instanceof SyntaxError) return noGateway(url);
  return `the gateway at ${url} did not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
}
