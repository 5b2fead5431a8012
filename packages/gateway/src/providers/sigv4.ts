import { createHash, createHmac } from "node:crypto";
import type { Secret } from "#domain/secret";
import type { CredentialHeaders } from "./provider.ts";

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretKey: Secret;
  /** What temporary credentials carry besides; it is sent and signed. */
  readonly sessionToken?: Secret;
}

export interface AwsScope {
  readonly region: string;
  /** The name it signs under, which may differ from its host's: `bedrock` for `bedrock-runtime`. */
  readonly service: string;
}

export interface SigV4Request extends AwsKeys, AwsScope {
  readonly method: string;
  /** The `host` header as it is sent: with the port where it is not the scheme's own. */
  readonly host: string;
  /** With its query, as it stands on the wire: already percent-encoded once. */
  readonly path: string;
  /**
   * Headers to sign besides those signed always (`host` and all that are added here): only what no one on the way
   * rewrites. Lower-case names.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** The exact bytes sent, in pieces. */
  readonly body: readonly Uint8Array[];
  /** Wall clock, milliseconds since 1970. AWS refuses what is more than some minutes off its own. */
  readonly wallMs: number;
  /** How the path is made canonical; absent: as every service but S3 does it. */
  readonly pathRules?: PathRules;
  /** Sends the body's hash as `x-amz-content-sha256`; only S3 asks for it. */
  readonly tellsBodyHash?: boolean;
}

export interface PathRules {
  /** Takes `.`, `..` and empty segments away. */
  readonly normalised: boolean;
  /** Encodes the path of the wire once more, so that `%3A` becomes `%253A`. */
  readonly encodedAgain: boolean;
}

const usualPathRules: PathRules = { normalised: true, encodedAgain: true };
const algorithm = "AWS4-HMAC-SHA256";

/**
 * The headers that sign a request with AWS Signature Version 4. The same arguments always give the same headers.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signV4(request: SigV4Request): CredentialHeaders {
  const time = new Date(request.wallMs).toISOString().replaceAll(/[-:]|\.\d+/gu, "");
  const date = time.slice(0, 8);
  const bodyHash = hashOf(request.body);
  const added = {
    "x-amz-date": time,
    ...(request.sessionToken && { "x-amz-security-token": request.sessionToken.reveal() }),
    ...(request.tellsBodyHash && { "x-amz-content-sha256": bodyHash }),
  };
  const signed = canonicalHeaders({ ...request.headers, host: request.host, ...added });
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    ...canonicalPlace(request.path, request.pathRules ?? usualPathRules),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    bodyHash,
  ];
  const scope = `${date}/${request.region}/${request.service}/aws4_request`;
  const text = [algorithm, time, scope, hashOf([Buffer.from(canonical.join("\n"))])].join("\n");
  const signature = createHmac("sha256", signingKey(request, scope)).update(text).digest("hex");
  const credential = `Credential=${request.accessKeyId}/${scope}`;
  return { ...added, authorization: `${algorithm} ${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

/** Runs of white space count as one space: proxies on the way may fold them. */
function canonicalHeaders(headers: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(headers)
    .map(([name, value]) => [name, value.trim().replaceAll(/\s+/gu, " ")] as const)
    .toSorted(([one], [other]) => compare(one, other));
}

function canonicalPlace(path: string, rules: PathRules): readonly [path: string, query: string] {
  const queryAt = path.includes("?") ? path.indexOf("?") : path.length;
  return [canonicalPath(path.slice(0, queryAt), rules), canonicalQuery(path.slice(queryAt + 1))];
}

function canonicalPath(path: string, rules: PathRules): string {
  const normalised = rules.normalised ? withoutDots(path) : path;
  const bytesOf = rules.encodedAgain ? (segment: string) => Buffer.from(segment) : decoded;
  const segments = normalised.split("/").map((segment) => encoded(bytesOf(segment)));
  return segments.join("/") || "/";
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const end = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return `/${kept.join("/")}${end}`;
}

/** Sorted by encoded name, then by encoded value; a name without a value has an empty one. */
function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((pair) => pair !== "");
  return pairs
    .map((pair) => {
      const valueAt = pair.includes("=") ? pair.indexOf("=") : pair.length;
      return [pair.slice(0, valueAt), pair.slice(valueAt + 1)].map((part) => encoded(decoded(part)));
    })
    .toSorted(([name = "", value = ""], [otherName = "", otherValue = ""]) => {
      return compare(name, otherName) || compare(value, otherValue);
    })
    .map((pair) => pair.join("="))
    .join("&");
}

/** By code point, as AWS sorts: a locale's order would differ. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Every byte but those RFC 3986 calls unreserved becomes `%XX`, in capitals. */
function encoded(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll(/[^\w.~-]/gu, (byte) => `%${hexOf(byte.charCodeAt(0))}`);
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/** The bytes a percent-encoded text stands for. A `%` that begins no code stands for itself. */
function decoded(text: string): Buffer {
  const latin1 = Buffer.from(text).toString("latin1");
  const bytes = latin1.replaceAll(/%([\da-f]{2})/giu, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1");
}

function hashOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

interface SigningKey {
  readonly secretKey: Secret;
  readonly key: Buffer;
}

/** Keys hold for a day: one for each key, region and service in use, and no more than this many. */
const maxSigningKeys = 64;
const signingKeys = new Map<string, SigningKey>();

/** Four hashes saved with each request. A secret replaced under the same id is derived anew. */
function signingKey({ accessKeyId, secretKey, ...request }: SigV4Request, scope: string): Buffer {
  const place = `${accessKeyId}/${scope}`;
  const secret = secretKey.reveal();
  const known = signingKeys.get(place);
  if (known?.secretKey.reveal() === secret) return known.key;
  const parts = [scope.slice(0, 8), request.region, request.service, "aws4_request"];
  let key = Buffer.from(`AWS4${secret}`);
  for (const part of parts) key = createHmac("sha256", key).update(part).digest();
  signingKeys.delete(place);
  signingKeys.set(place, { secretKey, key });
  for (const oldest of signingKeys.keys()) {
    if (signingKeys.size <= maxSigningKeys) break;
    signingKeys.delete(oldest);
  }
  return key;
}
