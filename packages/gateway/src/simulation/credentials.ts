import { signedBy } from "./aws-signature.ts";
import type { RefusalWords } from "./perform.ts";
import type { Arrival } from "./respond.ts";

const keyHeaders = ["x-api-key", "x-goog-api-key", "api-key"];

/** Why a request is not let in; undefined where it brings a key that is known. */
export function findStranger(arrival: Arrival, keys: ReadonlySet<string>): RefusalWords | undefined {
  const { headers, path } = arrival;
  const authorization = headers["authorization"] ?? "";
  if (authorization.startsWith("AWS4-HMAC-SHA256 ")) {
    const wrong = signedBy(arrival, keys);
    return wrong === undefined ? undefined : { kind: "authentication", message: wrong };
  }
  // If both headers come, Anthropic reads `x-api-key`.
  const named = keyHeaders.map((name) => headers[name]).find((value) => value !== undefined);
  const bearer = /^Bearer (.+)$/i.exec(authorization)?.[1];
  const key = named ?? bearer ?? new URLSearchParams(path.split("?", 2)[1]).get("key") ?? undefined;
  if (key !== undefined && keys.has(key)) return undefined;
  const message = key === undefined ? "No API key provided." : "Incorrect API key provided.";
  return { kind: "authentication", message };
}
