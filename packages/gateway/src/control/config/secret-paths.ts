import type { ConfigPath } from "./problem.ts";

/** Where secrets stand; `*` is any one step. Values at or below these paths are never shown. */
const patterns: readonly (readonly string[])[] = [
  ["providers", "*", "key"],
  ["providers", "*", "keys"],
  ["providers", "*", "headers"],
  ["keys", "*", "key"],
  ["server", "admin", "token"],
  ["records", "forward", "key"],
  ["telemetry", "otlp", "headers"],
  ["audit", "anchor", "key"],
  ["alerts", "key"],
  ["store"],
  ["shared", "url"],
  ["routes", "*", "confidence", "decision", "key"],
  ["routes", "*", "confidence", "verifier", "key"],
  ["routes", "*", "confidence", "review", "webhook", "key"],
];

/** Whether a value at this path is a secret, or holds one. Only there are `file:` references read. */
export function isSecretPath(path: ConfigPath): boolean {
  return patterns.some(
    (pattern) =>
      path.length >= pattern.length && pattern.every((step, index) => step === "*" || step === String(path[index])),
  );
}

/** Whether what is written out where a secret stands is none: an address that may hold a password, and holds nobody's. */
export function isPlainAddress(path: ConfigPath, written: string): boolean {
  const isAddress = path[0] === "store" || (path[0] === "shared" && path[1] === "url");
  return isAddress && !written.includes("@");
}
