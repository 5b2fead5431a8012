import { failure } from "#domain/failure";
import { TokenSource } from "./token-source.ts";
import type { AuthClient, JWTInput } from "google-auth-library";
import type { Failure } from "#domain/failure";
import type { Secret } from "#domain/secret";
import type { CredentialHeaders } from "./provider.ts";
import type { FetchedToken } from "./token-source.ts";

const scopes = ["https://www.googleapis.com/auth/cloud-platform"];

/** One request to a token server. */
const requestMs = 10_000;
/** A token, with whatever the library tries again on its own. */
const fetchMs = 20_000;

/** Tokens of Google's logins by the secret they are made from; without one, of the login the machine has. */
export class GoogleTokens {
  readonly #bySecret = new WeakMap<Secret, TokenSource>();
  #ofMachine: TokenSource | undefined;

  /** Without waiting as long as a token is valid. Failures: `credential_rejected`, `unreachable`. */
  authorize(
    secret: Secret | undefined,
    wallMs: number,
  ): CredentialHeaders | Failure | Promise<CredentialHeaders | Failure> {
    return this.#sourceFor(secret).headers(wallMs);
  }

  #sourceFor(secret: Secret | undefined): TokenSource {
    if (secret === undefined) return (this.#ofMachine ??= sourceOf(undefined));
    let source = this.#bySecret.get(secret);
    if (source === undefined) this.#bySecret.set(secret, (source = sourceOf(secret)));
    return source;
  }
}

function sourceOf(secret: Secret | undefined): TokenSource {
  let client: Promise<AuthClient> | undefined;
  return new TokenSource(async () => {
    try {
      client ??= openClient(secret);
      return await inTime(client.then(fetchFrom));
    } catch (error) {
      client = undefined;
      return failureOf(error);
    }
  });
}

/** Rejects like a server that did not answer. */
async function inTime<Fetched>(fetching: Promise<Fetched>): Promise<Fetched> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timed out")), fetchMs);
    timer.unref();
  });
  try {
    return await Promise.race([fetching, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function fetchFrom(client: AuthClient): Promise<FetchedToken> {
  const headers = await client.getRequestHeaders();
  const expiresAtMs = client.credentials.expiry_date ?? 0;
  return { headers: Object.fromEntries(headers), expiresAtMs };
}

async function openClient(secret: Secret | undefined): Promise<AuthClient> {
  // Loaded here, so that who never calls Google never waits for it.
  const { GoogleAuth, JWT } = await import("google-auth-library");
  const transporterOptions = { timeout: requestMs };
  const clientOptions = { transporterOptions };
  if (secret === undefined) return new GoogleAuth({ scopes, clientOptions }).getClient();
  const credentials = JSON.parse(secret.reveal()) as JWTInput & { readonly token_uri?: string };
  if (credentials.type !== "service_account") {
    return new GoogleAuth({ credentials, scopes, clientOptions }).getClient();
  }
  const { token_uri: tokenUri } = credentials;
  // The library knows one address and one audience; the file's own may be a private way there.
  const jwt = new JWT({
    scopes,
    transporterOptions,
    ...(tokenUri === undefined ? {} : { additionalClaims: { aud: tokenUri } }),
  });
  jwt.fromJSON(credentials);
  if (tokenUri !== undefined) {
    jwt.transporter.interceptors.request.add({
      resolved: (request) => Promise.resolve(Object.assign(request, { url: new URL(tokenUri) })),
    });
  }
  return jwt;
}

const rejected =
  "Google gave no token for the gateway's login; its operator has to check the key, or `gcloud auth application-default login`.";
const unreached = "Google's token server could not be asked; try again later.";

/** What went wrong in our own words: the library's may hold addresses and parts of keys. */
function failureOf(error: unknown): Failure {
  const { status, code, response } = error as {
    readonly status?: unknown;
    readonly code?: unknown;
    readonly response?: { readonly status?: unknown };
  };
  const told = response?.status ?? status ?? code;
  const network = typeof told === "number" ? told >= 500 || told === 429 : isNetworkError(told, error);
  return network ? failure("unreachable", unreached) : failure("credential_rejected", rejected);
}

/** Codes of sockets and of names; a login that cannot be read or found has others. */
function isNetworkError(code: unknown, error: unknown): boolean {
  if (typeof code === "string" && /^(?:E(?:CONN|AI_|NOTFOUND|TIMEDOUT|PIPE|HOST|NET)|UND_|TimeoutError)/.test(code)) {
    return true;
  }
  return error instanceof Error && /timed? ?out|aborted/i.test(error.message);
}
