import type { ErrorKind } from "./behaviour.ts";

const kindsByStatus = new Map<number, ErrorKind>([
  [401, "authentication"],
  [402, "quota"],
  [403, "permission"],
  [404, "not-found"],
  [413, "too-large"],
  [429, "rate-limit"],
  [503, "overloaded"],
  [504, "timeout"],
  [529, "overloaded"],
]);

/** The kind of error a provider means by a status. */
export function kindOfStatus(status: number): ErrorKind {
  return kindsByStatus.get(status) ?? (status >= 500 ? "server" : "invalid-request");
}

export const errorMessages: Readonly<Record<ErrorKind, string>> = {
  "invalid-request": "The request is invalid.",
  authentication: "Incorrect API key provided.",
  permission: "You have no access to this resource.",
  "not-found": "The model does not exist or you do not have access to it.",
  "too-large": "Request exceeds the maximum size.",
  "rate-limit": "Rate limit reached. Please try again later.",
  quota: "You exceeded your current quota, please check your plan and billing details.",
  server: "The server had an error while processing your request.",
  timeout: "The request timed out.",
  overloaded: "The model is currently overloaded. Please try again later.",
};

/** What the edge in front of a provider sends when the provider is gone. */
export const htmlErrorPage =
  "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n" +
  "<body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>\n";
