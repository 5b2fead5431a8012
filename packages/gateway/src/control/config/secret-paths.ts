import type { ConfigPath } from "./problem.ts";

/** Where secrets stand; `*` is any one step. Values at or below these paths are never shown. */
const patterns: readonly (readonly string[])[] = [
  ["providers", "*", "key"],
  ["providers", "*", "keys"],
  ["providers", "*", "headers"],
  ["keys", "*", "key"],
  ["server", "admin", "token"],
  ["records", "forward", "key"],
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
