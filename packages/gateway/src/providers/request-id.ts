const usualNames = [
  "x-request-id",
  "request-id",
  "x-amzn-requestid",
  "apim-request-id",
  "x-generation-id",
  "cf-ray",
] as const;

/**
 * The provider's own id of a request from answer headers (lower-case names): what its support asks for. Undefined
 * where there is none, or one that is no plain id of at most 128 characters.
 */
export function usualRequestId(headers: Readonly<Record<string, string>>): string | undefined {
  for (const name of usualNames) {
    const id = headers[name];
    if (id !== undefined && /^[\w.:=-]{1,128}$/.test(id)) return id;
  }
  return undefined;
}
