/**
 * Who can read a sealed thought, from the `format` of its `reasoning_details` entry. OpenRouter's formats name the
 * vendor first (`anthropic-claude-v1`); ours are the vendor's bare name.
 */
export function issuerOf(format: unknown): string {
  if (typeof format !== "string" || format === "") return "unknown";
  return /^(?<vendor>[a-z0-9]+)-.+-v\d+$/u.exec(format)?.groups?.["vendor"] ?? format;
}
