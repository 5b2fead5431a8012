import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Arrival } from "./respond.ts";

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;

const mustBeSigned = ["host", "x-amz-date"];

/**
 * Why a request signed with AWS Signature Version 4 is refused; undefined where it is right. Keys are `ID:SECRET`.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signedBy(arrival: Arrival, keys: ReadonlySet<string>): string | undefined {
  const { headers } = arrival;
  const [, id, day, region, service, names = "", given = ""] = form.exec(headers["authorization"] ?? "") ?? [];
  if (id === undefined || day === undefined || region === undefined || service === undefined) {
    return "Authorization header is not in the form of AWS4-HMAC-SHA256.";
  }
  const pair = [...keys].find((key) => key.startsWith(`${id}:`));
  if (pair === undefined) return "The security token included in the request is invalid.";
  const date = headers["x-amz-date"] ?? "";
  const signed = names.split(";");
  const bare = mustBeSigned.find((name) => !signed.includes(name));
  if (bare !== undefined || !date.startsWith(day)) return `Signature must cover ${bare ?? "the date of its scope"}.`;
  const hash = sha256(arrival.body);
  const told = headers["x-amz-content-sha256"];
  if (told !== undefined && told !== hash) return "x-amz-content-sha256 is not the hash of the body.";
  const scope = [day, region, service, "aws4_request"];
  const request = [
    ...canonicalHead(arrival),
    ...signed.map((name) => `${name}:${squeezed(headers[name])}`),
    "",
    names,
    hash,
  ];
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(request.join("\n"))].join("\n");
  const secret = `AWS4${pair.slice(id.length + 1)}`;
  const key = scope.reduce((key: Buffer, part) => hmac(key, part), Buffer.from(secret));
  return timingSafeEqual(hmac(key, text), Buffer.from(given, "hex"))
    ? undefined
    : "The request signature we calculated does not match the signature you provided.";
}

/** Method, path and query. Every service but S3 encodes the path as it stands on the wire once more. */
function canonicalHead({ method, path }: Arrival): readonly string[] {
  const [bare = "", search = ""] = path.split("?", 2);
  const segments = bare.split("/").map((segment) => escaped(segment));
  const pairs = search === "" ? [] : search.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`));
  return [method, segments.join("/"), pairs.toSorted().join("&")];
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function squeezed(value = ""): string {
  return value.trim().replaceAll(/\s+/g, " ");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
