/**
 * Who can read what stands in `reasoning_details` as OpenRouter writes it: itself only. Its signatures and encrypted
 * thoughts come from accounts and hosts of its own choice, so that no vendor is sure to read them.
 */
export const detailsIssuer = "openrouter";

/**
 * Who can read a sealed thought, from the `format` of its `reasoning_details` entry. OpenRouter's formats have a version
 * (`anthropic-claude-v1`), or say `unknown`; ours are the vendor's bare name.
 */
export function issuerOf(format: unknown): string {
  if (typeof format !== "string" || format === "") return "unknown";
  return /-v\d+$/u.test(format) ? detailsIssuer : format;
}
