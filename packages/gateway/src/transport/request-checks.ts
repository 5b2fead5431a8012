/** What Node's parser lets through and we do not (measured: it accepts all of these shapes). */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
}

export type HeaderCheck =
  | { readonly kind: "fine"; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: "refused"; readonly status: 400 | 431 | 501; readonly why: string };

const maxHeaders = 100;
/** A second one of these changes meaning by who reads it: the classic smuggling and confusion shapes. */
const single = new Set([
  "host",
  "authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "content-length",
  "transfer-encoding",
  "content-type",
  "content-encoding",
]);
const hostShape = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** One look at a request's head before anything is decided by it. */
export function checkHead(request: RawRequest): HeaderCheck {
  const { rawHeaders } = request;
  if (rawHeaders.length / 2 > maxHeaders) return refused(431, `more than ${maxHeaders} headers`);
  const headers: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    // `x_api_key` and `x-api-key` are one name to some servers: an underscore name is never read.
    if (name.includes("_")) continue;
    const before = headers[name];
    if (before !== undefined && single.has(name)) return refused(400, `the header ${name} is given twice`);
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const host = headers["host"];
  if (host === undefined || !hostShape.test(host)) return refused(400, "the Host header is missing or not a host");
  if (!request.target.startsWith("/")) return refused(400, "the request target must be a path");
  const transfer = headers["transfer-encoding"];
  if (transfer !== undefined) {
    if (request.httpVersion !== "1.1") return refused(400, "Transfer-Encoding needs HTTP/1.1");
    if (transfer.trim().toLowerCase() !== "chunked") return refused(501, "the only transfer encoding read is chunked");
    if (headers["content-length"] !== undefined) return refused(400, "both Content-Length and Transfer-Encoding");
  }
  const bodyAnnounced = transfer !== undefined || (headers["content-length"] ?? "0") !== "0";
  if (bodyAnnounced && (request.method === "GET" || request.method === "HEAD")) {
    return refused(400, `a ${request.method} request with a body`);
  }
  return { kind: "fine", headers };
}

function refused(status: 400 | 431 | 501, why: string): HeaderCheck {
  return { kind: "refused", status, why };
}
