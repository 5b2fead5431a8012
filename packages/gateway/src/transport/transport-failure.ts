import { failure, type Failure, type FailureKind } from "#domain/failure";

interface Circumstances {
  readonly headSeen: boolean;
  readonly connectMs: number;
}

/** Error codes of Node, OpenSSL and undici, by what they mean for us. */
const kindByCode: Readonly<Record<string, FailureKind>> = {
  ENOTFOUND: "unresolvable",
  EAI_AGAIN: "unresolvable",
  EAI_FAIL: "unresolvable",
  EAI_NODATA: "unresolvable",
  ECONNREFUSED: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  ETIMEDOUT: "connect_timeout",
  UND_ERR_CONNECT_TIMEOUT: "connect_timeout",
  ECONNRESET: "connection_lost",
  EPIPE: "connection_lost",
  UND_ERR_SOCKET: "connection_lost",
  EPROTO: "tls_rejected",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls_rejected",
  SELF_SIGNED_CERT_IN_CHAIN: "tls_rejected",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls_rejected",
  UNABLE_TO_GET_ISSUER_CERT: "tls_rejected",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls_rejected",
  HOSTNAME_MISMATCH: "tls_rejected",
  UND_ERR_HEADERS_OVERFLOW: "bad_upstream_response",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "truncated_response",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "bad_upstream_response",
};

const messages: Partial<Record<FailureKind, string>> = {
  unresolvable: "The provider's host name could not be resolved.",
  unreachable: "The provider accepted no connection.",
  connection_lost: "The connection to the provider was lost.",
  tls_rejected: "The provider's certificate or TLS handshake was not acceptable.",
  truncated_response: "The provider's answer ended before it was complete.",
  bad_upstream_response: "The provider's answer was not valid HTTP.",
};

/** What a socket or HTTP error means. Its text is ours: theirs may hold addresses. */
export function transportFailure(error: unknown, seen: Circumstances): Failure {
  const code = deepestCode(error);
  let kind = isNoHttp(error) ? "bad_upstream_response" : kindOf(code);
  // Whatever breaks a connection that answers already, a TLS alert or a lost route: the answer broke off.
  if (seen.headSeen && kind !== "bad_upstream_response") kind = "truncated_response";
  if (kind === "connect_timeout") {
    return failure(kind, `The provider took no connection within ${seen.connectMs} ms.`);
  }
  const upstream = code === undefined ? {} : { upstream: { code } };
  return failure(kind, messages[kind] ?? "The provider could not be reached.", upstream);
}

/** undici's parser gives most of its complaints no code, and asserts that a status is no less than 100. */
function isNoHttp(error: unknown): boolean {
  return error instanceof Error && (error.name === "HTTPParserError" || error.name === "AssertionError");
}

function kindOf(code: string | undefined): FailureKind {
  if (code === undefined) return "connection_lost";
  const known = kindByCode[code];
  if (known !== undefined) return known;
  // An alert of the other side may pass; a certificate of the wrong name, or what speaks no TLS, does not.
  if (code.startsWith("ERR_SSL_") && code.includes("ALERT")) return "unreachable";
  if (code.startsWith("CERT_") || code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_")) return "tls_rejected";
  // llhttp's complaints about a malformed answer.
  if (code.startsWith("HPE_")) return "bad_upstream_response";
  return "connection_lost";
}

/** Happy eyeballs wraps the last attempts in an AggregateError; undici wraps in `cause`. */
function deepestCode(error: unknown): string | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    const own = "code" in at && typeof at.code === "string" ? at.code : undefined;
    const inner: unknown = at instanceof AggregateError ? at.errors[0] : at.cause;
    if (!(inner instanceof Error) && own !== undefined) return own;
    if (own !== undefined && own !== "UND_ERR_SOCKET" && !(at instanceof AggregateError)) return own;
    if (inner === undefined) return own;
    at = inner;
  }
  return undefined;
}
